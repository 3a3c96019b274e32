/** One connection of the load: lanes that share a socket. */
import { CliError } from "../errors.ts";
import { DEFAULT_MAX_FRAME_BYTES, FrameReader } from "../wire/framing.ts";
import { SocketWriter } from "../server/socket_writer.ts";
import { readServerHello, writeClientHello } from "../wire/hello.ts";
import { PROTOCOL_VERSION } from "../wire/messages.ts";
import { WireReader } from "../wire/reader.ts";
import { submitReplyId } from "../wire/submit.ts";
import type { Lane } from "./load_lane.ts";
import type { Recorder } from "./recorder.ts";

const REPLY_HEAD_BYTES = 11;

/** See the top of the file. Lanes have their index as request id. */
export class LoadConnection {
  readonly lanes: readonly Lane[];
  readonly #conn: Deno.TcpConn;
  readonly #frames = new FrameReader(DEFAULT_MAX_FRAME_BYTES);
  readonly #writer: SocketWriter;

  private constructor(conn: Deno.TcpConn, lanes: readonly Lane[]) {
    this.#conn = conn;
    this.lanes = lanes;
    // A socket that takes nothing any more gives nothing any more either: reading says so.
    this.#writer = new SocketWriter(conn, { bytesSent: 0 }, () => {}, () => {});
  }

  /**
   * Connects, says hello and creates the lanes' resources.
   *
   * @param address `host:port` of the server.
   * @param lanes What will use the connection.
   * @throws {CliError} When the server does not answer as one does.
   */
  static async open(address: string, lanes: readonly Lane[]): Promise<LoadConnection> {
    const colon = address.lastIndexOf(":");
    const port = Number(address.slice(colon + 1));
    const conn = await Deno.connect({ hostname: address.slice(0, colon), port });
    conn.setNoDelay(true); // Or small frames wait for acknowledgements of earlier ones.
    const connection = new LoadConnection(conn, lanes);
    try {
      await connection.#hello();
      for (const lane of lanes) await connection.#create(lane);
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  /** Closes the socket; a {@linkcode LoadConnection.receive} under way fails. */
  close(): void {
    this.#conn.close();
  }

  /** Writes a lane's next request; {@linkcode LoadConnection.flush} sends it. */
  send(lane: Lane): void {
    this.#write(lane.next());
  }

  /** Sends what was written. */
  flush(): void {
    this.#writer.flush();
  }

  /**
   * Waits until replies have come and takes all that came.
   *
   * @param recorder Counts them.
   * @param taken Called for each lane that is free again.
   */
  async receive(recorder: Recorder, taken: (lane: Lane) => void): Promise<void> {
    await this.#read();
    while (this.#isNextFrame()) taken(this.#take(recorder));
  }

  async #hello(): Promise<void> {
    const hello = { version: PROTOCOL_VERSION, clusterId: undefined, clientName: "allocdb bench" };
    writeClientHello(this.#writer.out, hello);
    this.flush();
    await this.#nextFrame();
    const reader = new WireReader();
    reader.open(this.#frames.view, this.#frames.bodyStart, this.#frames.bodyEnd);
    const server = readServerHello(reader);
    if (server === undefined) throw broken("it did not answer hello");
    const batch = Math.max(...this.lanes.map((lane) => lane.batch));
    if (server.maxBatchCommands < batch) {
      throw broken(`it takes ${server.maxBatchCommands} commands in one request`);
    }
  }

  async #create(lane: Lane): Promise<void> {
    this.#write(lane.setup());
    this.flush();
    await this.#nextFrame();
  }

  #write(frame: Uint8Array): void {
    const { out } = this.#writer;
    out.room(frame.length);
    out.bytes.set(frame, out.end);
    out.end += frame.length;
  }

  async #nextFrame(): Promise<void> {
    while (!this.#isNextFrame()) await this.#read();
  }

  async #read(): Promise<void> {
    const count = await this.#conn.read(this.#frames.space());
    if (count === null) throw broken("it closed the connection");
    this.#frames.received(count);
  }

  #isNextFrame(): boolean {
    const status = this.#frames.next();
    if (status !== "frame" && status !== "incomplete") throw broken(`a reply is wrong: ${status}`);
    return status === "frame";
  }

  #take(recorder: Recorder): Lane {
    const { view, bodyStart, bodyEnd } = this.#frames;
    const lane = this.lanes[submitReplyId(view, bodyStart, bodyEnd)];
    if (lane === undefined) throw broken("a reply is to no request");
    lane.take(view, bodyStart + REPLY_HEAD_BYTES, recorder.codes);
    recorder.answered(lane);
    return lane;
  }
}

function broken(why: string): CliError {
  return new CliError("E_PROTOCOL", `the measured server failed: ${why}`);
}
