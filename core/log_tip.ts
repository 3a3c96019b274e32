/**
 * Where a log ends: the op, lsn, slot, view and chain hash of its last frame, which decide what the next
 * frame must look like. A tip is 10 words, so that it can be moved on without making an object.
 */
import { FrameKind, FrameWord } from "./log_frame.ts";
import { chainHash } from "./log_hash.ts";
import { compareU64, copyU64, equalU64, isZeroU64 } from "./words.ts";

/** Word offsets of the u64 in a tip. */
export const TipWord = { op: 0, lsn: 2, slot: 4, view: 6, hash: 8 } as const;

/** Words of a tip. */
export const TIP_WORDS = 10;

/** The end of a log, laid out by {@linkcode TipWord}. Before the first frame all but the hash is 0. */
export type Tip = Uint32Array;

/** A sound frame that does not follow from the one before. */
export type OrderError =
  | "non_contiguous_op"
  | "non_contiguous_lsn"
  | "rewound_request_slot"
  | "rewound_view"
  | "invalid_synced_op"
  | "broken_hash_chain";

/** A tip of zeros. */
export function createTip(): Tip {
  return new Uint32Array(TIP_WORDS);
}

/** Whether two tips are the same end of the same history. */
export function equalTips(a: Tip, b: Tip): boolean {
  for (let i = 0; i < TIP_WORDS; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Moves a tip on by one frame.
 *
 * @param tip The end of the log; becomes the frame's own.
 * @param words Holds the frame.
 * @param w The frame's first word.
 */
export function moveTip(tip: Tip, words: Uint32Array, w: number): void {
  copyU64(tip, TipWord.op, words, w + FrameWord.op);
  copyU64(tip, TipWord.lsn, words, w + FrameWord.lsn);
  copyU64(tip, TipWord.slot, words, w + FrameWord.slot);
  copyU64(tip, TipWord.view, words, w + FrameWord.view);
  chainHash(words, w, tip, TipWord.hash);
}

/**
 * Checks that a frame is the one that comes after a tip. Only its header is read.
 *
 * @param tip The end of the log.
 * @param words Holds the frame.
 * @param w The frame's first word.
 * @returns The first rule it breaks, or `undefined`.
 */
export function checkFollows(tip: Tip, words: Uint32Array, w: number): OrderError | undefined {
  if (!isNext(words, w + FrameWord.op, tip, TipWord.op)) return "non_contiguous_op";
  if (!followsLsn(tip, words, w)) return "non_contiguous_lsn";
  if (compareU64(words, w + FrameWord.slot, tip, TipWord.slot) < 0) return "rewound_request_slot";
  const view = w + FrameWord.view;
  if (isZeroU64(words, view) || compareU64(words, view, tip, TipWord.view) < 0) {
    return "rewound_view";
  }
  if (compareU64(words, w + FrameWord.synced, words, w + FrameWord.op) >= 0) {
    return "invalid_synced_op";
  }
  return equalU64(words, w + FrameWord.previousHash, tip, TipWord.hash)
    ? undefined
    : "broken_hash_chain";
}

/** A command takes the next lsn; a frame of any other kind repeats the last. */
function followsLsn(tip: Tip, words: Uint32Array, w: number): boolean {
  const kind = words[w + FrameWord.kindAndLength]! >>> 24;
  return kind <= FrameKind.internal_command
    ? isNext(words, w + FrameWord.lsn, tip, TipWord.lsn)
    : equalU64(words, w + FrameWord.lsn, tip, TipWord.lsn);
}

/** Whether `a` is `b` + 1, without a place to put the sum; never for the largest `b`. */
function isNext(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  const low = (b[j]! + 1) >>> 0;
  const carry = low === 0 ? 1 : 0;
  return a[i] === low && a[i + 1] === b[j + 1]! + carry;
}
