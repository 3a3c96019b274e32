/** Frames back to back in a buffer: walking along them, and checking those that come from elsewhere. */
import {
  checkFrameHeader,
  checkFramePayload,
  frameBytes,
  type FrameError,
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
