/**
 * What operations answer in a configuration. A statement of docs/semantics.md of its own: without ids, and without the
 * tables that the whole shard shares.
 */
import { type Layout, statusOf } from "./configuration.ts";
import type { Work } from "./problem.ts";
import type { Board } from "./schedule.ts";
import { ABSENT, AVAILABLE, Code, Kind, Status } from "./words.ts";

/** The code that a write answers here, full tables and lost records apart. */
export function answerOf({ layout }: Board, words: Int32Array, work: Work): number {
  if (work.kind === Kind.create) {
    const isThere = words[layout.currentAt + work.members[0]!] !== ABSENT;
    return isThere ? Code.already_exists : Code.ok;
  }
  return work.kind === Kind.reserve
    ? reserveAnswer(layout, words, work)
    : reservationAnswer(layout, words, work);
}

function reserveAnswer(layout: Layout, words: Int32Array, work: Work): number {
  if (work.staticCode !== 0) return work.staticCode;
  for (let i = 0; i < work.members.length; i++) {
    if (i === work.duplicateAt) return Code.resource_busy;
    const current = words[layout.currentAt + work.members[i]!]!;
    if (current === ABSENT) return Code.resource_not_found;
    if (current !== AVAILABLE) return Code.resource_busy;
  }
  return Code.ok;
}

function reservationAnswer(layout: Layout, words: Int32Array, work: Work): number {
  const at = liveAt(layout, words, work);
  if (at < 0) return Code.reservation_not_found;
  const status = statusOf(words, layout, work.claims[at]!);
  if (work.kind === Kind.confirm || work.kind === Kind.release) {
    if (!work.holderFits[at]) return Code.holder_mismatch;
    if (work.epoch !== epochOf(status)) return Code.stale_epoch;
  }
  if (isEnded(status)) return Code.reservation_retired;
  return comesFrom(work.kind, status) ? Code.ok : Code.invalid_state;
}

/** Which of the claims that a work can mean has come to be; -1 for none. */
export function liveAt(layout: Layout, words: Int32Array, { claims }: Work): number {
  for (let i = 0; i < claims.length; i++) {
    if (statusOf(words, layout, claims[i]!) !== Status.none) return i;
  }
  return -1;
}

/** Whether a claim in this status holds nothing any more. */
export function isEnded(status: number): boolean {
  return status >= Status.released;
}

function epochOf(status: number): number {
  return status === Status.reserved || status === Status.confirmed ? 1 : 2;
}

function comesFrom(kind: number, status: number): boolean {
  switch (kind) {
    case Kind.confirm:
      return status === Status.reserved;
    case Kind.release:
      return status === Status.reserved || status === Status.confirmed;
    case Kind.revoke:
      return status === Status.confirmed;
    default:
      return status === Status.revoking;
  }
}

/**
 * Whether an answered operation that changes nothing has its answer here.
 *
 * @param now Position in the history up to which attempts have begun.
 */
export function fitsHere(board: Board, words: Int32Array, work: Work, now: number): boolean {
  switch (work.kind) {
    case Kind.readResource:
      return resourceFits(board.layout, words, work);
    case Kind.readReservation:
      return reservationFits(board, words, work);
    case Kind.conflict: {
      const happened = words[board.layout.groupAt + work.group]!;
      return happened !== 0 && happened !== work.variant;
    }
    default: {
      const code = answerOf(board, words, work);
      return (code === work.code || mayAnswerInstead(board, words, work, code)) &&
        (work.slots === undefined || slotFor(board, words, work, now) >= 0);
    }
  }
}

/** Tables that others fill and records that have been dropped change some answers. */
function mayAnswerInstead(board: Board, words: Int32Array, work: Work, code: number): boolean {
  switch (work.code) {
    case Code.resource_table_full:
      return board.problem.mayFill && work.kind === Kind.create && code === Code.ok;
    case Code.reservation_table_full:
    case Code.expiration_index_full:
      return board.problem.mayFill && work.kind === Kind.reserve && code === Code.ok;
    case Code.invalid_state:
    case Code.stale_epoch:
      return !board.problem.isExact && (isOfClass(code) || isRetired(board, words, work));
    case Code.reservation_retired:
      return (!board.problem.isExact && isOfClass(code)) || isRetired(board, words, work);
    default:
      return false;
  }
}

/** Refusals that some systems do not tell apart. */
function isOfClass(code: number): boolean {
  return code === Code.invalid_state || code === Code.stale_epoch ||
    code === Code.reservation_retired;
}

function isRetired({ problem, layout }: Board, words: Int32Array, work: Work): boolean {
  if (!problem.mayRetire) return false;
  const at = liveAt(layout, words, work);
  return at < 0 ? work.mayBeBelowWatermark : isEnded(statusOf(words, layout, work.claims[at]!));
}

function resourceFits(layout: Layout, words: Int32Array, work: Work): boolean {
  const resource = work.members[0]!;
  const current = words[layout.currentAt + resource]!;
  if (work.seen === NOT_FOUND) return current === ABSENT;
  if (work.version >= 0 && words[layout.versionAt + resource] !== work.version) return false;
  if (work.seen === Status.none) return current === AVAILABLE;
  return current >= 0 && work.claims.includes(current) &&
    statusOf(words, layout, current) === work.seen;
}

function reservationFits(board: Board, words: Int32Array, work: Work): boolean {
  if (work.seen === RETIRED) return isRetired(board, words, work);
  const at = liveAt(board.layout, words, work);
  if (work.seen === NOT_FOUND) return at < 0;
  return at >= 0 && statusOf(words, board.layout, work.claims[at]!) === work.seen;
}

/**
 * The lowest slot at which an operation can happen here, -1 for none. What is refused never moves slots on: that it could have
 * been later is no reason to call anything wrong.
 */
export function slotFor(board: Board, words: Int32Array, work: Work, now: number): number {
  const floor = floorOf(board, words, work);
  if (work.slots === undefined) return floor;
  for (const { slot, from } of work.slots) {
    if (from <= now && (slot < 0 || slot >= floor)) return slot < 0 ? floor : slot;
  }
  return -1;
}

/** The latest slot that whatever the operation is about has seen. */
function floorOf({ problem, layout }: Board, words: Int32Array, work: Work): number {
  let floor = 0;
  const see = (member: number): void => {
    floor = Math.max(floor, words[layout.floorAt + member]!);
  };
  work.members.forEach(see);
  if (work.kind === Kind.reserve) return floor;
  const at = liveAt(layout, words, work);
  if (at >= 0) problem.claims[work.claims[at]!]!.members.forEach(see);
  return floor;
}

/** A read found nothing. */
export const NOT_FOUND = -1;
/** A read found that the record is gone. */
export const RETIRED = -2;
