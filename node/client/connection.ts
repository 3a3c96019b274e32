import { DEFAULT_MAX_FRAME_BYTES, FrameReader } from "../wire/framing.ts";
import { SocketWriter } from "../server/socket_writer.ts";
import { readError } from "../wire/hello.ts";
import { MessageType } from "../wire/messages.ts";
import { WireReader } from "../wire/reader.ts";
import { type Address, dial } from "./address.ts";
import { greet, type Greeting, protocolError, refusal } from "./greeting.ts";
import { verifyServer } from "./secure.ts";
import { type ServerInfo, TransportError } from "./types.ts";

/** How a connection came to its end. */
export interface Ending {
  readonly error: TransportError;
  /** True when the server said that it has not taken what it has not answered. */
  readonly isGoodbye: boolean;
}

/** Who gets what a connection receives. */
export interface ConnectionOwner {
  /** A message that is no error of the whole connection. False when it makes no sense. */
  received(view: DataView, at: number, end: number): boolean;
  /** Called once, after the last message. */
  ended(ending: Ending): void;
}

/** One socket to one server, from hello to its end. */
export class ClientConnection {
  /** What the server said about itself. */
  readonly info: ServerInfo;
  /** When something last came, by `performance.now()`. */
  receivedMs = performance.now();
  /** Where requests are written; flush in the same turn. */
  readonly writer: SocketWriter;
  readonly #conn: Deno.Conn;
  readonly #frames: FrameReader;
  readonly #errors = new WireReader();
  #ending: Ending | undefined;

  private constructor(conn: Deno.Conn, info: ServerInfo, frames: FrameReader) {
    this.#conn = conn;
    this.info = info;
    this.#frames = frames;
    const lost = new TransportError("connection_lost", `${info.address} closed the connection`);
    this.writer = new SocketWriter(conn, { bytesSent: 0 }, () => {}, () => this.close(lost));
  }

  /**
   * Connects and says hello.
   *
   * @param address Where to.
   * @param greeting What to say.
   * @param timeoutMs How long it may take in all.
   * @param signal Ends the attempt before that; without effect on a connection that is open.
   * @returns A connection on which requests can be sent.
   * @throws {TransportError} When there is no server, or none for us.
   */
  static async open(
    address: Address,
    greeting: Greeting,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ClientConnection> {
    const startMs = performance.now();
    let conn: Deno.TcpConn | Deno.TlsConn = await dial(address, timeoutMs, signal);
    const leftMs = Math.max(1, timeoutMs - (performance.now() - startMs));
    const giveUp = (): void => closeQuietly(conn);
    const timer = setTimeout(giveUp, leftMs);
    signal.addEventListener("abort", giveUp);
    try {
      const { tlsAuthorities } = greeting;
      if (tlsAuthorities !== undefined) {
        const { hostname } = address;
        conn = await Deno.startTls(conn, { hostname, caCerts: [tlsAuthorities] });
        await verifyServer(conn, address);
      }
      const frames = new FrameReader(DEFAULT_MAX_FRAME_BYTES);
      const info = await greet(conn, frames, greeting, address.text);
      return new ClientConnection(conn, info, frames);
    } catch (error) {
      closeQuietly(conn);
      if (error instanceof TransportError) throw error;
      const message = `${address.text} did not answer hello within ${timeoutMs} ms`;
      throw new TransportError("unreachable", message);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Hands everything received to the owner, until the connection ends. */
  async run(owner: ConnectionOwner): Promise<void> {
    const lost = new TransportError(
      "connection_lost",
      `${this.info.address} closed the connection`,
    );
    try {
      for (;;) {
        this.#takeFrames(owner);
        const count = this.#ending ? null : await this.#conn.read(this.#frames.space());
        if (count === null) break;
        this.receivedMs = performance.now();
        this.#frames.received(count);
      }
    } catch {
      // Reset, or closed by ourselves: the same as the end.
    }
    this.close(lost);
    owner.ended(this.#ending ?? { error: lost, isGoodbye: false });
  }

  /** Closes the socket; the owner hears of it from {@linkcode ClientConnection.run}. */
  close(error: TransportError, isGoodbye = false): void {
    this.#ending ??= { error, isGoodbye };
    closeQuietly(this.#conn);
  }

  #takeFrames(owner: ConnectionOwner): void {
    while (this.#ending === undefined) {
      const status = this.#frames.next();
      if (status === "incomplete") return;
      const { view, bodyStart, bodyEnd } = this.#frames;
      const isUnderstood = status === "frame" && this.#take(owner, view, bodyStart, bodyEnd);
      if (!isUnderstood) this.close(protocolError(this.info.address));
    }
  }

  #take(owner: ConnectionOwner, view: DataView, at: number, end: number): boolean {
    if (end - at < 2) return false;
    if (view.getUint8(at + 1) === MessageType.error) {
      this.#errors.open(view, at, end);
      const error = readError(this.#errors);
      if (error === undefined) return false;
      if (error.requestId === 0n) {
        this.close(refusal(error, this.info.address), error.code === "shutting_down");
        return true;
      }
    }
    return owner.received(view, at, end);
  }
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
