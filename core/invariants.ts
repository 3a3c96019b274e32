/**
 * Facts about a whole state, by id; docs/invariants.md says why each matters. Too dear to check after every
 * command: they run after a restore, in tests and in simulation.
 */
import { findRow, hashKey } from "./fixed_map.ts";
import type { Row } from "./ids.ts";
import { isTerminal } from "./lookup.ts";
import { isIndexed } from "./operations.ts";
import { isTaken } from "./row_set.ts";
import { type Engine, Progress } from "./state.ts";
import { Operation, Reservation, ReservationState, Resource, ResourceState } from "./tables.ts";
import { bucketOf } from "./timing_wheel.ts";
import { compareU64, isZeroU64 } from "./words.ts";

/** A fact about a whole state. */
export interface Invariant {
  /** `area/claim`, as in docs/invariants.md. */
  readonly id: string;
  readonly says: string;
  /** The first row that breaks it, or -1. */
  readonly firstOffender: (engine: Engine) => number;
}

/** Every whole-state fact of the engine. */
export const INVARIANTS: readonly Invariant[] = [
  {
    id: "resource/owner-matches-state",
    says:
      "an available resource has no owner; any other has a live one, in the matching state, that lists it",
    firstOffender: (engine) =>
      firstRow(engine.tables.resources.used, (row) => !ownerMatches(engine, row)),
  },
  {
    id: "resource/indexed",
    says: "every resource is found under its id",
    firstOffender: resourceNotIndexed,
  },
  {
    id: "reservation/members-match-state",
    says:
      "a reservation has at least one member; a live one owns each of them, once; an ended one owns none",
    firstOffender: (engine) => firstReservation(engine, (row) => !membersMatch(engine, row)),
  },
  {
    id: "reservation/ended-has-end",
    says: "exactly the ended reservations have a released lsn and a retirement slot",
    firstOffender: (engine) => firstReservation(engine, (row) => !endMatches(engine, row)),
  },
  {
    id: "reservation/epoch-matches-state",
    says: "the epoch is 1 while the holder's claim stands and 2 from then on",
    firstOffender: (engine) => firstReservation(engine, (row) => !epochMatches(engine, row)),
  },
  {
    id: "reservation/indexed",
    says: "every reservation is found under its id, and its id is no higher than the last lsn",
    firstOffender: (engine) => firstReservation(engine, (row) => !reservationIndexed(engine, row)),
  },
  {
    id: "reservation/free-rows-empty",
    says: "a row that is not taken holds nothing",
    firstOffender: freeRowNotEmpty,
  },
  {
    id: "wheel/reserved-exactly",
    says: "the wheel holds exactly the reserved reservations, each in the bucket of its deadline",
    firstOffender: wheelOffender,
  },
  {
    id: "wheel/bucket-bounded",
    says: "no bucket is longer than configured",
    firstOffender: (engine) =>
      engine.wheel.counts.findIndex((count) => count > engine.wheel.bucketLengthMax),
  },
  {
    id: "retirement/ended-exactly",
    says: "the retirement queue holds exactly the ended reservations, in order of their slot",
    firstOffender: retirementOffender,
  },
  {
    id: "operations/in-order-and-indexed",
    says:
      "operations are in order of lsn and slot, no later than the last, and found under their key",
    firstOffender: operationOffender,
  },
];

/**
 * Checks every fact.
 *
 * @param engine The engine.
 * @returns The id of the first fact that does not hold with the row that breaks it, or `undefined`.
 */
export function firstViolation(engine: Engine): string | undefined {
  for (const { id, firstOffender } of INVARIANTS) {
    const row = firstOffender(engine);
    if (row >= 0) return `${id} at row ${row}`;
  }
  return undefined;
}

function firstRow(end: number, offends: (row: number) => boolean): number {
  for (let row = 0; row < end; row++) if (offends(row)) return row;
  return -1;
}

function firstReservation(engine: Engine, offends: (row: number) => boolean): number {
  const rows = engine.tables.reservationRows;
  return firstRow(rows.capacity, (row) => isTaken(rows, row as Row) && offends(row));
}

function stateOf(engine: Engine, row: number): ReservationState {
  const { words, stride } = engine.tables.reservations;
  return words[row * stride + Reservation.state] as ReservationState;
}

function memberState(state: ReservationState): ResourceState {
  if (state === ReservationState.reserved) return ResourceState.reserved;
  return state === ReservationState.confirmed ? ResourceState.confirmed : ResourceState.revoking;
}

function ownerMatches(engine: Engine, row: number): boolean {
  const { resources, reservations, reservationRows } = engine.tables;
  const state = resources.words[row * resources.stride + Resource.state]!;
  const holder = resources.words[row * resources.stride + Resource.holder]!;
  if (state === ResourceState.available) return holder === 0;
  if (holder === 0 || holder > reservations.capacity) return false;
  if (!isTaken(reservationRows, (holder - 1) as Row)) return false;
  const ownerState = stateOf(engine, holder - 1);
  return !isTerminal(ownerState) && memberState(ownerState) === state &&
    membersOf(engine, holder - 1).includes(row);
}

function membersOf(engine: Engine, row: number): Uint32Array {
  const { words, stride } = engine.tables.reservations;
  const first = row * stride + Reservation.members;
  return words.subarray(first, first + words[row * stride + Reservation.memberCount]!);
}

function membersMatch(engine: Engine, row: number): boolean {
  const { resources } = engine.tables;
  const members = membersOf(engine, row);
  if (members.length === 0 || members.length > engine.config.maxBundleSize) return false;
  if (new Set(members).size !== members.length) return false;
  const ended = isTerminal(stateOf(engine, row));
  return members.every((member) => {
    if (member >= resources.used) return false;
    const holder = resources.words[member * resources.stride + Resource.holder];
    return ended ? holder !== row + 1 : holder === row + 1;
  });
}

function endMatches(engine: Engine, row: number): boolean {
  const { words, stride } = engine.tables.reservations;
  const record = row * stride;
  const ended = isTerminal(stateOf(engine, row));
  const hasEnd = !isZeroU64(words, record + Reservation.releasedLsn);
  const hasSlot = !isZeroU64(words, record + Reservation.retireAfterSlot);
  return ended ? hasEnd : !hasEnd && !hasSlot;
}

function epochMatches(engine: Engine, row: number): boolean {
  const { words, stride } = engine.tables.reservations;
  const state = stateOf(engine, row);
  const stands = state === ReservationState.reserved || state === ReservationState.confirmed;
  const at = row * stride + Reservation.epoch;
  return words[at + 1] === 0 && words[at] === (stands ? 1 : 2);
}

function resourceNotIndexed(engine: Engine): number {
  const { resources, resourceIndex } = engine.tables;
  return firstRow(resources.used, (row) => {
    const at = row * resources.stride;
    return findRow(
      resourceIndex,
      resources.words,
      at,
      hashKey(resourceIndex, resources.words, at),
    ) !== row;
  });
}

function reservationIndexed(engine: Engine, row: number): boolean {
  const { reservations, reservationIndex } = engine.tables;
  const { words } = reservations;
  const at = row * reservations.stride;
  return findRow(reservationIndex, words, at, hashKey(reservationIndex, words, at)) === row &&
    compareU64(words, at, engine.progress, Progress.lastLsn) <= 0;
}

function freeRowNotEmpty(engine: Engine): number {
  const { reservations, reservationRows } = engine.tables;
  const { words, stride } = reservations;
  return firstRow(reservations.capacity, (row) => {
    if (isTaken(reservationRows, row as Row)) return false;
    return words[row * stride + Reservation.state] !== 0 ||
      words[row * stride + Reservation.memberCount] !== 0;
  });
}

function wheelOffender(engine: Engine): number {
  const { wheel } = engine;
  const { words, stride } = wheel.records;
  const seen = new Set<number>();
  for (let bucket = 0; bucket < wheel.heads.length; bucket++) {
    let length = 0;
    for (let link = wheel.heads[bucket]!; link !== 0; length++) {
      const row = link - 1;
      const record = row * stride;
      const due = bucketOf(wheel, words, record + Reservation.deadlineSlot);
      if (seen.has(row) || due !== bucket || stateOf(engine, row) !== ReservationState.reserved) {
        return row;
      }
      if (compareU64(words, record + Reservation.deadlineSlot, wheel.cursor, 0) < 0) return row;
      seen.add(row);
      link = words[record + Reservation.next]!;
    }
    if (length !== wheel.counts[bucket]) return bucket;
  }
  if (seen.size !== wheel.scheduled) return 0;
  return firstReservation(
    engine,
    (row) => (stateOf(engine, row) === ReservationState.reserved) !== seen.has(row),
  );
}

function retirementOffender(engine: Engine): number {
  const { words, stride } = engine.tables.reservations;
  const { rows, head, used } = engine.retirement;
  const { retireAfterSlot } = Reservation;
  const seen = new Set<number>();
  let last = -1;
  for (let i = 0; i < used; i++) {
    const row = rows[(head + i) % rows.length]!;
    if (seen.has(row) || !isTerminal(stateOf(engine, row))) return row;
    const before = last * stride + retireAfterSlot;
    const after = row * stride + retireAfterSlot;
    if (last >= 0 && compareU64(words, before, words, after) > 0) return row;
    seen.add(row);
    last = row;
  }
  return firstReservation(engine, (row) => isTerminal(stateOf(engine, row)) !== seen.has(row));
}

function operationOffender(engine: Engine): number {
  const { operations } = engine.tables;
  const { words, stride } = operations;
  let previous = -1;
  for (let i = 0; i < operations.used; i++) {
    const row = (operations.head + i) % operations.capacity;
    const at = row * stride;
    if (!isIndexed(engine, row as Row)) return row;
    if (compareU64(words, at + Operation.appliedLsn, engine.progress, Progress.lastLsn) > 0) {
      return row;
    }
    if (compareU64(words, at + Operation.requestSlot, engine.progress, Progress.lastSlot) > 0) {
      return row;
    }
    if (previous >= 0) {
      const before = previous * stride;
      if (compareU64(words, before + Operation.appliedLsn, words, at + Operation.appliedLsn) >= 0) {
        return row;
      }
      if (
        compareU64(words, before + Operation.requestSlot, words, at + Operation.requestSlot) > 0
      ) {
        return row;
      }
    }
    previous = row;
  }
  return -1;
}
