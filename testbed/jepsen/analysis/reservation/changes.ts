/** What operations do to a configuration. The rules are those of docs/semantics.md#life-cycle. */
import { answerOf, fitsHere, isEnded, liveAt, slotFor } from "./answers.ts";
import { hasBit, type Layout, setBit, setStatus, statusOf } from "./configuration.ts";
import { SLOT_MAX, type Work } from "./problem.ts";
import type { Board } from "./schedule.ts";
import { AVAILABLE, Code, Kind, Status } from "./words.ts";

/**
 * What comes of an operation that happens here.
 *
 * @param claim Of a reserve, the claim that it makes; else ignored.
 * @param position Where in the schedule this is.
 * @param now Where in the history, for attempts that begin later.
 * @returns New words, or undefined if it cannot happen here as it was answered, or would change nothing.
 */
export function happen(
  board: Board,
  words: Int32Array,
  work: Work,
  claim: number,
  position: number,
  now: number,
): Int32Array | undefined {
  const { layout } = board;
  if (work.group >= 0 && words[layout.groupAt + work.group] !== 0) return undefined;
  const code = answerOf(board, words, work);
  if (code !== Code.ok || (work.code !== Code.ok && work.code !== Code.unknown)) {
    return refuse(board, words, work, now);
  }
  const slot = work.kind === Kind.reserve
    ? reserveSlot(board, words, work, claim, now)
    : slotFor(board, words, work, now);
  if (slot < 0) return undefined;
  const next = marked(board, words, work);
  if (work.kind === Kind.reserve) {
    hold(board, next, claim, slot, position);
    return next;
  }
  const isCreate = work.kind === Kind.create;
  const moved = isCreate ? -1 : work.claims[liveAt(layout, words, work)]!;
  const members = isCreate ? work.members : board.problem.claims[moved]!.members;
  if (work.slots !== undefined) raise(layout, next, members, slot);
  if (isCreate) next[layout.currentAt + members[0]!] = AVAILABLE;
  else move(board, next, moved, GOES_TO[work.kind]!, position);
  return next;
}

function raise(
  { floorAt }: Layout,
  words: Int32Array,
  members: readonly number[],
  slot: number,
): void {
  for (const member of members) {
    words[floorAt + member] = Math.max(words[floorAt + member]!, slot);
  }
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
  for (const member of members) {
    const since = next[layout.sinceAt + member]!;
    if (problem.isOpenBelow && since === 0) continue;
    raise(layout, next, [member], Math.min(since + ttl, SLOT_MAX));
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
  { problem: { after }, doneBits }: Board,
  words: Int32Array,
  work: Work,
  phases: Uint8Array,
): boolean {
  for (const other of after[work.index]!) {
    if (phases[other] === Phase.answered) continue;
    if (phases[other] !== Phase.open || !hasBit(words, 0, doneBits[other]!)) return false;
  }
  return true;
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
function refuse(
  board: Board,
  words: Int32Array,
  work: Work,
  now: number,
): Int32Array | undefined {
  if (work.group < 0) return undefined;
  if (work.code !== Code.unknown && !fitsHere(board, words, work, now)) return undefined;
  if (slotFor(board, words, work, now) < 0) return undefined;
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

/** The slot at which a reserve makes a claim here, -1 when there is none. */
function reserveSlot(
  board: Board,
  words: Int32Array,
  work: Work,
  claim: number,
  now: number,
): number {
  const { slot, members } = board.problem.claims[claim]!;
  if (slot < 0) return slotFor(board, words, work, now);
  if (members.some((member) => words[board.layout.floorAt + member]! > slot)) return -1;
  const { slots } = work;
  const isAsked = slots === undefined ||
    slots.some((choice) => choice.from <= now && (choice.slot < 0 || choice.slot === slot));
  return isAsked ? slot : -1;
}

function hold(
  board: Board,
  words: Int32Array,
  claim: number,
  slot: number,
  position: number,
): void {
  const { problem, layout } = board;
  for (const member of problem.claims[claim]!.members) {
    words[layout.floorAt + member] = slot;
    words[layout.sinceAt + member] = slot;
  }
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
    if (problem.hasSlots && status !== Status.reserved) words[layout.sinceAt + member] = 0;
    if (lastVersionAt[member]! >= position) words[layout.versionAt + member]!++;
  }
}
