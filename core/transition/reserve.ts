import { preserveRow } from "../capture.ts";
import { type Command, Field } from "../command.ts";
import { type Engine, Limit, Position } from "../state.ts";
import { hashKey, insertRow } from "../fixed_map.ts";
import { NO_ROW, type Row } from "../ids.ts";
import { findResource, setMembers } from "../lookup.ts";
import { type Outcome, OutcomeField, ResultCode } from "../outcome.ts";
import { takeLowestRow } from "../row_set.ts";
import { Reservation, ReservationState, Resource, ResourceState } from "../tables.ts";
import { bucketHasRoom, schedule } from "../timing_wheel.ts";
import { addU64, compareU64, copyU128, copyU64, equalU128, isZeroU64 } from "../words.ts";

const deadline = new Uint32Array(2);
let memberRows = new Uint32Array(16);

/** Whether a bundle (or a single resource, the bundle of one) may be reserved. Source: docs/semantics.md#reserve. */
export function decideReserve(engine: Engine, command: Command, position: Uint32Array): ResultCode {
  const { memberCount } = command;
  if (memberCount === 0 || memberCount > engine.config.maxBundleSize) {
    return ResultCode.bundle_too_large;
  }
  const ttl = command.words;
  if (isZeroU64(ttl, Field.quantity)) return ResultCode.ttl_out_of_range;
  if (compareU64(ttl, Field.quantity, engine.limits, Limit.maxTtl) > 0) {
    return ResultCode.ttl_out_of_range;
  }
  const members = decideMembers(engine, command);
  if (members !== ResultCode.ok) return members;
  const { reservationRows } = engine.tables;
  // Member records live inside the reservation's, so there is no member table that could be full by itself.
  if (reservationRows.used === reservationRows.capacity) return ResultCode.reservation_table_full;
  if (!addU64(deadline, 0, position, Position.slot, ttl, Field.quantity)) {
    return ResultCode.slot_overflow;
  }
  if (!bucketHasRoom(engine.wheel, deadline, 0)) return ResultCode.expiration_index_full;
  return ResultCode.ok;
}

/** Every member exists, is available and is named once; the first offender in request order decides. */
function decideMembers(engine: Engine, command: Command): ResultCode {
  const { memberCount, members } = command;
  if (memberRows.length < memberCount) memberRows = new Uint32Array(engine.config.maxBundleSize);
  const { words, stride } = engine.tables.resources;
  for (let i = 0; i < memberCount; i++) {
    if (repeatsEarlier(members, i)) return ResultCode.resource_busy;
    const row = findResource(engine, members, i * 4);
    if (row === NO_ROW) return ResultCode.resource_not_found;
    if (words[row * stride + Resource.state] !== ResourceState.available) {
      return ResultCode.resource_busy;
    }
    memberRows[i] = row;
  }
  return ResultCode.ok;
}

function repeatsEarlier(members: Uint32Array, position: number): boolean {
  for (let i = 0; i < position; i++) {
    if (equalU128(members, i * 4, members, position * 4)) return true;
  }
  return false;
}

/** Makes the reservation and takes every member; right after the decision, whose findings it uses. */
export function commitReserve(
  engine: Engine,
  command: Command,
  position: Uint32Array,
  out: Outcome,
): void {
  const { reservations, reservationIndex, reservationRows } = engine.tables;
  const row = takeLowestRow(reservationRows);
  if (engine.capture.active) preserveRow(engine.capture.reservations, row);
  writeRecord(engine, row, command, position);
  const record = row * reservations.stride;
  insertRow(reservationIndex, row, hashKey(reservationIndex, reservations.words, record));
  reservations.members += command.memberCount;
  setMembers(engine, row, ResourceState.reserved, row + 1);
  schedule(engine.wheel, row);
  out.hasReservation = true;
  copyU64(out.words, OutcomeField.reservationId, position, Position.lsn);
  copyU64(out.words, OutcomeField.reservationId + 2, engine.limits, Limit.shard);
  copyU64(out.words, OutcomeField.epoch, reservations.words, record + Reservation.epoch);
  copyU64(out.words, OutcomeField.deadlineSlot, deadline, 0);
}

function writeRecord(engine: Engine, row: Row, command: Command, position: Uint32Array): void {
  const { words, stride } = engine.tables.reservations;
  const record = row * stride;
  copyU64(words, record + Reservation.createdLsn, position, Position.lsn);
  copyU128(words, record + Reservation.holderId, command.words, Field.holderId);
  words[record + Reservation.epoch] = 1;
  words[record + Reservation.epoch + 1] = 0;
  copyU64(words, record + Reservation.deadlineSlot, deadline, 0);
  words[record + Reservation.state] = ReservationState.reserved;
  words[record + Reservation.memberCount] = command.memberCount;
  for (let i = 0; i < command.memberCount; i++) {
    words[record + Reservation.members + i] = memberRows[i]!;
  }
}
