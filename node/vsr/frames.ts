/** Reading the frames of a message just far enough to place them in a log. They are checked when they are appended. */
import {
  createLogBuffer,
  FRAME_BYTES_MIN,
  frameBytes,
  FrameWord,
  payloadBytesAt,
} from "../../core/log_frame.ts";
import { chainHash } from "../../core/log_hash.ts";
import { readU64 } from "../../core/words.ts";

/** Payload bytes in the word that also holds the kind. */
const PAYLOAD_BYTES = 0xff_ffff;

/** One frame inside a message. */
export interface FrameAt {
  readonly at: number;
  readonly end: number;
  readonly op: bigint;
}

/** The bytes of a frame that starts at `at`, or `undefined` when no whole frame can be there. */
export function frameAt(frames: Uint8Array, at: number): FrameAt | undefined {
  if (frames.length - at < FRAME_BYTES_MIN) return undefined;
  const view = new DataView(frames.buffer, frames.byteOffset + at);
  const payloadBytes = view.getUint32(FrameWord.kindAndLength * 4, true) & PAYLOAD_BYTES;
  const end = at + frameBytes(payloadBytes);
  if (end > frames.length) return undefined;
  return { at, end, op: view.getBigUint64(FrameWord.op * 4, true) };
}

/** The hash that the first frame names as that of its predecessor. */
export function previousHashOf(frames: Uint8Array): bigint {
  const view = new DataView(frames.buffer, frames.byteOffset);
  return view.getBigUint64(FrameWord.previousHash * 4, true);
}

/** The chain hash of a frame. */
export function hashOf(frames: Uint8Array, frame: FrameAt): bigint {
  const copy = createLogBuffer(frame.end - frame.at);
  copy.bytes.set(frames.subarray(frame.at, frame.end));
  const hash = new Uint32Array(2);
  if (payloadBytesAt(copy.words, 0) > copy.bytes.length) return 0n;
  chainHash(copy.words, 0, hash, 0);
  return readU64(hash, 0);
}

/**
 * The op of the last frame, if the frames are whole and their ops go up by one.
 *
 * @param frames Frames back to back.
 * @param prevOp The op before the first.
 * @returns The last op, `prevOp` for no frames, or `undefined` when they are no such sequence.
 */
export function lastOpOf(frames: Uint8Array, prevOp: bigint): bigint | undefined {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.length);
  let op = prevOp;
  for (let at = 0; at < frames.length;) {
    if (frames.length - at < FRAME_BYTES_MIN) return undefined;
    op++;
    if (view.getBigUint64(at + FrameWord.op * 4, true) !== op) return undefined;
    at += frameBytes(view.getUint32(at + FrameWord.kindAndLength * 4, true) & PAYLOAD_BYTES);
    if (at > frames.length) return undefined;
  }
  return op;
}
