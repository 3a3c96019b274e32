/** A proxy that breaks connections at the moments that matter: between a request and its reply. */

/**
 * What happens on a connection once both sides have said hello.
 * - `pass`: nothing.
 * - `lose_request`: it is cut at the first request, which the server never sees.
 * - `lose_reply`: it is cut at the first reply, which the client never sees.
 * - `go_silent`: replies are swallowed, and nothing is cut.
 */
export type Mischief = "pass" | "lose_request" | "lose_reply" | "go_silent";

/** See the top of the file. */
export class FlakyProxy implements AsyncDisposable {
  readonly port: number;
  /** Connections that clients made. */
  connections = 0;
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #plan: (connection: number) => Mischief;
  readonly #sockets = new Set<Deno.Conn>();
  readonly #tasks: Promise<void>[] = [];

  /**
   * @param target The server's port.
   * @param plan What happens on each connection; the first is 0.
   */
  constructor(target: number, plan: (connection: number) => Mischief) {
    this.#target = target;
    this.#plan = plan;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#tasks.push(this.#accept());
  }

  /** Cuts every connection and listens no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#listener);
    this.cut();
    await Promise.all(this.#tasks);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) close(socket);
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) this.#tasks.push(this.#serve(client));
    } catch {
      // Closed.
    }
  }

  async #serve(client: Deno.Conn): Promise<void> {
    const mischief = this.#plan(this.connections++);
    this.#sockets.add(client);
    try {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      this.#sockets.add(server);
      const upstream = pump(client, server, mischief === "lose_request" ? "cut" : "forward");
      const after = mischief === "lose_reply"
        ? "cut"
        : mischief === "go_silent"
        ? "swallow"
        : "forward";
      await Promise.all([upstream, pump(server, client, after)]);
      this.#sockets.delete(server);
    } catch {
      close(client); // The server is not there.
    }
    this.#sockets.delete(client);
  }
}

/** Passes the first message on, which is hello, and does as it is told with everything behind it. */
async function pump(
  from: Deno.Conn,
  to: Deno.Conn,
  after: "forward" | "swallow" | "cut",
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let isHello = true;
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      if (!isHello && after === "cut") break;
      if (isHello || after === "forward") await writeAll(to, buffer.subarray(0, count));
      isHello = false;
    }
  } catch {
    // One end is gone: so goes the other.
  }
  close(from);
  close(to);
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

function close(socket: { close(): void }): void {
  try {
    socket.close();
  } catch {
    // Closed already.
  }
}
