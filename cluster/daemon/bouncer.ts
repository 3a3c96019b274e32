/** Listens where a server was, and tells everybody that it is isolated. */
import { writeError } from "../../node/wire/hello.ts";
import { WireWriter } from "../../node/wire/writer.ts";

/** What an isolated replica says, in the runbook's words. */
export const ISOLATED_MESSAGE = "network isolated by local harness";

/** How long a client may take to read that and hang up, in milliseconds. */
const LINGER_MS = 1_000;
/** Clients that are being turned away at once; further ones are closed unanswered. */
const CLIENTS_MAX = 64;
/** Reads of what a client still says; after that it is closed as it is. */
const READS_MAX = 1_024;

/** Turns away everybody who connects: `shutting_down`, as nothing of what they say is taken. */
export class Bouncer {
  readonly #listener: Deno.TcpListener;
  readonly #message: Uint8Array;
  readonly #clients = new Map<Deno.TcpConn, Promise<void>>();
  readonly #accepting: Promise<void>;

  /**
   * @param address Where to listen.
   * @throws {Deno.errors.AddrInUse} When the port is taken.
   */
  constructor({ hostname = "127.0.0.1", port = 0 }: { hostname?: string; port?: number }) {
    this.#listener = Deno.listen({ hostname, port });
    const out = new WireWriter();
    writeError(out, 0n, "shutting_down", ISOLATED_MESSAGE);
    this.#message = out.bytes.slice(0, out.end);
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get addr(): Deno.NetAddr {
    return this.#listener.addr as Deno.NetAddr;
  }

  /** Stops. */
  async close(): Promise<void> {
    this.#listener.close();
    for (const conn of this.#clients.keys()) close(conn);
    await Promise.all([this.#accepting, ...this.#clients.values()]);
  }

  async #accept(): Promise<void> {
    for (;;) {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listener.accept();
      } catch {
        return; // Closed.
      }
      if (this.#clients.size >= CLIENTS_MAX) close(conn);
      else this.#clients.set(conn, this.#turnAway(conn));
    }
  }

  /** Says it, and reads until the client hangs up: closing with bytes unread would take the words away again. */
  async #turnAway(conn: Deno.TcpConn): Promise<void> {
    const timer = setTimeout(() => close(conn), LINGER_MS);
    try {
      await conn.write(this.#message);
      await conn.closeWrite();
      const waste = new Uint8Array(4_096);
      for (let i = 0; i < READS_MAX && await conn.read(waste) !== null; i++);
    } catch {
      // Gone already.
    } finally {
      clearTimeout(timer);
      close(conn);
      this.#clients.delete(conn);
    }
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
