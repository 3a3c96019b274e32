/** Frames back to back in a buffer: walking along them, and checking those that come from elsewhere. */
import {
  checkFrameHeader,
  checkFramePayload,
  FRAME_BYTES_MIN,
  frameBytes,
  type FrameError,
  FrameWord,
  type LogBuffer,
  payloadBytesAt,
} from "./log_frame.ts";
import { checkFollows, moveTip, type OrderError, type Tip } from "./log_tip.ts";

/** A frame of a run that must not be taken: where in the run, in bytes, and why. */
export interface RunError {
  readonly at: number;
  readonly error: FrameError | OrderError;
}

/**
 * Walks along frames that are known to be sound.
 *
 * @param words Holds them.
 * @param at First byte of one.
 * @param count How many frames to pass; there are so many.
 * @returns The offset behind the last one passed.
 */
export function passFrames(words: Uint32Array, at: number, count: number): number {
  let next = at;
  for (let i = 0; i < count; i++) next += frameBytes(payloadBytesAt(words, next >>> 2));
  return next;
}

/**
 * Checks that a run is nothing but sound frames that follow a tip and each other.
 *
 * @param buffer Holds the run.
 * @param at Its first byte; a multiple of 8.
 * @param end One past its last byte.
 * @param tip The frame before it; moved on to the last sound frame.
 * @param payloadBytesMax Largest payload to accept.
 * @returns What is wrong with the first frame that is not, or `undefined`.
 */
export function checkRun(
  buffer: LogBuffer,
  at: number,
  end: number,
  tip: Tip,
  payloadBytesMax: number,
): RunError | undefined {
  for (let next = at; next < end;) {
    const w = next >>> 2;
    const error = checkFrameHeader(buffer, next, end, payloadBytesMax) ??
      checkFollows(tip, buffer.words, w) ??
      checkFramePayload(buffer, next);
    if (error !== undefined) return { at: next - at, error };
    moveTip(tip, buffer.words, w);
    next += frameBytes(payloadBytesAt(buffer.words, w));
  }
  return undefined;
}

/** What the headers of a run say, before anything of it has been checked. */
export interface RunSpan {
  readonly firstOp: bigint;
  /** Below `firstOp` when the run is empty. */
  readonly lastOp: bigint;
  /** The chain hash that its first frame names as that of its predecessor. */
  readonly previousHash: bigint;
}

/**
 * Reads which ops a run of frames from elsewhere claims to hold. Only lengths are believed, and only within its bytes.
 *
 * @param run Bytes at any offset.
 * @returns The span, or `undefined` when these are no frames, or none.
 */
export function runSpan(run: Uint8Array): RunSpan | undefined {
  const view = new DataView(run.buffer, run.byteOffset, run.byteLength);
  let last = -1;
  for (let at = 0; at < run.length; at = runNext(view, at)) {
    if (runNext(view, at) > run.length) return undefined;
    last = at;
  }
  if (last < 0) return undefined;
  return {
    firstOp: view.getBigUint64(FrameWord.op * 4, true),
    lastOp: view.getBigUint64(last + FrameWord.op * 4, true),
    previousHash: view.getBigUint64(FrameWord.previousHash * 4, true),
  };
}

/**
 * The rest of a run behind an op.
 *
 * @param run As for {@linkcode runSpan}, which has found frames in it.
 * @param op Frames up to this op are left out.
 * @returns A part of the same memory; empty when nothing is left.
 */
export function runAfter(run: Uint8Array, op: bigint): Uint8Array {
  const view = new DataView(run.buffer, run.byteOffset, run.byteLength);
  let at = 0;
  while (at < run.length && view.getBigUint64(at + FrameWord.op * 4, true) <= op) {
    at = runNext(view, at);
  }
  return run.subarray(at);
}

/** Where the frame at `at` says that it ends; past the end when not even its header is there. */
function runNext(view: DataView, at: number): number {
  if (view.byteLength - at < FRAME_BYTES_MIN) return Infinity;
  const word = view.getUint32(at + FrameWord.kindAndLength * 4, true);
  return at + frameBytes(word & 0xff_ffff);
}
