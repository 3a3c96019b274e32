import {
  createLogBuffer,
  frameBytes,
  type FrameKind,
  type LogBuffer,
  putFrame,
  sealFrame,
} from "../../core/log_frame.ts";
import { passFrames } from "../../core/log_run.ts";
import { createTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";

const FIRST_BYTES = 65_536;

/** Frames of one flush, back to back from the buffer's first byte. To read. */
export interface FlushedBatch {
  readonly buffer: LogBuffer;
  /** Bytes of the frames. */
  readonly bytes: number;
  readonly firstOp: bigint;
  readonly lastOp: bigint;
  /** The frame before the first. */
  readonly base: Tip;
  /** The last frame. */
  readonly tip: Tip;
}

/** Frames that wait for one write, or that were in one. Its memory grows up to a bound and is used again and again. */
export class LogBatch implements FlushedBatch {
  bytes = 0;
  /** Set by {@linkcode LogBatch.seal}. */
  firstOp = 0n;
  /** Set by {@linkcode LogBatch.seal}. */
  lastOp = 0n;
  readonly base: Tip = createTip();
  /** Set by {@linkcode LogBatch.seal}. */
  readonly tip: Tip = createTip();
  readonly #bytesMax: number;
  #buffer: LogBuffer;

  /**
   * @param bytesMax Most bytes of frames; a multiple of 8.
   */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#buffer = createLogBuffer(Math.min(FIRST_BYTES, bytesMax));
  }

  /** Its memory; frames stay in it until the batch is used again. */
  get buffer(): LogBuffer {
    return this.#buffer;
  }

  /** Begins anew behind a frame. */
  start(base: Tip): void {
    this.bytes = 0;
    this.base.set(base);
  }

  /** Whether so many bytes of frames still have room. */
  hasRoom(bytes: number): boolean {
    return this.bytes + bytes <= this.#bytesMax;
  }

  /**
   * Adds a frame that has room.
   *
   * @param kind What the payload is.
   * @param fields As for {@linkcode putFrame}.
   * @param payload Holds the payload.
   * @param from The payload's first byte.
   * @param length The payload's bytes.
   * @returns Where the frame starts in the batch, in bytes.
   */
  put(
    kind: FrameKind,
    fields: Uint32Array,
    payload: DataView,
    from: number,
    length: number,
  ): number {
    const at = this.bytes;
    this.#reserve(at + frameBytes(length));
    this.bytes = putFrame(this.#buffer, at, kind, fields, payload, from, length);
    return at;
  }

  /**
   * Copies sealed frames that have room behind the last, where they can be looked at. They belong to the batch only once
   * `bytes` says so.
   *
   * @param frames Their bytes, at any offset.
   * @returns Where they end in the batch.
   */
  copyIn(frames: Uint8Array): number {
    const end = this.bytes + frames.length;
    this.#reserve(end);
    this.#buffer.bytes.set(frames, this.bytes);
    return end;
  }

  /**
   * Completes all frames and answers their bytes.
   *
   * @param synced The last op known to be durable, a u64 in words 0 and 1.
   * @param tip The last frame.
   * @returns The batch's memory: valid until {@linkcode LogBatch.start}.
   */
  seal(synced: Uint32Array, tip: Tip): Uint8Array {
    for (let at = 0; at < this.bytes;) at = sealFrame(this.#buffer, at, synced, 0);
    this.tip.set(tip);
    this.firstOp = readU64(this.base, TipWord.op) + 1n;
    this.lastOp = readU64(tip, TipWord.op);
    return this.#buffer.bytes.subarray(0, this.bytes);
  }

  /**
   * Where a frame starts.
   *
   * @param op Between its first op and the one after its last.
   * @returns The frame's first byte.
   */
  offsetOf(op: bigint): number {
    const count = Number(op - readU64(this.base, TipWord.op)) - 1;
    return passFrames(this.#buffer.words, 0, count);
  }

  /**
   * Drops every frame behind an op.
   *
   * @param tip The last frame to keep: its base, or one of its own.
   */
  cut(tip: Tip): void {
    const op = readU64(tip, TipWord.op);
    this.bytes = this.offsetOf(op + 1n);
    this.lastOp = op;
    this.tip.set(tip);
  }

  #reserve(bytes: number): void {
    let length = this.#buffer.bytes.length;
    if (bytes <= length) return;
    while (length < bytes) length = Math.min(length * 2, this.#bytesMax);
    const larger = createLogBuffer(length);
    larger.bytes.set(this.#buffer.bytes.subarray(0, this.bytes));
    this.#buffer = larger;
  }
}
