// Crashes and faults of the disk at every place of short lives, from making the directory through appends, rotations
// and checkpoints, and again in the starts that follow. Whatever was answered must be there, whatever was not must be a
// prefix, and a retry must have happened once.
//
// ALLOCDB_CRASH_SEEDS=20 sweeps as many lives; two without it.
import { assertEquals, assertGreater } from "@std/assert";
import { drawSinglePlan, type SinglePlan } from "./plan.ts";
import { sweepCrashes } from "./sweep.ts";

const SEEDS = Number(Deno.env.get("ALLOCDB_CRASH_SEEDS") ?? 2);

/** A life that is short and to which nothing happens by itself, by turns with a clock and without. */
function shortPlan(seed: number): SinglePlan {
  const plan = drawSinglePlan(seed);
  const core = { ...plan.core, maxReservations: 6, maxExpirationBucketLen: 6, maxOperations: 100 };
  const engine = { ...plan.engine, maxSubmissionQueue: 16 };
  return {
    ...plan,
    core,
    engine,
    segmentBytes: 2_048,
    isClocked: seed % 2 === 0,
    slot: "1",
    steps: 16,
    strikes: [],
  };
}

Deno.test("a node loses nothing that was answered and does nothing twice, wherever it is interrupted", () => {
  const total = { moments: 0, events: 0, operations: 0, starts: 0, retried: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { places, starts, retried, broken } = sweepCrashes(shortPlan(seed));
    const failures = broken.map(({ life, at }) => `${JSON.stringify(at)}: ${life.violation?.what}`);
    assertEquals(failures.slice(0, 10), [], `seed ${seed}`);
    for (const [name, count] of Object.entries({ ...places, starts, retried })) {
      total[name as keyof typeof total] += count;
    }
  }
  assertGreater(total.moments, 80 * SEEDS, "lives are long enough to rotate and to checkpoint");
  assertGreater(total.events, 10 * SEEDS);
  assertGreater(total.operations, 40 * SEEDS);
  assertGreater(total.starts, 8 * total.moments, "starts are interrupted too");
  assertGreater(
    total.retried,
    total.moments,
    "commands are under way when the node is interrupted",
  );
});
