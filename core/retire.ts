/** Forgetting on time: operations after their retry window, ended reservations after their history window. */
import { assert } from "./assert.ts";
import { preserveRow } from "./capture.ts";
import { type Engine, Limit, Position, Progress } from "./state.ts";
import { hashKey, removeRow } from "./fixed_map.ts";
import type { Row } from "./ids.ts";
import { retireOperations } from "./operations.ts";
import { freeRow } from "./row_set.ts";
import { Reservation } from "./tables.ts";
import { addU64, compareU64, copyU64 } from "./words.ts";

/** Drops everything whose last readable slot is below the engine's slot. */
export function retireThrough(engine: Engine): void {
  retireReservations(engine);
  retireOperations(engine);
}

/**
 * Starts the history window of a reservation that has just ended. Windows are constant and slots monotone,
 * so the queue is in order of retirement.
 *
 * @param engine The engine.
 * @param row The ended reservation; already unscheduled and preserved.
 * @param position Where and when it ended.
 */
export function enqueueRetirement(engine: Engine, row: Row, position: Uint32Array): void {
  const { words, stride } = engine.tables.reservations;
  const record = row * stride;
  copyU64(words, record + Reservation.releasedLsn, position, Position.lsn);
  const fits = addU64(
    words,
    record + Reservation.retireAfterSlot,
    position,
    Position.slot,
    engine.limits,
    Limit.historyWindow,
  );
  assert(fits, "reservation/history-window-fits");
  linkRetirement(engine, row);
}

/** Puts a row at the end of the retirement queue. */
export function linkRetirement(engine: Engine, row: Row): void {
  const { words, stride } = engine.tables.reservations;
  const { retirement } = engine;
  words[row * stride + Reservation.next] = 0;
  if (retirement.tail === 0) retirement.head = row + 1;
  else words[(retirement.tail - 1) * stride + Reservation.next] = row + 1;
  retirement.tail = row + 1;
}

function retireReservations(engine: Engine): void {
  const { words, stride } = engine.tables.reservations;
  const { retirement, progress } = engine;
  while (retirement.head !== 0) {
    const row = (retirement.head - 1) as Row;
    const record = row * stride;
    if (compareU64(words, record + Reservation.retireAfterSlot, progress, Progress.lastSlot) >= 0) {
      return;
    }
    retirement.head = words[record + Reservation.next]!;
    if (retirement.head === 0) retirement.tail = 0;
    dropReservation(engine, row);
  }
}

/** The record goes; that its id once existed stays known through the watermark. */
function dropReservation(engine: Engine, row: Row): void {
  const { reservations, reservationIndex, reservationRows } = engine.tables;
  const { words, stride } = reservations;
  const record = row * stride;
  const { progress } = engine;
  if (compareU64(words, record + Reservation.createdLsn, progress, Progress.maxRetiredLsn) > 0) {
    copyU64(progress, Progress.maxRetiredLsn, words, record + Reservation.createdLsn);
  }
  removeRow(reservationIndex, row, hashKey(reservationIndex, words, record));
  if (engine.capture.active) preserveRow(engine.capture.reservations, row);
  reservations.members -= words[record + Reservation.memberCount]!;
  words.fill(0, record, record + stride);
  freeRow(reservationRows, row);
}
