/**
 * Reserved reservations by the slot at which they fall due. Bucket = deadline mod (longest ttl + 1); a bucket
 * is a list through the reservation records, in no order: whoever plans expirations sorts what is due.
 * Overdue reservations stay in their bucket, so a bucket may mix deadlines a whole turn apart.
 */
import { assert } from "./assert.ts";
import type { Row } from "./ids.ts";
import { Reservation, type Table } from "./tables.ts";
import { bumpU64, compareU64, copyU64 } from "./words.ts";

/** The wheel of one engine; derived from the reservation table, rebuilt after a restore. */
export interface TimingWheel {
  readonly records: Table;
  /** Row + 1 of the first reservation of each bucket. */
  readonly heads: Uint32Array;
  readonly counts: Uint32Array;
  readonly bucketLengthMax: number;
  /** How many reservations are in the wheel. */
  scheduled: number;
  /** No scheduled deadline is below this slot: where looking for what is due begins. */
  readonly cursor: Uint32Array;
}

const LIST_END = 0;
const slot = new Uint32Array(2);
const earliest = new Uint32Array(2);

/**
 * Makes an empty wheel.
 *
 * @param records The reservation table, whose records hold the links.
 * @param maxTtlSlots Longest ttl; the wheel has one bucket more.
 * @param bucketLengthMax Most reservations in one bucket.
 * @returns A wheel with nothing in it.
 */
export function createTimingWheel(
  records: Table,
  maxTtlSlots: bigint,
  bucketLengthMax: number,
): TimingWheel {
  const buckets = Number(maxTtlSlots + 1n);
  return {
    records,
    heads: new Uint32Array(buckets),
    counts: new Uint32Array(buckets),
    bucketLengthMax,
    scheduled: 0,
    cursor: new Uint32Array(2),
  };
}

/** Bucket of the u64 deadline at `words[at]`. */
export function bucketOf(wheel: TimingWheel, words: Uint32Array, at: number): number {
  const buckets = wheel.heads.length;
  if (words[at + 1] === 0) return words[at]! % buckets; // An integer division: the other is ten times dearer.
  // Below 2^26, so the product stays exact.
  return ((words[at + 1]! % buckets) * (0x1_0000_0000 % buckets) + words[at]! % buckets) % buckets;
}

/** Whether one more reservation with this deadline fits. */
export function bucketHasRoom(wheel: TimingWheel, words: Uint32Array, at: number): boolean {
  return wheel.counts[bucketOf(wheel, words, at)]! < wheel.bucketLengthMax;
}

/** Adds a reservation under the deadline in its record. */
export function schedule(wheel: TimingWheel, row: Row): void {
  const { words, stride } = wheel.records;
  const record = row * stride;
  const bucket = bucketOf(wheel, words, record + Reservation.deadlineSlot);
  assert(wheel.counts[bucket]! < wheel.bucketLengthMax, "wheel/bucket-bounded");
  const follower = wheel.heads[bucket]!;
  words[record + Reservation.next] = follower;
  words[record + Reservation.previous] = LIST_END;
  if (follower !== LIST_END) words[(follower - 1) * stride + Reservation.previous] = row + 1;
  wheel.heads[bucket] = row + 1;
  wheel.counts[bucket]!++;
  const sooner = compareU64(words, record + Reservation.deadlineSlot, wheel.cursor, 0) < 0;
  if (sooner || wheel.scheduled === 0) {
    copyU64(wheel.cursor, 0, words, record + Reservation.deadlineSlot);
  }
  wheel.scheduled++;
}

/** Removes a scheduled reservation. */
export function unschedule(wheel: TimingWheel, row: Row): void {
  const { words, stride } = wheel.records;
  const record = row * stride;
  const bucket = bucketOf(wheel, words, record + Reservation.deadlineSlot);
  const follower = words[record + Reservation.next]!;
  const leader = words[record + Reservation.previous]!;
  assert(leader !== LIST_END || wheel.heads[bucket] === row + 1, "wheel/reserved-is-scheduled");
  if (leader === LIST_END) wheel.heads[bucket] = follower;
  else words[(leader - 1) * stride + Reservation.next] = follower;
  if (follower !== LIST_END) words[(follower - 1) * stride + Reservation.previous] = leader;
  words[record + Reservation.next] = LIST_END;
  words[record + Reservation.previous] = LIST_END;
  wheel.counts[bucket]!--;
  wheel.scheduled--;
}

/**
 * Collects reservations due at a slot, soonest deadline first, oldest first among equals.
 *
 * @param wheel The wheel.
 * @param until Words of the slot up to which (inclusive) a deadline is due.
 * @param rows Receives row numbers; its length is the bound.
 * @returns How many rows were filled in.
 */
export function collectDue(wheel: TimingWheel, until: Uint32Array, rows: Uint32Array): number {
  let count = 0;
  walkDue(wheel, until, (row) => {
    if (count < rows.length) rows[count] = row;
    return ++count < rows.length;
  });
  return Math.min(count, rows.length);
}

/** How many scheduled reservations are due at a slot. */
export function countDue(wheel: TimingWheel, until: Uint32Array): number {
  let count = 0;
  walkDue(wheel, until, () => {
    count++;
    return true;
  });
  return count;
}

/**
 * Visits due rows in order until the visitor says false; moves the cursor over slots with nothing due. A
 * turn of the wheel without a row is followed by a look at all of them: gaps may be as wide as 64 bits.
 */
function walkDue(wheel: TimingWheel, until: Uint32Array, visit: (row: Row) => boolean): void {
  copyU64(slot, 0, wheel.cursor, 0);
  let nothingSoFar = true;
  let emptySlots = 0;
  for (let left = wheel.scheduled; left > 0 && compareU64(slot, 0, until, 0) <= 0;) {
    const due = rowsDueAt(wheel, slot);
    left -= due.length;
    for (const row of due) if (!visit(row as Row)) return;
    nothingSoFar &&= due.length === 0;
    if (!bumpU64(slot, 0, 1)) return;
    emptySlots = due.length === 0 ? emptySlots + 1 : 0;
    if (emptySlots === wheel.heads.length) {
      seekFrom(wheel, slot);
      emptySlots = 0;
    }
    if (nothingSoFar) copyU64(wheel.cursor, 0, slot, 0);
  }
}

/** Rows whose deadline is exactly `at`, oldest first. */
function rowsDueAt(wheel: TimingWheel, at: Uint32Array): number[] {
  const bucket = bucketOf(wheel, at, 0);
  const rows: number[] = [];
  if (wheel.counts[bucket] === 0) return rows;
  const { words, stride } = wheel.records;
  for (let link = wheel.heads[bucket]!; link !== LIST_END;) {
    const record = (link - 1) * stride;
    if (compareU64(words, record + Reservation.deadlineSlot, at, 0) === 0) rows.push(link - 1);
    link = words[record + Reservation.next]!;
  }
  const created = Reservation.createdLsn;
  return rows.sort((a, b) => compareU64(words, a * stride + created, words, b * stride + created));
}

/** Moves a slot up to the earliest deadline at or above it; to the last slot of all when there is none. */
function seekFrom(wheel: TimingWheel, from: Uint32Array): void {
  const { words, stride } = wheel.records;
  earliest.fill(0xffff_ffff);
  for (const head of wheel.heads) {
    for (let link = head; link !== LIST_END;) {
      const deadline = (link - 1) * stride + Reservation.deadlineSlot;
      const ahead = compareU64(words, deadline, from, 0) >= 0;
      if (ahead && compareU64(words, deadline, earliest, 0) < 0) {
        copyU64(earliest, 0, words, deadline);
      }
      link = words[(link - 1) * stride + Reservation.next]!;
    }
  }
  copyU64(from, 0, earliest, 0);
}
