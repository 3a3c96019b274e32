/** Reading an engine: views of single records and the figures of its health. Never changes or retires anything. */
import { findReservation, findResource, isTerminal, missingReservation } from "./lookup.ts";
import { NO_ROW } from "./ids.ts";
import { ResultCode } from "./outcome.ts";
import { type Engine, Limit, Progress } from "./state.ts";
import { Reservation, type ReservationState, Resource, type ResourceState } from "./tables.ts";
import { countDue } from "./timing_wheel.ts";
import { isZeroU64, readU128, readU64, writeU128, writeU64 } from "./words.ts";

/** A resource as stored. */
export interface ResourceRecord {
  readonly resourceId: bigint;
  readonly state: ResourceState;
  /** The reservation that holds it, unless it is available. */
  readonly currentReservationId: bigint | undefined;
  readonly version: bigint;
}

/** A reservation as stored. */
export interface ReservationRecord {
  readonly reservationId: bigint;
  readonly holderId: bigint;
  readonly state: ReservationState;
  readonly epoch: bigint;
  readonly createdLsn: bigint;
  readonly deadlineSlot: bigint;
  readonly releasedLsn: bigint | undefined;
  readonly retireAfterSlot: bigint | undefined;
  /** In the order of the request. */
  readonly memberResourceIds: readonly bigint[];
}

/** Figures of one engine. */
export interface Health {
  /** `undefined` before the first command. */
  readonly lastAppliedLsn: bigint | undefined;
  readonly lastRequestSlot: bigint | undefined;
  /** How many slots the asked one is ahead of the last applied one, at least 0. */
  readonly logicalSlotLag: bigint;
  /** Reserved reservations whose deadline has come at the asked slot. */
  readonly expirationBacklog: number;
  readonly operationTableUsed: number;
  readonly resourceTableUsed: number;
  readonly reservationTableUsed: number;
  /** Resources named by all reservation records. */
  readonly reservationMemberTableUsed: number;
}

const key = new Uint32Array(4);

/**
 * Looks a resource up.
 *
 * @param engine The engine.
 * @param resourceId A u128.
 * @returns The record, or `undefined` when there is none.
 */
export function viewResource(engine: Engine, resourceId: bigint): ResourceRecord | undefined {
  writeU128(key, 0, resourceId);
  const row = findResource(engine, key, 0);
  if (row === NO_ROW) return undefined;
  const { words, stride } = engine.tables.resources;
  const record = row * stride;
  const holder = words[record + Resource.holder]!;
  return {
    resourceId,
    state: words[record + Resource.state] as ResourceState,
    currentReservationId: holder === 0 ? undefined : reservationIdOf(engine, holder - 1),
    version: readU64(words, record + Resource.version),
  };
}

/**
 * Looks a reservation up, as of a slot: past its history window it reads as retired, dropped or not.
 *
 * @param engine The engine.
 * @param reservationId A u128.
 * @param currentSlot The reader's slot.
 * @returns The record, or why there is none.
 */
export function viewReservation(
  engine: Engine,
  reservationId: bigint,
  currentSlot: bigint,
): ReservationRecord | "not_found" | "retired" {
  writeU128(key, 0, reservationId);
  const row = findReservation(engine, key, 0);
  if (row === NO_ROW) {
    const missing = missingReservation(engine, key, 0);
    return missing === ResultCode.reservation_retired ? "retired" : "not_found";
  }
  const view = readReservation(engine, row);
  const aged = view.retireAfterSlot !== undefined && currentSlot > view.retireAfterSlot;
  return aged ? "retired" : view;
}

/** The id of the reservation in a row. */
export function reservationIdOf(engine: Engine, row: number): bigint {
  const { words, stride } = engine.tables.reservations;
  const lsn = readU64(words, row * stride + Reservation.createdLsn);
  return (readU64(engine.limits, Limit.shard) << 64n) | lsn;
}

/**
 * Figures as of a slot.
 *
 * @param engine The engine.
 * @param currentSlot The asker's slot.
 * @returns Counts and positions.
 */
export function health(engine: Engine, currentSlot: bigint): Health {
  const { progress, tables } = engine;
  const applied = lastAppliedLsn(engine);
  const isFresh = applied === undefined;
  const lastSlot = readU64(progress, Progress.lastSlot);
  writeU64(key, 0, currentSlot);
  return {
    lastAppliedLsn: applied,
    lastRequestSlot: isFresh ? undefined : lastSlot,
    logicalSlotLag: !isFresh && currentSlot > lastSlot ? currentSlot - lastSlot : 0n,
    expirationBacklog: countDue(engine.wheel, key),
    operationTableUsed: tables.operations.used,
    resourceTableUsed: tables.resources.used,
    reservationTableUsed: tables.reservationRows.used,
    reservationMemberTableUsed: tables.reservations.members,
  };
}

function readReservation(engine: Engine, row: number): ReservationRecord {
  const { words, stride } = engine.tables.reservations;
  const record = row * stride;
  const state = words[record + Reservation.state] as ReservationState;
  const ended = isTerminal(state);
  return {
    reservationId: reservationIdOf(engine, row),
    holderId: readU128(words, record + Reservation.holderId),
    state,
    epoch: readU64(words, record + Reservation.epoch),
    createdLsn: readU64(words, record + Reservation.createdLsn),
    deadlineSlot: readU64(words, record + Reservation.deadlineSlot),
    releasedLsn: ended ? readU64(words, record + Reservation.releasedLsn) : undefined,
    retireAfterSlot: ended ? readU64(words, record + Reservation.retireAfterSlot) : undefined,
    memberResourceIds: readMembers(engine, record),
  };
}

function readMembers(engine: Engine, record: number): bigint[] {
  const { reservations, resources } = engine.tables;
  const ids: bigint[] = [];
  for (let i = 0; i < reservations.words[record + Reservation.memberCount]!; i++) {
    const member = reservations.words[record + Reservation.members + i]!;
    ids.push(readU128(resources.words, member * resources.stride + Resource.id));
  }
  return ids;
}

/** The last lsn that was applied; `undefined` while there is none. */
export function lastAppliedLsn({ progress }: Engine): bigint | undefined {
  const hasApplied = !isZeroU64(progress, Progress.lastLsn);
  return hasApplied ? readU64(progress, Progress.lastLsn) : undefined;
}
