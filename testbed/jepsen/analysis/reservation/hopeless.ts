/** Answers that no later state can give any more: what has come to be stays, and what has ended stays ended. */
import { fitsHere, isEnded, liveAt, NOT_FOUND } from "./answers.ts";
import { type Layout, statusOf } from "./configuration.ts";
import type { Work } from "./problem.ts";
import type { Board } from "./schedule.ts";
import { ABSENT, Code, Kind, Status } from "./words.ts";

/** Whether `work`, which has not happened, can never be answered as it was from here on; `now` as for `fitsHere`. */
export function isHopeless(board: Board, words: Int32Array, work: Work, now: number): boolean {
  const { layout } = board;
  switch (work.kind) {
    case Kind.conflict:
      return false;
    case Kind.create:
      return work.code === Code.ok && isThere(layout, words, work);
    case Kind.reserve:
      return work.code === Code.resource_not_found && isThere(layout, words, work);
    case Kind.readResource:
      return work.seen === NOT_FOUND && isThere(layout, words, work);
    default:
      return isTooLate(board, words, work, now);
  }
}

function isThere(layout: Layout, words: Int32Array, { members }: Work): boolean {
  return members.every((member) => words[layout.currentAt + member] !== ABSENT);
}

/** Of what names a reservation, once that has come to be. */
function isTooLate(board: Board, words: Int32Array, work: Work, now: number): boolean {
  const at = liveAt(board.layout, words, work);
  if (at < 0) return false;
  if (work.seen === NOT_FOUND || work.code === Code.reservation_not_found) return true;
  const status = statusOf(words, board.layout, work.claims[at]!);
  if (isEnded(status)) return !fitsHere(board, words, work, now);
  if (work.code !== Code.ok) return false;
  return work.kind === Kind.confirm
    ? status >= Status.confirmed
    : work.kind !== Kind.reclaim && status >= Status.revoking;
}
