/** Talking to a gateway as strangers do: with fetch, and with bytes that fetch would never send. */
import type { NodeApi } from "../../node/api.ts";
import { type HttpGateway, type HttpOptions, startHttp } from "../../node/http/server.ts";

/** A gateway under test. Whatever it calls a bug fails the test, unless the test asks for bugs. */
export interface TestGateway {
  readonly gateway: HttpGateway;
  readonly url: string;
  /** What the gateway reported as bugs. */
  readonly bugs: unknown[];
}

/** Runs `use` against a gateway on loopback and stops it. */
export async function withGateway<T>(
  node: NodeApi,
  options: Partial<HttpOptions>,
  use: (test: TestGateway) => Promise<T>,
): Promise<T> {
  const bugs: unknown[] = [];
  const gateway = startHttp(node, {
    ...{ hostname: "127.0.0.1", port: 0, version: "0.1.0", onBug: (bug) => void bugs.push(bug) },
    ...options,
  });
  try {
    return await use({ gateway, url: `http://127.0.0.1:${gateway.addr.port}`, bugs });
  } finally {
    await gateway.drain(0);
  }
}

/**
 * Tries something whose deadline must come, but not before the request itself has: on a busy machine a short
 * one may come too early, and then a longer one is tried.
 *
 * @param attempt Gets the deadline in milliseconds.
 * @param cameTooEarly Whether the result is only that the request was not read in time.
 */
export async function withShortDeadline<T>(
  attempt: (requestTimeoutMs: number) => Promise<T>,
  cameTooEarly: (result: T) => boolean,
): Promise<T> {
  for (const requestTimeoutMs of [10, 100, 1_000]) {
    const result = await attempt(requestTimeoutMs);
    if (!cameTooEarly(result)) return result;
  }
  return await attempt(10_000);
}

/** A reply as a test compares it. */
export interface RawReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether all of the body came. */
  readonly whole: boolean;
}

/** Sends JSON, or text as it is. */
export function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** A refusal without its words. */
export interface Refused {
  readonly status: number;
  readonly code: string;
  /** Where the mistakes are. */
  readonly at: readonly string[];
}

/** Reads a refusal. */
export async function refusalOf(reply: Response): Promise<Refused> {
  const body = await reply.json();
  const errors = (body.errors ?? []) as readonly { at: string }[];
  return { status: reply.status, code: body.code, at: errors.map(({ at }) => at) };
}

/**
 * Writes bytes to a connection of its own and reads one reply.
 *
 * @param port Where on loopback.
 * @param text The whole request, one byte for each character; what is missing is never sent.
 * @param patienceMs When to say that nothing more will come, for requests that nobody can answer.
 * @returns The reply, or `undefined` when the connection ended without one.
 */
export async function sendRaw(
  port: number,
  text: string,
  patienceMs?: number,
): Promise<RawReply | undefined> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  const giveUp = (): void => void connection.closeWrite().catch(() => {});
  const timer = patienceMs === undefined ? undefined : setTimeout(giveUp, patienceMs);
  try {
    return await readReply(connection, text.startsWith("HEAD "));
  } finally {
    clearTimeout(timer);
  }
}

async function readReply(
  connection: Deno.TcpConn,
  headOnly: boolean,
): Promise<RawReply | undefined> {
  let seen = "";
  const chunk = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(chunk).catch(() => null);
    if (count !== null) seen += String.fromCharCode(...chunk.subarray(0, count));
    const reply = parseReply(seen.replace(/^HTTP\/1\.1 100 .*\r\n\r\n/, ""), headOnly);
    if (reply?.whole || count === null) return reply;
  }
}

function parseReply(text: string, headOnly: boolean): RawReply | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const length = headOnly ? 0 : Number(headers["content-length"] ?? Infinity);
  const body = text.slice(end + 4, end + 4 + length);
  const whole = length === Infinity ? body.endsWith("\r\n0\r\n\r\n") : body.length === length;
  return { status: Number(first!.split(" ")[1]), headers, body, whole };
}
