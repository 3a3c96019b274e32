/** One connection of the load generator: lanes that take turns on one socket. */
import { ResultCode } from "../core/outcome.ts";
import { DEFAULT_MAX_FRAME_BYTES, FrameReader } from "../node/framing.ts";
import { SocketWriter } from "../node/socket_writer.ts";
import { readServerHello, writeClientHello } from "../node/wire_hello.ts";
import { PROTOCOL_VERSION } from "../node/wire_messages.ts";
import { WireReader } from "../node/wire_reader.ts";
import { submitReplyId } from "../node/wire_submit.ts";
import type { Lane } from "./load_lane.ts";

/** Who counts. */
export interface Recorder {
  /** Whether a reply that comes now still asks for the next request. */
  isRunning(): boolean;
  /** A request of `commands` commands took `ms`. */
  answered(ms: number, commands: number): void;
  /** Results by code; index 0 counts rejections. */
  readonly codes: Float64Array;
}

/** See the top of the file. */
export class LoadConnection {
  readonly #conn: Deno.TcpConn;
  readonly #lanes: readonly Lane[];
  readonly #batch: number;
  readonly #frames = new FrameReader(DEFAULT_MAX_FRAME_BYTES);
  readonly #writer: SocketWriter;

  private constructor(conn: Deno.TcpConn, lanes: readonly Lane[], batch: number) {
    this.#conn = conn;
    this.#lanes = lanes;
    this.#batch = batch;
    const fail = (): never => {
      throw new Error("The server closed the connection");
    };
    this.#writer = new SocketWriter(conn, { bytesSent: 0 }, () => {}, fail);
  }

  /** Connects and says hello. */
  static async open(
    hostname: string,
    port: number,
    lanes: readonly Lane[],
    batch: number,
  ): Promise<LoadConnection> {
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay(true);
    const connection = new LoadConnection(conn, lanes, batch);
    await connection.#hello();
    return connection;
  }

  async #hello(): Promise<void> {
    const hello = { version: PROTOCOL_VERSION, clusterId: undefined, clientName: "load_generator" };
    writeClientHello(this.#writer.out, hello);
    this.#writer.flush();
    const reader = new WireReader();
    await this.#nextFrame();
    reader.open(this.#frames.view, this.#frames.bodyStart, this.#frames.bodyEnd);
    const server = readServerHello(reader);
    if (server === undefined) throw new Error("The server did not answer hello");
    if (server.maxBatchCommands < this.#batch) {
      throw new Error(`The server takes ${server.maxBatchCommands} commands in one request`);
    }
  }

  /** Creates the lanes' resources, one request after the other. */
  async setup(): Promise<void> {
    for (const lane of this.#lanes) {
      this.#send(lane.setup());
      this.#writer.flush();
      await this.#nextFrame();
    }
  }

  /** Keeps every lane busy until the recorder says that it is enough and the last reply is in. */
  async run(recorder: Recorder): Promise<void> {
    for (const lane of this.#lanes) this.#sendNext(lane);
    this.#writer.flush();
    let underWay = this.#lanes.length;
    while (underWay > 0) {
      const count = await this.#conn.read(this.#frames.space());
      if (count === null) throw new Error("The server closed the connection");
      this.#frames.received(count);
      while (this.#isNextFrame()) {
        const lane = this.#take(recorder);
        if (recorder.isRunning()) this.#sendNext(lane);
        else underWay--;
      }
      this.#writer.flush();
    }
  }

  /** Closes the socket. */
  close(): void {
    this.#conn.close();
  }

  #sendNext(lane: Lane): void {
    this.#send(lane.next());
    lane.sentAtMs = performance.now();
  }

  #send(frame: Uint8Array): void {
    const { out } = this.#writer;
    out.room(frame.length);
    out.bytes.set(frame, out.end);
    out.end += frame.length;
  }

  async #nextFrame(): Promise<void> {
    while (!this.#isNextFrame()) {
      const count = await this.#conn.read(this.#frames.space());
      if (count === null) throw new Error("The server closed the connection");
      this.#frames.received(count);
    }
  }

  #isNextFrame(): boolean {
    const status = this.#frames.next();
    if (status !== "frame" && status !== "incomplete") throw new Error(`A reply frame: ${status}`);
    return status === "frame";
  }

  /** Counts the results of a reply; answers whose it is. */
  #take(recorder: Recorder): Lane {
    const { view, bodyStart, bodyEnd } = this.#frames;
    const lane = this.#lanes[submitReplyId(view, bodyStart, bodyEnd)];
    if (lane === undefined) throw new Error("A reply that is none to a submit request");
    recorder.answered(performance.now() - lane.sentAtMs, this.#batch);
    const headBytes = this.#batch < 24 ? 1 : this.#batch < 0x100 ? 2 : 3;
    let at = bodyStart + 11 + headBytes;
    for (let i = 0; i < this.#batch; i++) {
      const code = view.getUint8(at + 1);
      recorder.codes[code]!++;
      const hasReservation = code === ResultCode.ok && view.getUint8(at) === 0x86;
      if (hasReservation) lane.granted(i, view, at);
      at += code === 0 ? 31 : hasReservation ? 47 : 12;
    }
    return lane;
  }
}
