/**
 * Taking entries into a log that may hold others in their place. What is the same is skipped, what differs is
 * cut, and only what was never committed can differ. Source: docs/decisions/0010-replication.md#adopting.
 */
import { assert } from "../../core/assert.ts";
import { type FrameAt, frameAt, hashOf, lastOpOf } from "./frames.ts";
import type { State } from "./state.ts";
import { mayCutTo } from "./store.ts";

/** What became of entries. */
export type Accepted =
  /** The log now holds them all. */
  | { readonly kind: "matched"; readonly op: bigint }
  /** The log ends before them, or holds something else before them. */
  | { readonly kind: "apart" }
  /** Not now: a write is under way, or there is no room. They will come again. */
  | { readonly kind: "later" }
  /** They are no sound entries. */
  | { readonly kind: "unsound" }
  /** A committed entry is another one here than there. */
  | { readonly kind: "diverged"; readonly op: bigint };

/**
 * Puts entries where they belong.
 *
 * @param s The replica.
 * @param prevOp The entry before the first.
 * @param prevHash Its hash in the sender's log.
 * @param frames The entries; may be none.
 * @returns What became of them.
 */
export function accept(s: State, prevOp: bigint, prevHash: bigint, frames: Uint8Array): Accepted {
  const lastOp = lastOpOf(frames, prevOp);
  if (lastOp === undefined) return { kind: "unsound" };
  const before = compare(s, prevOp, prevHash);
  if (before !== "same") {
    return before === "diverged" ? { kind: "diverged", op: prevOp } : { kind: "apart" };
  }
  if (frames.length === 0) return { kind: "matched", op: prevOp };
  return place(s, frames, lastOp);
}

/** Whether this log holds the same entry; what was removed after a checkpoint was committed, and so the same. */
export function compare(s: State, op: bigint, hash: bigint): "same" | "apart" | "diverged" {
  if (op > s.log.tipOp) return "apart";
  const own = s.log.hashAt(op);
  if (own === undefined) {
    if (op <= s.commitOp) return "same";
    // Nothing behind the commit is ever removed: it is there and cannot be read, which only mending can change.
    s.effects.push({ kind: "unreadable", op });
    return "apart";
  }
  if (own === hash) return "same";
  return op <= s.commitOp ? "diverged" : "apart";
}

function place(s: State, frames: Uint8Array, lastOp: bigint): Accepted {
  const fresh = skipSame(s, frames);
  if (fresh === undefined) return { kind: "matched", op: lastOp };
  if (fresh.op <= s.commitOp) return { kind: "diverged", op: fresh.op };
  if (fresh.op <= s.log.tipOp && !cutTo(s, fresh.op - 1n)) return { kind: "later" };
  return s.log.append(frames.subarray(fresh.at))
    ? { kind: "matched", op: lastOp }
    : { kind: "later" };
}

/**
 * Drops what the log holds above an op; never anything that is committed.
 *
 * @param s The replica.
 * @param op The last entry to keep.
 * @returns False when it has to be tried again later.
 */
export function cutTo(s: State, op: bigint): boolean {
  assert(op >= s.commitOp, "vsr/committed-is-never-cut");
  const count = Number(s.log.tipOp - op);
  if (!mayCutTo(s, op) || !s.log.cut(op)) return false;
  s.counters.entriesCut += count;
  return true;
}

/** The first entry that the log does not hold; hashes are chained, so one comparison usually covers all. */
function skipSame(s: State, frames: Uint8Array): FrameAt | undefined {
  let last: FrameAt | undefined;
  for (let at = 0; at < frames.length;) {
    const frame = frameAt(frames, at)!;
    if (frame.op > s.log.tipOp) {
      return last === undefined || isHeld(s, frames, last) ? frame : firstOther(s, frames);
    }
    last = frame;
    at = frame.end;
  }
  return isHeld(s, frames, last!) ? undefined : firstOther(s, frames);
}

function firstOther(s: State, frames: Uint8Array): FrameAt | undefined {
  for (let at = 0; at < frames.length;) {
    const frame = frameAt(frames, at)!;
    if (!isHeld(s, frames, frame)) return frame;
    at = frame.end;
  }
  return undefined;
}

function isHeld(s: State, frames: Uint8Array, frame: FrameAt): boolean {
  return compare(s, frame.op, hashOf(frames, frame)) === "same";
}
