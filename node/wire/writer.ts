/** Writes the CBOR profile of the wire, frame by frame, into one growing buffer. Source: docs/wire.md#profile. */
import { FRAME_HEADER_BYTES, writeFrameHeader } from "./framing.ts";

const UTF_8 = new TextEncoder();
const WRITE_BUFFER_BYTES = 0x400;

/**
 * Frames in the making. The methods write at `end` and move it; whoever writes through `view` itself
 * asks for room first and sets `end`.
 */
export class WireWriter {
  /** The buffer; replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(WRITE_BUFFER_BYTES);
  /** The same memory. */
  view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);
  /** One past the last byte written. */
  end = 0;

  /** Makes sure that `count` bytes fit behind `end`. */
  room(count: number): void {
    const needed = this.end + count;
    if (needed <= this.bytes.length) return;
    const bytes = new Uint8Array(2 ** Math.ceil(Math.log2(needed)));
    bytes.set(this.bytes.subarray(0, this.end));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** Forgets the content, and the buffer too when it has grown above `keepBytes`. */
  clear(keepBytes: number): void {
    this.end = 0;
    if (this.bytes.length <= keepBytes) return;
    this.bytes = new Uint8Array(WRITE_BUFFER_BYTES);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Starts a frame; what it answers goes to {@linkcode WireWriter.endFrame}. */
  beginFrame(): number {
    this.room(FRAME_HEADER_BYTES);
    const at = this.end;
    this.end += FRAME_HEADER_BYTES;
    return at;
  }

  /** Completes the frame that started at `at`. */
  endFrame(at: number): void {
    writeFrameHeader(this.bytes, this.view, at, this.end);
  }

  /** The head of an array of up to 65,535 elements. */
  array(count: number): void {
    this.#head(0x80, count);
  }

  /** An enumeration, a message type or a flag: 0 to 23. */
  small(value: number): void {
    this.room(1);
    this.view.setUint8(this.end++, value);
  }

  /** A number from 24 to 255: always 2 bytes. */
  byte(value: number): void {
    this.room(2);
    this.view.setUint16(this.end, 0x1800 | value);
    this.end += 2;
  }

  /** A flag: 0 or 1. */
  flag(value: boolean): void {
    this.small(value ? 1 : 0);
  }

  /** Nothing. */
  nil(): void {
    this.room(1);
    this.view.setUint8(this.end++, 0xf6);
  }

  /** Any other number, always 9 bytes. A `number` must be whole and not negative. */
  u64(value: bigint | number): void {
    this.room(9);
    this.view.setUint8(this.end, 0x1b);
    this.view.setBigUint64(this.end + 1, BigInt(value));
    this.end += 9;
  }

  /** A number or nothing. */
  optionalU64(value: bigint | number | undefined): void {
    if (value === undefined) this.nil();
    else this.u64(value);
  }

  /** A 128-bit id, always 17 bytes. */
  id(value: bigint): void {
    this.room(17);
    this.view.setUint8(this.end, 0x50);
    this.view.setBigUint64(this.end + 1, value >> 64n);
    this.view.setBigUint64(this.end + 9, value);
    this.end += 17;
  }

  /** A 128-bit id or nothing. */
  optionalId(value: bigint | undefined): void {
    if (value === undefined) this.nil();
    else this.id(value);
  }

  /** 16 bytes as they are. */
  bytes16(value: Uint8Array): void {
    this.room(17);
    this.view.setUint8(this.end, 0x50);
    this.bytes.set(value.subarray(0, 16), this.end + 1);
    this.end += 17;
  }

  /** A byte string, copied. */
  byteString(value: Uint8Array): void {
    if (value.length < 0x1_0000) this.#head(0x40, value.length);
    else {
      this.room(5);
      this.view.setUint8(this.end, 0x5a);
      this.view.setUint32(this.end + 1, value.length);
      this.end += 5;
    }
    this.room(value.length);
    this.bytes.set(value, this.end);
    this.end += value.length;
  }

  /** A text, cut at `maxBytes` between two characters. */
  text(value: string, maxBytes: number): void {
    const encoded = UTF_8.encode(value.slice(0, maxBytes));
    let length = Math.min(encoded.length, maxBytes);
    while (length < encoded.length && (encoded[length]! & 0xc0) === 0x80) length--;
    this.#head(0x60, length);
    this.room(length);
    this.bytes.set(encoded.subarray(0, length), this.end);
    this.end += length;
  }

  #head(major: number, count: number): void {
    this.room(3);
    if (count < 24) this.view.setUint8(this.end++, major + count);
    else if (count < 0x100) {
      this.view.setUint16(this.end, ((major + 24) << 8) | count);
      this.end += 2;
    } else {
      this.view.setUint8(this.end, major + 25);
      this.view.setUint16(this.end + 1, count);
      this.end += 3;
    }
  }
}
