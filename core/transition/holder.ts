import { type Command, Field } from "../command.ts";
import type { Engine } from "../state.ts";
import { NO_ROW } from "../ids.ts";
import { findReservation, isTerminal, missingReservation, reservationState } from "../lookup.ts";
import { ResultCode } from "../outcome.ts";
import { Reservation } from "../tables.ts";
import { equalU128, equalU64 } from "../words.ts";

/**
 * What confirm and release ask before they look at the state: is the reservation there, is it the
 * holder's, is the token the current one, has it not ended. Leaves the row in `engine.foundRow`.
 *
 * @param engine The engine.
 * @param command A confirm or release.
 * @returns `ok`, or the first check that failed.
 */
export function decideHolder(engine: Engine, command: Command): ResultCode {
  const row = findReservation(engine, command.words, Field.subjectId);
  if (row === NO_ROW) return missingReservation(engine, command.words, Field.subjectId);
  engine.foundRow = row;
  const { words, stride } = engine.tables.reservations;
  const record = row * stride;
  if (!equalU128(words, record + Reservation.holderId, command.words, Field.holderId)) {
    return ResultCode.holder_mismatch;
  }
  if (!equalU64(words, record + Reservation.epoch, command.words, Field.quantity)) {
    return ResultCode.stale_epoch;
  }
  if (isTerminal(reservationState(engine, row))) return ResultCode.reservation_retired;
  return ResultCode.ok;
}

/**
 * What revoke and reclaim, which name no holder, ask before they look at the state. Leaves the row in
 * `engine.foundRow`.
 *
 * @param engine The engine.
 * @param command A revoke or reclaim.
 * @returns `ok`, or the first check that failed.
 */
export function decideOperator(engine: Engine, command: Command): ResultCode {
  const row = findReservation(engine, command.words, Field.subjectId);
  if (row === NO_ROW) return missingReservation(engine, command.words, Field.subjectId);
  engine.foundRow = row;
  return isTerminal(reservationState(engine, row)) ? ResultCode.reservation_retired : ResultCode.ok;
}
