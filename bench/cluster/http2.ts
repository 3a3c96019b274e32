/**
 * The little of HTTP/2 and gRPC that a load needs: one connection on which one unary method is called again and
 * again, with many calls under way. It costs a fraction of what a general client costs, and that is the point:
 * with few cores the client takes from what it measures. Sources: RFC 9113, RFC 7541 and the gRPC project's
 * "gRPC over HTTP2".
 */
import { SocketWriter } from "../../node/server/socket_writer.ts";

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** Bytes before the payload of every frame. */
export const FRAME_HEAD_BYTES = 9;
/** Bytes before every gRPC message: a compression flag and a length. */
const MESSAGE_HEAD_BYTES = 5;

/** Types of frames. */
export const FrameType = {
  data: 0,
  headers: 1,
  rst_stream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window_update: 8,
} as const;

/** Flags of frames. An acknowledgement and the end of a stream have the same bit. */
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;

const SETTING_ENABLE_PUSH = 2;
const SETTING_INITIAL_WINDOW_SIZE = 4;

/** What a side may send before the other grants more, until something else is agreed on. */
const FIRST_WINDOW = 65_535;
const WINDOW_MAX = 0x7fff_ffff;
/** The server may send this much more after each time it has sent as much. */
const GRANT_BYTES = 0x10_0000;
/** A frame is at most 16 KiB long unless a side says that it takes longer ones, which we do not. */
const READ_BYTES = 0x4_0000;

/** What comes of the calls of a channel. */
export interface CallSink {
  /** The answer of a call. The bytes are valid until this returns. */
  answered(stream: number, message: Uint8Array): void;
  /** A call is over; one that had no answer before has failed. */
  ended(stream: number): void;
}

interface WaitingCall {
  readonly stream: number;
  readonly message: Uint8Array;
}

/** One connection for one method. See the top of the file. */
export class GrpcChannel {
  readonly #conn: Deno.TcpConn;
  readonly #writer: SocketWriter;
  readonly #firstHeaders: Uint8Array;
  readonly #laterHeaders: Uint8Array;
  readonly #bytes = new Uint8Array(READ_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #waiting: WaitingCall[] = [];
  #start = 0;
  #end = 0;
  #nextStream = 1;
  #sendWindow = FIRST_WINDOW;
  #ungranted = 0;

  private constructor(conn: Deno.TcpConn, address: string, path: string) {
    this.#conn = conn;
    this.#writer = new SocketWriter(conn, { bytesSent: 0 }, () => {}, () => {});
    [this.#firstHeaders, this.#laterHeaders] = headerBlocks(address, path);
    this.#write(PREFACE);
    this.#write(clientSettings());
    this.#write(windowUpdate(WINDOW_MAX - FIRST_WINDOW));
  }

  /**
   * Connects.
   *
   * @param address `host:port`.
   * @param path The method: `/package.Service/Method`.
   */
  static async connect(address: string, path: string): Promise<GrpcChannel> {
    const colon = address.lastIndexOf(":");
    const port = Number(address.slice(colon + 1));
    const conn = await Deno.connect({ hostname: address.slice(0, colon), port });
    conn.setNoDelay(true);
    return new GrpcChannel(conn, address, path);
  }

  /** Closes the socket; a {@linkcode GrpcChannel.receive} under way fails. */
  close(): void {
    this.#conn.close();
  }

  /**
   * Writes a call; {@linkcode GrpcChannel.flush} sends it. One that the server's window has no room for goes out
   * when there is.
   *
   * @param message The request, shorter than a frame. It is copied.
   * @returns The call's stream.
   */
  call(message: Uint8Array): number {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    const size = MESSAGE_HEAD_BYTES + message.length;
    if (this.#waiting.length === 0 && size <= this.#sendWindow) this.#send(stream, message);
    else this.#waiting.push({ stream, message: message.slice() });
    return stream;
  }

  /** Sends what was written. */
  flush(): void {
    this.#writer.flush();
  }

  /**
   * Waits until something has come and takes all that came.
   *
   * @throws {Error} when the server hangs up or breaks the protocol.
   */
  async receive(sink: CallSink): Promise<void> {
    this.#bytes.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    const count = await this.#conn.read(this.#bytes.subarray(this.#end));
    if (count === null) throw new Error("The server closed the connection");
    this.#end += count;
    while (this.#takeFrame(sink));
    this.#sendWaiting();
  }

  #takeFrame(sink: CallSink): boolean {
    const available = this.#end - this.#start;
    if (available < FRAME_HEAD_BYTES) return false;
    const length = this.#view.getUint32(this.#start) >>> 8;
    if (FRAME_HEAD_BYTES + length > READ_BYTES) throw new Error("The server sent too long a frame");
    if (available < FRAME_HEAD_BYTES + length) return false;
    const type = this.#bytes[this.#start + 3]!;
    const flags = this.#bytes[this.#start + 4]!;
    const stream = this.#view.getUint32(this.#start + 5) & WINDOW_MAX;
    const at = this.#start + FRAME_HEAD_BYTES;
    this.#start = at + length;
    this.#take(type, flags, stream, at, length, sink);
    return true;
  }

  #take(
    type: number,
    flags: number,
    stream: number,
    at: number,
    length: number,
    sink: CallSink,
  ): void {
    switch (type) {
      case FrameType.data:
        return this.#takeData(flags, stream, at, length, sink);
      case FrameType.headers:
        if (flags & END_STREAM) sink.ended(stream);
        return;
      case FrameType.settings:
        if (!(flags & ACK)) this.#write(frame(FrameType.settings, ACK, 0, new Uint8Array()));
        return;
      case FrameType.ping: {
        const payload = this.#bytes.slice(at, at + length);
        if (!(flags & ACK)) this.#write(frame(FrameType.ping, ACK, 0, payload));
        return;
      }
      case FrameType.window_update:
        if (stream === 0) this.#sendWindow += this.#view.getUint32(at) & WINDOW_MAX;
        return;
      case FrameType.rst_stream:
        return sink.ended(stream);
      case FrameType.goaway:
        throw new Error("The server says goodbye");
    }
  }

  #takeData(flags: number, stream: number, at: number, length: number, sink: CallSink): void {
    const isWhole = length >= MESSAGE_HEAD_BYTES &&
      this.#view.getUint32(at + 1) === length - MESSAGE_HEAD_BYTES;
    if (!isWhole) throw new Error("The server sent an answer in pieces");
    this.#grant(length);
    sink.answered(stream, this.#bytes.subarray(at + MESSAGE_HEAD_BYTES, at + length));
    if (flags & END_STREAM) sink.ended(stream);
  }

  #grant(length: number): void {
    this.#ungranted += length;
    if (this.#ungranted < GRANT_BYTES) return;
    this.#write(windowUpdate(this.#ungranted));
    this.#ungranted = 0;
  }

  #sendWaiting(): void {
    let sent = 0;
    for (const { stream, message } of this.#waiting) {
      if (MESSAGE_HEAD_BYTES + message.length > this.#sendWindow) break;
      this.#send(stream, message);
      sent++;
    }
    this.#waiting.splice(0, sent);
  }

  #send(stream: number, message: Uint8Array): void {
    const { out } = this.#writer;
    const headers = stream === 1 ? this.#firstHeaders : this.#laterHeaders;
    const size = MESSAGE_HEAD_BYTES + message.length;
    out.room(2 * FRAME_HEAD_BYTES + headers.length + size);
    const headersAt = putHead(
      out.view,
      out.end,
      FrameType.headers,
      END_HEADERS,
      stream,
      headers.length,
    );
    out.bytes.set(headers, headersAt);
    const dataAt = headersAt + headers.length;
    const at = putHead(out.view, dataAt, FrameType.data, END_STREAM, stream, size);
    out.view.setUint8(at, 0);
    out.view.setUint32(at + 1, message.length);
    out.bytes.set(message, at + MESSAGE_HEAD_BYTES);
    out.end = at + size;
    this.#sendWindow -= size;
  }

  #write(bytes: Uint8Array): void {
    const { out } = this.#writer;
    out.room(bytes.length);
    out.bytes.set(bytes, out.end);
    out.end += bytes.length;
  }
}

/** Writes a frame's head. Returns where its payload starts. */
function putHead(
  view: DataView,
  at: number,
  type: number,
  flags: number,
  stream: number,
  length: number,
): number {
  view.setUint32(at, (length << 8) | type);
  view.setUint8(at + 4, flags);
  view.setUint32(at + 5, stream);
  return at + FRAME_HEAD_BYTES;
}

/** A whole frame. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEAD_BYTES + payload.length);
  putHead(new DataView(bytes.buffer), 0, type, flags, stream, payload.length);
  bytes.set(payload, FRAME_HEAD_BYTES);
  return bytes;
}

function windowUpdate(bytes: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, bytes);
  return frame(FrameType.window_update, 0, 0, payload);
}

function clientSettings(): Uint8Array {
  const payload = new Uint8Array(12);
  const view = new DataView(payload.buffer);
  view.setUint16(0, SETTING_ENABLE_PUSH);
  view.setUint16(6, SETTING_INITIAL_WINDOW_SIZE);
  view.setUint32(8, WINDOW_MAX);
  return frame(FrameType.settings, 0, 0, payload);
}

/** Places in the tables that both sides keep: the static one, and the first of our own. */
const METHOD_POST = 3;
const SCHEME_HTTP = 6;
const NAME_AUTHORITY = 1;
const NAME_PATH = 4;
const NAME_CONTENT_TYPE = 31;
const OWN_ENTRIES = 62;
/** An entry of a table, by its place. */
const INDEXED = 0x80;
/** A name by its place, or 0 and a name, with a value: it goes into the table. */
const REMEMBERED = 0x40;

/** The headers of the first request of a connection, which the server remembers, and of those after it. */
function headerBlocks(authority: string, path: string): [Uint8Array, Uint8Array] {
  const fixed = [INDEXED | METHOD_POST, INDEXED | SCHEME_HTTP];
  const first = Uint8Array.from([
    ...fixed,
    ...[REMEMBERED | NAME_PATH, ...text(path)],
    ...[REMEMBERED | NAME_AUTHORITY, ...text(authority)],
    ...[REMEMBERED | NAME_CONTENT_TYPE, ...text("application/grpc")],
    ...[REMEMBERED, ...text("te"), ...text("trailers")],
  ]);
  // The newest entry comes first.
  const own = [3, 2, 1, 0].map((age) => INDEXED | (OWN_ENTRIES + age));
  return [first, Uint8Array.from([...fixed, ...own])];
}

/** A string as it is, without Huffman's code; at most 126 bytes. */
function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return Uint8Array.from([bytes.length, ...bytes]);
}
