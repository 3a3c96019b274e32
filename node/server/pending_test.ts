// Records of requests are used again and again: one must always be large enough, come back for the same
// size, answer its own owner only, and not be kept for ever because one client once sent large batches.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../../core/assert.ts";
import { createOutcome } from "../../core/outcome.ts";
import { PendingPool, type PendingSubmit } from "./pending.ts";

Deno.test("PendingPool gives a record with room, and the same one again", () => {
  const pool = new PendingPool();
  for (const count of [1, 2, 3, 4, 5, 1_023, 1_024, 1_025, 8_192, 65_535]) {
    const pending = pool.take(count);
    const room = pending.columns.kinds.length;
    assert(room >= count && room < 2 * count, `${room} for ${count}`);
    pool.give(pending);
    assert(pool.take(count) === pending);
  }
});

Deno.test("PendingPool keeps no more than its bound", () => {
  const pool = new PendingPool();
  const taken = Array.from({ length: 10 }, () => pool.take(65_535));
  for (const pending of taken) pool.give(pending);
  const again = Array.from({ length: 10 }, () => pool.take(65_535));
  assertEquals(again.filter((pending) => taken.includes(pending)).length, 4);
});

Deno.test("PendingSubmit tells its owner once, after the last result, in whatever order they come", () => {
  const done: PendingSubmit[] = [];
  const pending = new PendingPool().take(3);
  const outcome = createOutcome();
  const owner = { submitDone: (each: PendingSubmit) => void done.push(each) };
  for (let round = 1; round <= 2; round++) {
    pending.begin(owner, 0, round, 3);
    pending.committed(2, outcome);
    pending.rejected(0, { category: "definite", code: "shutting_down" });
    assertEquals(done.length, round - 1);
    pending.committed(1, outcome);
    assertEquals(done.length, round);
  }
});

Deno.test("server/one-answer-per-command: a second answer, or one nobody asked for, is a bug found at once", () => {
  const pending = new PendingPool().take(3); // With room for four.
  pending.begin({ submitDone: () => {} }, 0, 1, 3);
  const outcome = createOutcome();
  pending.committed(0, outcome);
  for (const token of [0, 3, 4, -1]) {
    assertThrows(
      () => pending.committed(token, outcome),
      AssertionFailure,
      "one-answer-per-command",
    );
  }
});
