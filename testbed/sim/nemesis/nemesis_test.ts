// A fault that changes nothing is one that nobody survived. Each of the table strikes alone, again and again: it must find
// something to strike, another course must come of it, and every promise must hold.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { drawPlan } from "../life/draw.ts";
import { live } from "../life/life.ts";
import type { Plan } from "../life/plan.ts";
import { ClusterWorld } from "../world/world.ts";
import { FATES } from "./fates.ts";
import { ClusterNemesis } from "./nemesis.ts";
import { shuffled } from "./scene.ts";
import { type FaultName, FAULTS, type Strike } from "./strike.ts";
import { SeededRandom } from "../random.ts";

const calm = drawPlan(1, "calm");
const PLAN: Plan = {
  ...calm,
  world: { ...calm.world, replicas: 5, checkpoints: { bytes: 1e9, frames: 60, ageMs: 1e9 } },
  victims: [0, 3],
  troubleMs: 2_500,
  ending: { core: [0, 1, 2, 3, 4], fates: [] },
};
const CALM_HASH = live(PLAN).transcriptHash;

for (const fault of FAULTS) {
  Deno.test(`${fault} strikes, changes the course and is survived`, () => {
    const life = live({ ...PLAN, strikes: strikesOf(fault) });
    assertEquals(life.violation?.message, undefined);
    assert(life.counts[`strike/${fault}`]! > 0, "it strikes");
    assertNotEquals(life.transcriptHash, CALM_HASH);
  });
}

for (const fate of FATES) {
  Deno.test(`a core goes on without replicas that are ${fate} for good`, () => {
    const fates = [0, 3].map((replica) => ({ replica, fate, seed: 7 + replica }));
    const life = live({ ...PLAN, ending: { core: [1, 2, 4], fates } });
    assertEquals(life.violation?.message, undefined);
    const { primary } = life.world;
    assert(primary !== undefined && [1, 2, 4].includes(primary.index), "one of the core leads");
  });
}

Deno.test("a strike draws the same whatever strikes beside it", () => {
  const [first, second] = [strikesOf("crash")[0]!, strikesOf("pause")[1]!];
  const victimsOf = (strikes: readonly Strike[]): string[] => {
    const world = new ClusterWorld({ seed: 3, replicas: 5, isTraced: true });
    new ClusterNemesis(world, strikes, { victims: [], keeper: 0, keepsLogs: true });
    world.run(first.atMs + 1);
    return world.transcript.filter((line) => line.includes("ends: crash"));
  };
  assertEquals(victimsOf([first, second]), victimsOf([first]));
  assertEquals(victimsOf([first]).length, 1);
});

Deno.test("nothing strikes when trouble is over, and nothing ends by itself", () => {
  const world = new ClusterWorld({ seed: 4 });
  const nemesis = new ClusterNemesis(world, strikesOf("crash"), {
    ...{ victims: [], keeper: 0, keepsLogs: true },
  });
  nemesis.end();
  world.run(3_000);
  assertEquals(nemesis.struck.size, 0);
  nemesis.isOver = false;
  nemesis.strike({ ...strikesOf("kill")[0]!, forMs: 1 });
  nemesis.end();
  world.run(3_000);
  assertEquals(world.machines.filter(({ isRunning }) => isRunning).length, 2);
});

Deno.test("shuffled() keeps everything and finds every order", () => {
  const random = new SeededRandom(1);
  const orders = Array.from({ length: 400 }, () => shuffled([1, 2, 3, 4], random).join(""));
  assertEquals(new Set(orders).size, 24);
  assert(orders.every((order) => [...order].sort().join("") === "1234"));
});

function strikesOf(fault: FaultName): Strike[] {
  return Array.from({ length: 14 }, (_, i) => ({
    atMs: 500 + 140 * i,
    fault,
    seed: 1_000 + i,
    forMs: 300,
  }));
}
