import { TransportError } from "./types.ts";

/** Where a server listens. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
  /** As it was given. */
  readonly text: string;
}

/**
 * Reads `host:port`; an IPv6 address stands in brackets.
 *
 * @param text What to read.
 * @returns The address.
 * @throws {TypeError} When it is none.
 */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const hostname = match?.[1] ?? match?.[2];
  if (hostname === undefined || port < 1 || port > 0xffff) {
    throw new TypeError(`"${text}" is no address: host:port is, or [ipv6]:port`);
  }
  return { hostname, port, text };
}

/**
 * Opens a socket that sends at once.
 *
 * @param address Where to.
 * @param timeoutMs How long it may take.
 * @param signal Ends the attempt before that.
 * @returns The socket.
 * @throws {TransportError} `unreachable`.
 */
export async function dial(
  address: Address,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Deno.TcpConn> {
  const { hostname, port, text } = address;
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const giveUp = new AbortController();
  const dialling = Deno.connect({ hostname, port, signal: giveUp.signal }).then((conn) => {
    if (isLate) conn.close();
    else conn.setNoDelay(true);
    return conn;
  });
  const late = new Promise<never>((_, reject) => {
    const end = (why: string): void => {
      isLate = true;
      giveUp.abort();
      reject(new Error(why));
    };
    timer = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener("abort", () => end("no longer wanted"), { once: true });
  });
  try {
    return await Promise.race([dialling, late]);
  } catch (error) {
    dialling.catch(() => {}); // When it fails late, nobody is interested.
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransportError("unreachable", `cannot connect to ${text}: ${reason}`);
  } finally {
    clearTimeout(timer);
  }
}
