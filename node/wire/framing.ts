/**
 * Frames on a byte stream: a 12-byte header and a body. Source: docs/wire.md#frame.
 * Header, big-endian: 0 u32 body bytes, 4 u8 version, 5 three bytes of 0, 8 u32 CRC-32C of the body.
 */
import { crc32c } from "../../core/crc32c.ts";
import { PROTOCOL_VERSION, type WireErrorCode } from "./messages.ts";

/** Bytes before every body. */
export const FRAME_HEADER_BYTES = 12;

/** Largest body a side accepts unless told otherwise. */
export const DEFAULT_MAX_FRAME_BYTES = 0x10_0000;

/** A reader starts with this much and comes back to it when it has been quiet. */
const READ_BUFFER_BYTES = 0x4000;
/** Above this the buffer grows only for a frame that needs it. */
const READ_BUFFER_BYTES_COMFORTABLE = 0x4_0000;
/** Reads in a row that would have fitted the small buffer before a large one is let go. */
const QUIET_READS = 1_000;

/** What a reader found where a frame should start. */
export type FrameStatus =
  | "frame"
  /** Not all of it is here yet. */
  | "incomplete"
  | Extract<
    WireErrorCode,
    "frame_too_large" | "unsupported_version" | "malformed_header" | "checksum_mismatch"
  >;

/**
 * Completes the header of a frame whose body is in place.
 *
 * @param bytes The buffer.
 * @param view The same memory.
 * @param at Where the header starts, {@linkcode FRAME_HEADER_BYTES} before the body.
 * @param end One past the body.
 */
export function writeFrameHeader(bytes: Uint8Array, view: DataView, at: number, end: number): void {
  const body = at + FRAME_HEADER_BYTES;
  view.setUint32(at, end - body);
  view.setUint32(at + 4, PROTOCOL_VERSION << 24);
  view.setUint32(at + 8, crc32c(bytes, body, end));
}

/**
 * Finds frames in a stream, in one buffer that is used again and again. A body is valid until the next
 * call of {@linkcode FrameReader.space}. Memory grows with what arrived, never with what was announced.
 */
export class FrameReader {
  /** The buffer; replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(READ_BUFFER_BYTES);
  /** The same memory. */
  view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);
  /** Where the body of the current frame starts. */
  bodyStart = 0;
  /** One past the body of the current frame. */
  bodyEnd = 0;
  #start = 0;
  #end = 0;
  #wasFull = false;
  #quietReads = 0;

  /** Largest body to accept. */
  maxFrameBytes: number;

  /** @param maxFrameBytes Largest body to accept. */
  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Bytes that arrived and belong to no frame taken yet. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Where the next bytes of the stream go. Invalidates every body. */
  space(): Uint8Array<ArrayBuffer> {
    if (this.#start < this.#end) this.#compact();
    else this.#rewind();
    const size = this.bytes.length;
    if (this.#end === size || (this.#wasFull && size < READ_BUFFER_BYTES_COMFORTABLE)) {
      this.#resize(size * 2);
    }
    this.#wasFull = false;
    return this.#end === 0 ? this.bytes : this.bytes.subarray(this.#end);
  }

  /** Takes note of bytes written into {@linkcode FrameReader.space}. */
  received(count: number): void {
    this.#end += count;
    this.#wasFull = this.#end === this.bytes.length;
    this.#quietReads = this.#end > READ_BUFFER_BYTES ? 0 : this.#quietReads + 1;
  }

  /**
   * Moves on to the next frame.
   *
   * @returns `frame` with the body's place set, `incomplete`, or what is wrong: then nothing behind it
   * in the stream can be trusted.
   */
  next(): FrameStatus {
    const { view } = this;
    const at = this.#start;
    const available = this.#end - at;
    // A wrong version is known from the fifth byte on: a stranger is told before it says more.
    if (available >= 5 && view.getUint8(at + 4) !== PROTOCOL_VERSION) return "unsupported_version";
    if (available < FRAME_HEADER_BYTES) return "incomplete";
    if ((view.getUint32(at + 4) & 0xff_ffff) !== 0) return "malformed_header";
    const length = view.getUint32(at);
    if (length > this.maxFrameBytes) return "frame_too_large";
    if (available < FRAME_HEADER_BYTES + length) return "incomplete";
    this.bodyStart = at + FRAME_HEADER_BYTES;
    this.bodyEnd = this.bodyStart + length;
    if (crc32c(this.bytes, this.bodyStart, this.bodyEnd) !== view.getUint32(at + 8)) {
      return "checksum_mismatch";
    }
    this.#start = this.bodyEnd;
    return "frame";
  }

  #rewind(): void {
    this.#start = 0;
    this.#end = 0;
    const isLarge = this.bytes.length > READ_BUFFER_BYTES;
    if (isLarge && this.#quietReads > QUIET_READS) this.#resize(READ_BUFFER_BYTES);
  }

  #compact(): void {
    if (this.#start === 0) return;
    this.bytes.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #resize(size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.bytes.subarray(0, this.#end));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
