import { type Command, Field } from "../command.ts";
import { type Engine, Position } from "../state.ts";
import { NO_ROW, type Row } from "../ids.ts";
import { bumpEpoch, findReservation, missingReservation, reservationState } from "../lookup.ts";
import { ResultCode } from "../outcome.ts";
import { Reservation, ReservationState } from "../tables.ts";
import { unschedule } from "../timing_wheel.ts";
import { compareU64, equalU64 } from "../words.ts";
import { endReservation } from "./end.ts";

/** Whether a hold has run out: the deadline is the one meant, and it has come. Source: docs/semantics.md#expire. */
export function decideExpire(engine: Engine, command: Command, position: Uint32Array): ResultCode {
  const row = findReservation(engine, command.words, Field.subjectId);
  if (row === NO_ROW) return missingReservation(engine, command.words, Field.subjectId);
  const { words, stride } = engine.tables.reservations;
  const deadline = row * stride + Reservation.deadlineSlot;
  if (!equalU64(words, deadline, command.words, Field.quantity)) return ResultCode.noop;
  if (compareU64(position, Position.slot, words, deadline) < 0) return ResultCode.noop; // Never early.
  if (reservationState(engine, row) !== ReservationState.reserved) return ResultCode.noop;
  engine.foundRow = row;
  return ResultCode.ok;
}

/** Frees what its holder did not confirm in time. */
export function commitExpire(engine: Engine, position: Uint32Array): void {
  const row = engine.foundRow as Row;
  unschedule(engine.wheel, row);
  endReservation(engine, row, ReservationState.expired, position);
  bumpEpoch(engine, row);
}
