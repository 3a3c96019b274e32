// Many lives of clusters, each with its own faults. ALLOCDB_SWARM_SEEDS=1000 lives more of them, and
// ALLOCDB_SWARM_FROM=12345 others. A life that ever failed stays in tests/corpus/sim/ as a plan, and is lived here for good.
import { assert, assertEquals } from "@std/assert";
import { parsePlan } from "../../testbed/sim/command/plan_file.ts";
import { drawPlan } from "../../testbed/sim/life/draw.ts";
import { explain, type Life, live } from "../../testbed/sim/life/life.ts";
import { type Plan, planText } from "../../testbed/sim/life/plan.ts";
import { FAULTS } from "../../testbed/sim/nemesis/strike.ts";

const SEEDS = Number(Deno.env.get("ALLOCDB_SWARM_SEEDS") ?? 80);
const FROM = Number(Deno.env.get("ALLOCDB_SWARM_FROM") ?? 1);
/** So many lives reach every fault. */
const SEEDS_FOR_ALL = 80;
const SEED_CORPUS = new URL("../corpus/cluster_seeds.txt", import.meta.url);
const PLAN_CORPUS = new URL("../corpus/sim/", import.meta.url);

Deno.test("plans that once failed do not fail again", () => {
  const names = [...Deno.readDirSync(PLAN_CORPUS)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json")).sort();
  for (const name of names) {
    const plan = parsePlan(Deno.readTextFileSync(new URL(name, PLAN_CORPUS)), name);
    if ("world" in plan) assertSound(live(plan), name);
  }
});

Deno.test("seeds that once failed do not fail again", () => {
  const seeds = Deno.readTextFileSync(SEED_CORPUS).split("\n")
    .filter((line) => /^\d/.test(line)).map((line) => parseInt(line));
  for (const seed of seeds) assertSound(live(drawPlan(seed, "swarm")), `seed ${seed}`);
});

Deno.test("a swarm of clusters keeps every promise; every fault strikes and every judge judges", () => {
  const counts = new Map<string, number>();
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    const life = live(drawPlan(seed, "ci"));
    assertSound(life, `seed ${seed}`);
    for (const [name, count] of Object.entries(life.counts)) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
  }
  if (SEEDS < SEEDS_FOR_ALL) return;
  assert(10 * counts.get("unknown")! < counts.get("linearized")!, "most histories are decided");
  const { unknown: _, ...judged } = Object.fromEntries(counts);
  const never = [...FAULTS.map((fault) => `strike/${fault}`), ...Object.keys(judged)]
    .filter((name) => !counts.get(name));
  assertEquals(never, []);
});

Deno.test("a plan takes the same course twice, traced or not, from its text or not, whatever was lived before", () => {
  const plans = [3, 4, 5].map((seed) => drawPlan(seed, "ci"));
  const lives = plans.map((plan) => live(plan, { isTraced: true }));
  for (const [i, plan] of [...plans.entries()].reverse()) {
    const read = parsePlan(planText(plan), "the text");
    assertEquals(read, plan);
    const again = live(read as Plan);
    assertEquals(again.transcriptHash, lives[i]!.transcriptHash);
    assertEquals(again.counts, lives[i]!.counts);
    assert(again.events > 1_000, "something happened");
  }
});

for (const profile of ["calm", "lite"] as const) {
  Deno.test(`lives of the profile ${profile} keep every promise`, () => {
    for (let seed = 1; seed <= 4; seed++) {
      const life = live(drawPlan(seed, profile));
      assertSound(life, `seed ${seed}`);
      assert(life.counts.decided! > 100, "commands were decided");
    }
  });
}

Deno.test("a life that is cut short is not judged by how it would have ended", () => {
  const plan = drawPlan(6, "ci");
  const { events } = live(plan);
  for (const eventsMax of [1, events >>> 2, events >>> 1, events - 100]) {
    const life = live(plan, { eventsMax });
    assertEquals([life.events, life.violation], [eventsMax, undefined]);
  }
});

/** Fails with the plan and what led to the violation. */
function assertSound({ plan, violation }: Life, name: string): void {
  if (violation === undefined) return;
  console.log(explainWith(plan));
  throw new Error(`${name}: ${violation.what}`);
}

function explainWith(plan: Plan): string {
  return `${planText(plan)}\n${explain(plan)}`;
}
