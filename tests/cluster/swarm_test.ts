// Many lives of clusters, each with its own faults. ALLOCDB_SWARM_SEEDS=1000 lives more of them, and
// ALLOCDB_SWARM_FROM=12345 others; a seed that ever failed is in tests/corpus/cluster_seeds.txt for good.
import { assert, assertEquals } from "@std/assert";
import { drawPlan } from "../../testbed/sim/life/draw.ts";
import { explain, live } from "../../testbed/sim/life/life.ts";

const SEEDS = Number(Deno.env.get("ALLOCDB_SWARM_SEEDS") ?? 60);
const FROM = Number(Deno.env.get("ALLOCDB_SWARM_FROM") ?? 1);
const CORPUS = new URL("../corpus/cluster_seeds.txt", import.meta.url);

Deno.test("seeds that once failed do not fail again", () => {
  const seeds = Deno.readTextFileSync(CORPUS).split("\n")
    .filter((line) => /^\d/.test(line)).map((line) => parseInt(line));
  assertEquals(failing(seeds), []);
});

Deno.test("a swarm of clusters keeps every promise", () => {
  const seeds = Array.from({ length: SEEDS }, (_, i) => FROM + i);
  assertEquals(failing(seeds), []);
});

Deno.test("a plan takes the same course twice, traced or not", () => {
  for (const seed of [3, 4]) {
    const plan = drawPlan(seed, "swarm");
    const [first, second] = [live(plan), live(plan, { isTraced: true })];
    assertEquals(first.transcriptHash, second.transcriptHash);
    assert(first.events > 1_000, "something happened");
  }
});

/** Lives each seed; explains the first that fails. */
function failing(seeds: readonly number[]): number[] {
  const failed = seeds.filter((seed) => live(drawPlan(seed, "swarm")).violation !== undefined);
  if (failed.length > 0) console.log(explain(drawPlan(failed[0]!, "swarm")));
  return failed;
}
