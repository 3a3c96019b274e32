/** Forgetting on time: operations after their retry window, ended reservations after their history window. */
import { assert } from "./assert.ts";
import { preserveRow } from "./capture.ts";
import { type Engine, Limit, Position, Progress, type RetirementQueue } from "./state.ts";
import { hashKey, removeRow, touchBuckets, touchRecords } from "./fixed_map.ts";
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

/** Puts a row at the end of the retirement queue, which has a place for every reservation. */
export function linkRetirement(engine: Engine, row: Row): void {
  const { retirement } = engine;
  assert(retirement.used < retirement.rows.length, "retirement/queue-bounded");
  retirement.rows[wrapped(retirement, retirement.used)] = row;
  retirement.used++;
}

/** Reservations that are dropped as one group, so that their cache misses overlap. */
const GROUP = 32;
const groupRows = new Int32Array(GROUP);
const groupHashes = new Int32Array(GROUP);

function retireReservations(engine: Engine): void {
  const { retirement } = engine;
  while (retirement.used > 0 && hasPassed(engine, retirement.rows[retirement.head]!)) {
    retireGroup(engine);
  }
}

/** Drops those of the oldest few whose slot has passed: the first one's has. */
function retireGroup(engine: Engine): void {
  const { retirement, tables } = engine;
  const { reservations, reservationIndex } = tables;
  const { words, stride } = reservations;
  const most = Math.min(retirement.used, GROUP);
  for (let i = 0; i < most; i++) groupRows[i] = retirement.rows[wrapped(retirement, i)]!;
  touchRecords(words, stride, Reservation.retireAfterSlot, groupRows, most);
  let count = 0;
  for (; count < most; count++) {
    const row = retirement.rows[wrapped(retirement, count)]!;
    if (!hasPassed(engine, row)) break;
    groupHashes[count] = hashKey(reservationIndex, words, row * stride);
  }
  touchBuckets(reservationIndex, groupHashes, count);
  for (let i = 0; i < count; i++) {
    const row = retirement.rows[wrapped(retirement, i)]! as Row;
    dropReservation(engine, row, groupHashes[i]!);
  }
  retirement.head = wrapped(retirement, count);
  retirement.used -= count;
}

function wrapped(retirement: RetirementQueue, ahead: number): number {
  const at = retirement.head + ahead;
  return at >= retirement.rows.length ? at - retirement.rows.length : at;
}

function hasPassed(engine: Engine, row: number): boolean {
  const { words, stride } = engine.tables.reservations;
  const retireAfter = row * stride + Reservation.retireAfterSlot;
  return compareU64(words, retireAfter, engine.progress, Progress.lastSlot) < 0;
}

/** The record goes; that its id once existed stays known through the watermark. */
function dropReservation(engine: Engine, row: Row, hash: number): void {
  const { reservations, reservationIndex, reservationRows } = engine.tables;
  const { words, stride } = reservations;
  const record = row * stride;
  const { progress } = engine;
  if (compareU64(words, record + Reservation.createdLsn, progress, Progress.maxRetiredLsn) > 0) {
    copyU64(progress, Progress.maxRetiredLsn, words, record + Reservation.createdLsn);
  }
  removeRow(reservationIndex, row, hash);
  if (engine.capture.active) preserveRow(engine.capture.reservations, row);
  reservations.members -= words[record + Reservation.memberCount]!;
  words.fill(0, record, record + stride);
  freeRow(reservationRows, row);
}
