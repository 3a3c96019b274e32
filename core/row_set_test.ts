// Which row a record gets is part of the state that replicas compare, so "lowest free" must hold at every
// size of the tree: against a plain set, around the sizes at which a level is added.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../testbed/sim/random.ts";
import { AssertionFailure } from "./assert.ts";
import { NO_ROW, type Row } from "./ids.ts";
import { createRowSet, freeRow, isTaken, type RowSet, takeLowestRow, takeRow } from "./row_set.ts";

const CAPACITIES = [1, 2, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025, 1056, 1057, 32_768, 32_801];

function lowestFree(taken: ReadonlySet<number>, capacity: number): number {
  for (let row = 0; row < capacity; row++) if (!taken.has(row)) return row;
  return NO_ROW;
}

Deno.test("takeLowestRow() gives every row in order, then none, at every size of the tree", () => {
  for (const capacity of CAPACITIES) {
    const set = createRowSet(capacity);
    for (let row = 0; row < capacity; row++) assertEquals(takeLowestRow(set), row as Row);
    assertEquals([takeLowestRow(set), set.used], [NO_ROW, capacity]);
    freeRow(set, (capacity - 1) as Row);
    assertEquals(takeLowestRow(set), (capacity - 1) as Row);
  }
});

Deno.test("a row set agrees with a plain set through takes and frees, nearly full and nearly empty", () => {
  const random = new SeededRandom(2);
  for (const capacity of CAPACITIES.filter((each) => each <= 1057)) {
    const set = createRowSet(capacity);
    const taken = new Set<number>();
    for (let i = 0; i < 1500; i++) {
      const filling = i % 300 < 150;
      if (random.below(8) < (filling ? 6 : 2)) {
        const lowest = lowestFree(taken, capacity);
        assertEquals(takeLowestRow(set), lowest as Row);
        if (lowest !== NO_ROW) taken.add(lowest);
      } else toggle(set, taken, random.below(capacity));
      assertEquals(set.used, taken.size);
    }
    for (let row = 0; row < capacity; row++) assertEquals(isTaken(set, row as Row), taken.has(row));
  }
});

function toggle(set: RowSet, taken: Set<number>, row: number): void {
  if (taken.delete(row)) freeRow(set, row as Row);
  else {
    takeRow(set, row as Row);
    taken.add(row);
  }
}

Deno.test("a row set with one hole anywhere finds it", () => {
  const capacity = 1057;
  const set = createRowSet(capacity);
  for (let row = 0; row < capacity; row++) takeLowestRow(set);
  for (let row = 0; row < capacity; row++) {
    freeRow(set, row as Row);
    assert(!isTaken(set, row as Row));
    assertEquals(takeLowestRow(set), row as Row);
  }
});

Deno.test("takeRow() refuses a row that is taken or does not exist: rows/taken-once", () => {
  const set = createRowSet(33);
  takeRow(set, 32 as Row);
  assertThrows(() => takeRow(set, 32 as Row), AssertionFailure, "rows/taken-once");
  assertThrows(() => takeRow(set, 33 as Row), AssertionFailure, "rows/taken-once");
  assertEquals(set.used, 1);
});

Deno.test("freeRow() refuses a free row: rows/freed-when-taken", () => {
  const set = createRowSet(33);
  assertThrows(() => freeRow(set, 0 as Row), AssertionFailure, "rows/freed-when-taken");
  takeRow(set, 0 as Row);
  freeRow(set, 0 as Row);
  assertThrows(() => freeRow(set, 0 as Row), AssertionFailure, "rows/freed-when-taken");
  assertEquals(set.used, 0);
});
