/** Finding records by id, and the questions every transition asks about them. */
import { preserveRow } from "./capture.ts";
import { type Engine, Limit, Progress } from "./state.ts";
import { findRow, hashKey } from "./fixed_map.ts";
import { NO_ROW, type Row } from "./ids.ts";
import { ResultCode } from "./outcome.ts";
import { Reservation, ReservationState, Resource, type ResourceState } from "./tables.ts";
import { bumpU64, compareU64, equalU64 } from "./words.ts";

/** Row of the resource whose id is at `id[at]`, or {@linkcode NO_ROW}. */
export function findResource(engine: Engine, id: Uint32Array, at: number): Row {
  const index = engine.tables.resourceIndex;
  return findRow(index, id, at, hashKey(index, id, at));
}

/** Row of the reservation whose id is at `id[at]`, or {@linkcode NO_ROW}. */
export function findReservation(engine: Engine, id: Uint32Array, at: number): Row {
  if (!equalU64(id, at + 2, engine.limits, Limit.shard)) return NO_ROW;
  const index = engine.tables.reservationIndex;
  return findRow(index, id, at, hashKey(index, id, at));
}

/**
 * What to say of a reservation id without a record: at or below the watermark it has ended and aged out
 * (conservatively also for ids that were never given out), above it or in another shard it never was.
 */
export function missingReservation(engine: Engine, id: Uint32Array, at: number): ResultCode {
  const { progress, limits } = engine;
  const retired = equalU64(id, at + 2, limits, Limit.shard) &&
    compareU64(id, at, progress, Progress.maxRetiredLsn) <= 0 &&
    (progress[Progress.maxRetiredLsn] !== 0 || progress[Progress.maxRetiredLsn + 1] !== 0);
  return retired ? ResultCode.reservation_retired : ResultCode.reservation_not_found;
}

/** State of the reservation in a row. */
export function reservationState(engine: Engine, row: number): ReservationState {
  const { words, stride } = engine.tables.reservations;
  return words[row * stride + Reservation.state] as ReservationState;
}

/** Whether a state is an end: nothing leads out of it. */
export function isTerminal(state: ReservationState): boolean {
  return state === ReservationState.released || state === ReservationState.expired ||
    state === ReservationState.revoked;
}

/** Sets a reservation's state; the one place where it changes after creation. */
export function setReservationState(engine: Engine, row: Row, state: ReservationState): void {
  if (engine.capture.active) preserveRow(engine.capture.reservations, row);
  const { words, stride } = engine.tables.reservations;
  words[row * stride + Reservation.state] = state;
}

/** Takes its claim from the holder: tokens of the old epoch are refused from now on. */
export function bumpEpoch(engine: Engine, row: Row): void {
  const { words, stride } = engine.tables.reservations;
  bumpU64(words, row * stride + Reservation.epoch, 1);
}

/**
 * Moves every member of a reservation to a state.
 *
 * @param engine The engine.
 * @param row The reservation.
 * @param state Where its resources go.
 * @param holder Row + 1 of the reservation that owns them from now on; 0 for none.
 */
export function setMembers(
  engine: Engine,
  row: Row,
  state: ResourceState,
  holder: number,
): void {
  const { reservations, resources } = engine.tables;
  const record = row * reservations.stride;
  const count = reservations.words[record + Reservation.memberCount]!;
  const { words, stride } = resources;
  for (let i = 0; i < count; i++) {
    const member = reservations.words[record + Reservation.members + i]! as Row;
    if (engine.capture.active) preserveRow(engine.capture.resources, member);
    const resource = member * stride;
    words[resource + Resource.state] = state;
    words[resource + Resource.holder] = holder;
    bumpU64(words, resource + Resource.version, 1);
  }
}
