// A red bar accuses: it must never be drawn over a history that one machine could have given. So histories of the model
// are drawn, with lost answers and retries, and none of them may have an overlap; and a planted one must be seen.
import { assert, assertEquals } from "@std/assert";
import { generate, ROOMY } from "../../../tests/jepsen/generate.ts";
import { sampleRun } from "../../../tests/browser/sample_run.ts";
import { SeededRandom } from "../../sim/random.ts";
import { tellLie } from "../../../tests/jepsen/generate.ts";
import type { HistoryOperation } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import { holdsOf, slotAxisOf } from "./holds.ts";

/** A recording of nothing but operations. */
function recordingOf(operations: readonly HistoryOperation[]): Recording {
  const empty = sampleRun({ operations: 0 }).recording;
  return { ...empty, operations, events: 4 * operations.length };
}

function historyOf(seed: number): HistoryOperation[] {
  return generate(new SeededRandom(seed), {
    attempts: 60,
    processes: 5,
    resources: 3,
    bounds: ROOMY,
    lostOneIn: seed % 3 === 0 ? 0 : 12,
    conflictOneIn: seed % 5 === 0 ? 20 : 0,
    bundleOneIn: 4,
    showsVersions: false,
    showsOrder: seed % 2 === 0,
    isPrepared: true,
  });
}

Deno.test("holdsOf() finds no overlap in a history of the model", () => {
  let holds = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const found = holdsOf(recordingOf(historyOf(seed)), false);
    holds += found.length;
    assertEquals(found.filter(({ over }) => over !== undefined).length, 0, `seed ${seed}`);
  }
  assert(holds > 1_000, `${holds}`);
});

Deno.test("holdsOf() finds overlaps in some histories of which one answer is a lie", () => {
  let found = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const lied = tellLie(new SeededRandom(seed), historyOf(seed));
    if (holdsOf(recordingOf(lied), false).some(({ over }) => over !== undefined)) found++;
  }
  assert(found > 0);
});

Deno.test("holdsOf() marks the hold that a violation is about and no other", () => {
  const input = sampleRun({ operations: 2_000, isBroken: true });
  const overlaps = holdsOf(input.recording, true).filter(({ over }) => over !== undefined);
  const { first } = input.judgement.checks.flatMap(({ violations }) => violations)[0]!;
  assertEquals(overlaps.map(({ reserve }) => reserve.invokedAt), [first!.invokedAt]);
});

Deno.test("slotAxisOf() tells the slot of a moment to within one slot", () => {
  const { recording } = sampleRun({ operations: 500 });
  const { atZero, slotNs } = slotAxisOf(recording)!;
  assertEquals(slotNs, 10e6);
  assert(Math.abs(atZero - 1_000) < 1, `${atZero}`);
  assertEquals(slotAxisOf({ ...recording, header: { model: "reservation" } }), undefined);
});
