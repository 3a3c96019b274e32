/** What operations do to a configuration. The rules are those of docs/semantics.md#life-cycle. */
import { answerOf, fitsHere, isEnded, liveAt } from "./answers.ts";
import { hasBit, type Layout, setBit, setStatus, statusOf } from "./configuration.ts";
import { type Problem, SLOT_MAX, type Work } from "./problem.ts";
import type { Board } from "./schedule.ts";
import { AVAILABLE, Code, Kind, Status } from "./words.ts";

/**
 * What comes of an operation that happens here.
 *
 * @param claim Of a reserve, the claim that it makes; else ignored.
 * @param position Where in the schedule this is.
 * @returns New words, or undefined if it cannot happen here as it was answered, or would change nothing.
 */
export function happen(
  board: Board,
  words: Int32Array,
  work: Work,
  claim: number,
  position: number,
): Int32Array | undefined {
  const { problem, layout } = board;
  if (work.group >= 0 && words[layout.groupAt + work.group] !== 0) return undefined;
  const code = answerOf(board, words, work);
  if (code !== Code.ok || (work.code !== Code.ok && work.code !== Code.unknown)) {
    return refuse(board, words, work);
  }
  if (work.kind === Kind.reserve && !slotFits(problem, layout, words, claim)) return undefined;
  const next = marked(board, words, work);
  if (work.kind === Kind.create) {
    next[layout.currentAt + work.members[0]!] = AVAILABLE;
  } else if (work.kind === Kind.reserve) {
    hold(board, next, claim, position);
  } else {
    move(board, next, work.claims[liveAt(layout, words, work)]!, GOES_TO[work.kind]!, position);
  }
  return next;
}

/** What comes of the expiration of a claim: undefined when it is not held for a limited time. */
export function expire(
  board: Board,
  words: Int32Array,
  claim: number,
  position: number,
): Int32Array | undefined {
  const { problem, layout } = board;
  if (statusOf(words, layout, claim) !== Status.reserved) return undefined;
  const { members, ttl } = problem.claims[claim]!;
  const next = words.slice();
  // Members have kept the slot of the reserve: nothing else with a slot can have happened to them.
  for (const member of members) {
    const at = layout.floorAt + member;
    if (problem.isOpenBelow && next[at] === 0) continue;
    next[at] = Math.min(next[at]! + ttl, SLOT_MAX);
  }
  move(board, next, claim, Status.expired, position);
  return next;
}

/** Forgets what nobody asks about after `work` has been answered, so that equal futures look equal. */
export function forget(board: Board, words: Int32Array, work: Work, position: number): void {
  const { layout, lastNamedAt, lastVersionAt } = board;
  for (const claim of work.claims) {
    if (lastNamedAt[claim]! > position) continue;
    if (isEnded(statusOf(words, layout, claim))) setStatus(words, layout, claim, Status.none);
  }
  if (work.kind !== Kind.readResource) return;
  const resource = work.members[0]!;
  if (lastVersionAt[resource]! <= position) words[layout.versionAt + resource] = 0;
}

/** Where a work is in the schedule. */
export const Phase = { before: 0, open: 1, answered: 2 } as const;

/** Whether what a fenced read must come after has happened. */
export function isFenceMet(
  { doneBits }: Board,
  words: Int32Array,
  work: Work,
  phases: Uint8Array,
): boolean {
  return work.after.every((other) =>
    phases[other] === Phase.answered ||
    (phases[other] === Phase.open && hasBit(words, 0, doneBits[other]!))
  );
}

/** Who has happened, apart from what it has done. */
function marked({ layout, doneBits }: Board, words: Int32Array, work: Work): Int32Array {
  const next = words.slice();
  if (work.group >= 0) next[layout.groupAt + work.group] = work.variant;
  if (doneBits[work.index]! >= 0) setBit(next, 0, doneBits[work.index]!);
  if (work.usedBit >= 0) setBit(next, layout.usedAt, work.usedBit);
  return next;
}

/** A refusal changes nothing but who owns a key that several commands use. */
function refuse(board: Board, words: Int32Array, work: Work): Int32Array | undefined {
  if (work.group < 0) return undefined;
  if (work.code !== Code.unknown && !fitsHere(board, words, work)) return undefined;
  return marked(board, words, work);
}

const GOES_TO: readonly number[] = [
  Status.none,
  Status.reserved,
  Status.confirmed,
  Status.released,
  Status.revoking,
  Status.revoked,
];

function slotFits(problem: Problem, layout: Layout, words: Int32Array, claim: number): boolean {
  const { slot, members } = problem.claims[claim]!;
  return slot < 0 || members.every((member) => words[layout.floorAt + member]! <= slot);
}

function hold(board: Board, words: Int32Array, claim: number, position: number): void {
  const { problem, layout } = board;
  const { members, slot } = problem.claims[claim]!;
  let floor = slot;
  if (slot < 0) {
    for (const member of members) floor = Math.max(floor, words[layout.floorAt + member]!);
  }
  for (const member of members) words[layout.floorAt + member] = floor;
  move(board, words, claim, Status.reserved, position);
}

function move(
  { problem, layout, lastNamedAt, lastVersionAt }: Board,
  words: Int32Array,
  claim: number,
  status: number,
  position: number,
): void {
  const ends = isEnded(status);
  const isForgotten = ends && lastNamedAt[claim]! < position;
  setStatus(words, layout, claim, isForgotten ? Status.none : status);
  for (const member of problem.claims[claim]!.members) {
    words[layout.currentAt + member] = ends ? AVAILABLE : claim;
    if (lastVersionAt[member]! >= position) words[layout.versionAt + member]!++;
  }
}
