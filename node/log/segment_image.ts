import { createLogBuffer, type LogBuffer } from "../../core/log_frame.ts";
import type { DiskFile } from "../disk.ts";

/** Read at once. */
const PIECE_BYTES = 0x10_0000;

/**
 * One segment after the other in the same memory. A young segment is mostly zeros, and zeros that nobody writes take
 * no memory: what reads as zero is not copied, so that a start does not leave a whole segment's memory in use.
 */
export class SegmentImage {
  readonly buffer: LogBuffer;
  readonly #piece: Uint8Array<ArrayBuffer>;
  /** Behind it all is zero. */
  #usedBytes = 0;

  /**
   * @param bytesMax Length of the longest segment, a multiple of 8.
   */
  constructor(bytesMax: number) {
    this.buffer = createLogBuffer(bytesMax);
    this.#piece = new Uint8Array(Math.min(PIECE_BYTES, bytesMax));
  }

  /**
   * Takes a segment in.
   *
   * @param file The segment.
   * @param bytes Its length.
   * @returns How much of that the file has.
   * @throws {DiskFault} When it cannot be read.
   */
  load(file: DiskFile, bytes: number): number {
    for (let at = 0; at < bytes;) {
      const piece = this.#piece.subarray(0, Math.min(this.#piece.length, bytes - at));
      const filled = file.read(at, piece);
      this.#place(at, piece.subarray(0, filled));
      at += filled;
      if (filled < piece.length) return at;
    }
    return bytes;
  }

  #place(at: number, piece: Uint8Array): void {
    const end = at + piece.length;
    if (isZero(piece)) {
      if (at < this.#usedBytes) this.buffer.bytes.fill(0, at, end);
      return;
    }
    this.buffer.bytes.set(piece, at);
    this.#usedBytes = Math.max(this.#usedBytes, end);
  }
}

/** Words first: there are a quarter of a million of them in a piece. */
function isZero(piece: Uint8Array): boolean {
  const words = new Int32Array(piece.buffer, piece.byteOffset, piece.length >>> 2);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  for (let i = words.length * 4; i < piece.length; i++) if (piece[i] !== 0) return false;
  return true;
}
