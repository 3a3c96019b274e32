// What is due, and in which order, decides who loses a hold: the wheel against a sorted list that forgets
// nothing, with deadlines whole turns apart, long idle stretches and slots on both ends of 64 bits.
import { assertEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../testbed/sim/random.ts";
import { AssertionFailure } from "./assert.ts";
import type { Row } from "./ids.ts";
import { Reservation, type Table } from "./tables.ts";
import {
  bucketHasRoom,
  bucketOf,
  collectDue,
  countDue,
  createTimingWheel,
  schedule,
  type TimingWheel,
  unschedule,
} from "./timing_wheel.ts";
import { readU64, writeU64 } from "./words.ts";

const U64_MAX = 2n ** 64n - 1n;
const ROWS = 64;

interface Entry {
  readonly row: number;
  readonly deadline: bigint;
  readonly lsn: bigint;
}

interface Fixture {
  readonly table: Table;
  readonly wheel: TimingWheel;
  readonly entries: Map<number, Entry>;
}

function createFixture(maxTtl: bigint, bucketLengthMax = ROWS): Fixture {
  const stride = Reservation.members + 1;
  const table = { words: new Uint32Array(ROWS * stride), stride, capacity: ROWS };
  return { table, wheel: createTimingWheel(table, maxTtl, bucketLengthMax), entries: new Map() };
}

function add({ table, wheel, entries }: Fixture, entry: Entry): void {
  const record = entry.row * table.stride;
  writeU64(table.words, record + Reservation.createdLsn, entry.lsn);
  writeU64(table.words, record + Reservation.deadlineSlot, entry.deadline);
  schedule(wheel, entry.row as Row);
  entries.set(entry.row, entry);
}

function remove({ wheel, entries }: Fixture, row: number): void {
  unschedule(wheel, row as Row);
  entries.delete(row);
}

function expected({ entries }: Fixture, until: bigint): number[] {
  return [...entries.values()]
    .filter(({ deadline }) => deadline <= until)
    .sort((a, b) => Number(a.deadline - b.deadline) || Number(a.lsn - b.lsn))
    .map(({ row }) => row);
}

function collected({ wheel }: Fixture, until: bigint, atMost = ROWS): number[] {
  const rows = new Uint32Array(atMost);
  return [...rows.subarray(0, collectDue(wheel, slotWords(until), rows))];
}

function slotWords(slot: bigint): Uint32Array {
  const words = new Uint32Array(2);
  writeU64(words, 0, slot);
  return words;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Slots that a wheel of 1 to 9 buckets meets: carries between the words, the far end, and idle jumps. */
const ORIGINS = [0n, 2n ** 32n - 12n, 2n ** 53n - 12n, U64_MAX - 400n];
const JUMPS = [0n, 0n, 0n, 1n, 1n, 2n, 3n, 7n, 9n, 30n, 100n];

Deno.test("collectDue() and countDue() agree with a sorted list through schedules, removals and jumps", () => {
  const random = new SeededRandom(17);
  for (let round = 0; round < 400; round++) {
    const maxTtl = BigInt(1 + random.below(8));
    const fixture = createFixture(maxTtl);
    let now = ORIGINS[random.below(ORIGINS.length)]!;
    for (let lsn = 1n; lsn <= 60n; lsn++) {
      now = least(now + JUMPS[random.below(JUMPS.length)]!, U64_MAX - maxTtl);
      const row = random.below(ROWS);
      if (fixture.entries.has(row)) remove(fixture, row);
      else {
        const deadline = now + 1n + BigInt(random.below(Number(maxTtl)));
        add(fixture, { row, deadline, lsn: random.oneIn(2) ? lsn : 1000n - lsn });
      }
      const until = random.oneIn(3) ? least(now + BigInt(random.below(20)), U64_MAX) : now;
      const due = expected(fixture, until);
      const atMost = random.below(5);
      assertEquals(collected(fixture, until, atMost), due.slice(0, atMost));
      assertEquals(collected(fixture, until), due);
      assertEquals(countDue(fixture.wheel, slotWords(until)), due.length);
    }
  }
});

Deno.test("collectDue() crosses a gap of 2^60 slots between overdue reservations without walking it", () => {
  const fixture = createFixture(8n);
  add(fixture, { row: 0, deadline: 3n, lsn: 1n });
  add(fixture, { row: 1, deadline: 2n ** 60n, lsn: 2n });
  add(fixture, { row: 2, deadline: U64_MAX, lsn: 3n });
  assertEquals(collected(fixture, U64_MAX), [0, 1, 2]);
  assertEquals(countDue(fixture.wheel, slotWords(2n ** 60n)), 2);
  remove(fixture, 0);
  assertEquals(collected(fixture, 2n ** 60n - 1n), []);
  assertEquals(collected(fixture, U64_MAX), [1, 2]);
});

Deno.test("collectDue() finds a deadline below one that was looked for before", () => {
  const fixture = createFixture(8n);
  add(fixture, { row: 0, deadline: 108n, lsn: 1n });
  assertEquals(collected(fixture, 107n), []);
  add(fixture, { row: 1, deadline: 101n, lsn: 2n });
  assertEquals(collected(fixture, 107n), [1]);
});

Deno.test("collectDue() fills no row when there is no room or nothing is scheduled", () => {
  const fixture = createFixture(8n);
  assertEquals(collected(fixture, U64_MAX), []);
  add(fixture, { row: 0, deadline: 1n, lsn: 1n });
  assertEquals(collected(fixture, U64_MAX, 0), []);
});

Deno.test("bucketOf() is the deadline modulo the longest ttl + 1 for every u64", () => {
  const random = new SeededRandom(18);
  for (const maxTtl of [1n, 2n, 7n, 255n, 65_535n, 360_000n, 2n ** 26n - 2n]) {
    const { wheel } = createFixture(maxTtl);
    const words = new Uint32Array(2);
    for (let i = 0; i < 500; i++) {
      words[0] = random.nextU32();
      words[1] = random.oneIn(2) ? random.below(4) : random.nextU32();
      assertEquals(bucketOf(wheel, words, 0), Number(readU64(words, 0) % (maxTtl + 1n)));
    }
    words.fill(0xffff_ffff);
    assertEquals(bucketOf(wheel, words, 0), Number(U64_MAX % (maxTtl + 1n)));
  }
});

Deno.test("bucketHasRoom() counts every deadline of the bucket, also those whole turns apart", () => {
  const fixture = createFixture(4n, 2);
  add(fixture, { row: 0, deadline: 3n, lsn: 1n });
  assertEquals(bucketHasRoom(fixture.wheel, slotWords(8n), 0), true);
  add(fixture, { row: 1, deadline: 8n, lsn: 2n });
  assertEquals(bucketHasRoom(fixture.wheel, slotWords(13n), 0), false);
  assertEquals(bucketHasRoom(fixture.wheel, slotWords(12n), 0), true);
  remove(fixture, 0);
  assertEquals(bucketHasRoom(fixture.wheel, slotWords(13n), 0), true);
});

Deno.test("schedule() refuses to overfill a bucket: wheel/bucket-bounded", () => {
  const fixture = createFixture(4n, 1);
  add(fixture, { row: 0, deadline: 3n, lsn: 1n });
  assertThrows(
    () => add(fixture, { row: 1, deadline: 8n, lsn: 2n }),
    AssertionFailure,
    "wheel/bucket-bounded",
  );
});

Deno.test("unschedule() refuses a row that is in no bucket: wheel/reserved-is-scheduled", () => {
  const fixture = createFixture(4n);
  add(fixture, { row: 0, deadline: 3n, lsn: 1n });
  assertThrows(() => remove(fixture, 1), AssertionFailure, "wheel/reserved-is-scheduled");
  remove(fixture, 0);
  assertThrows(() => remove(fixture, 0), AssertionFailure, "wheel/reserved-is-scheduled");
});
