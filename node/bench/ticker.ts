/**
 * Turns of the event loop in quick succession. Deno's timers, `setImmediate` among them, come a millisecond
 * apart, and messages to oneself starve every socket; a byte to oneself over the loopback interface takes its
 * place among the other sockets and is back in about 20 µs.
 */
export class Ticker implements Disposable {
  readonly #out: Deno.TcpConn;
  readonly #in: Deno.TcpConn;
  readonly #byte: Uint8Array<ArrayBuffer> = new Uint8Array(1);

  private constructor(sender: Deno.TcpConn, receiver: Deno.TcpConn) {
    this.#out = sender;
    this.#in = receiver;
  }

  /** Connects this process with itself. */
  static async open(): Promise<Ticker> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [sender, receiver] = await Promise.all([
      Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
      listener.accept(),
    ]);
    sender.setNoDelay(true);
    return new Ticker(sender, receiver);
  }

  /** Resolves in a later turn, when other sockets have been looked at. */
  async next(): Promise<void> {
    await this.#out.write(this.#byte);
    await this.#in.read(this.#byte);
  }

  /** Closes both ends. */
  [Symbol.dispose](): void {
    this.#out.close();
    this.#in.close();
  }
}
