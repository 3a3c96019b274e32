/**
 * Whether a crash explains that no frame can be read at some place. A crash leaves each 512-byte sector of
 * the last unsynced write old or new, and old means zero, because a segment is zeros until it is written.
 * Source: docs/storage.md#torn-or-damaged.
 */
import {
  checkFrameHeader,
  FRAME_BYTES_MIN,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  frameBytes,
  FrameWord,
  type LogBuffer,
  payloadBytesAt,
} from "./log_frame.ts";
import { compareU64 } from "./words.ts";

/** What a crash leaves whole. */
const SECTOR_BYTES = 512;

/** Whether every byte in [from, end) is 0; both are multiples of 4. */
export function isZero(words: Uint32Array, from: number, end: number): boolean {
  const stop = end >>> 2;
  for (let i = from >>> 2; i < stop; i++) if (words[i] !== 0) return false;
  return true;
}

/**
 * Whether a sector that was never written explains the damage to a frame.
 *
 * @param words The segment.
 * @param end Where it ends, which is where a sector ends.
 * @param at The frame's first byte.
 * @param headerSound Whether its header can be believed, and with it where the frame ends.
 * @returns True when some sector that the frame, or its header, reaches into is zero from the frame's first
 *   byte in it to its end. No frame that was written looks so: there is a magic word, payloads hold no 512
 *   zero bytes, and padding is not zero.
 */
export function isUnwritten(
  words: Uint32Array,
  end: number,
  at: number,
  headerSound: boolean,
): boolean {
  const bytes = headerSound ? frameBytes(payloadBytesAt(words, at >>> 2)) : FRAME_HEADER_BYTES;
  const stop = Math.min(at + bytes, end);
  let from = at;
  while (from < stop) {
    const sectorEnd = from - from % SECTOR_BYTES + SECTOR_BYTES;
    if (isZero(words, from, sectorEnd)) return true;
    from = sectorEnd;
  }
  return false;
}

/**
 * Searches for a later frame that proves that the frame missing at `at` had been synced.
 *
 * @param buffer The segment.
 * @param at The missing frame's first byte.
 * @param headerSound Whether its header can be believed; then its payload is not searched.
 * @param end Where the segment ends.
 * @param op The op before the missing one, a u64 at `[i]`.
 * @param i Index into `op`.
 * @returns True when there is one.
 */
export function isClaimedSynced(
  buffer: LogBuffer,
  at: number,
  headerSound: boolean,
  end: number,
  op: Uint32Array,
  i: number,
): boolean {
  const { words } = buffer;
  const from = at + (headerSound ? frameBytes(payloadBytesAt(words, at >>> 2)) : 8);
  for (let next = from; next <= end - FRAME_BYTES_MIN; next += 8) {
    const w = next >>> 2;
    if (words[w + FrameWord.magic] !== FRAME_MAGIC) continue;
    if (checkFrameHeader(buffer, next, end, end) !== undefined) continue;
    const claim = w + FrameWord.synced;
    if (compareU64(words, claim, op, i) <= 0) continue;
    if (compareU64(words, claim, words, w + FrameWord.op) < 0) return true;
  }
  return false;
}
