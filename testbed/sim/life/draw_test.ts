// Plans that are not what they say are lives nobody lived: each must be one that a cluster can run, keep its text whole, keep
// within the fault budget, and all of them together must reach every corner that lives are drawn from.
import { assert, assertEquals } from "@std/assert";
import { checkCoreConfig, checkEngineConfig } from "../../../core/config.ts";
import { checkTiming } from "../../../node/vsr/timing.ts";
import { FATES } from "../nemesis/fates.ts";
import { DURABLE_FAULTS, FAULTS, LEASELESS_FAULTS } from "../nemesis/strike.ts";
import { drawPlan } from "./draw.ts";
import { coreOfPlan, type Plan, planText, PROFILES } from "./plan.ts";

const SEEDS = 1_500;

const swarm = plansOf("swarm");

Deno.test("drawPlan() draws what a cluster can run", () => {
  for (const profile of PROFILES) {
    for (const { seed, world } of plansOf(profile).slice(0, 500)) {
      const name = `${profile} ${seed}`;
      assertEquals(checkCoreConfig(coreOfPlan(world.core)), undefined, name);
      assertEquals(checkEngineConfig(world.engine), undefined, name);
      assertEquals(checkTiming(world.timing), undefined, name);
    }
  }
});

Deno.test("drawPlan() draws the same twice, and another plan from another seed", () => {
  for (const seed of [0, 1, 0xffff_ffff]) {
    assertEquals(drawPlan(seed, "swarm"), drawPlan(seed, "swarm"));
  }
  assertEquals(new Set(swarm.map((plan) => planText({ ...plan, seed: 0 }))).size, SEEDS);
});

Deno.test("planText() keeps a plan whole, with a line for each strike", () => {
  for (const plan of swarm.slice(0, 300)) {
    const text = planText(plan);
    assertEquals(JSON.parse(text), plan);
    const lines = text.split("\n").filter((line) => line.includes('"fault"'));
    assertEquals(lines.length, plan.strikes.length);
  }
});

Deno.test("drawPlan() keeps damage to a minority, and a majority of the others in the core", () => {
  for (const { seed, world, strikes, victims, ending } of swarm) {
    const isDamaged = strikes.some(({ fault }) => DURABLE_FAULTS.has(fault));
    const sound = ending.core.filter((at) => !isDamaged || !victims.includes(at));
    assert(2 * victims.length < world.replicas, `seed ${seed}: victims are a minority`);
    assert(2 * sound.length > world.replicas, `seed ${seed}: sound replicas are a majority`);
    const met = [...ending.core, ...ending.fates.map(({ replica }) => replica)];
    if (ending.fates.length > 0) assertEquals(met.toSorted(), positions(world.replicas), `${seed}`);
  }
});

Deno.test("drawPlan() lets no clock leap in a life with leases", () => {
  for (const { seed, world, strikes } of swarm) {
    const leaps = strikes.some(({ fault }) => LEASELESS_FAULTS.has(fault));
    assert(!leaps || world.timing.leaseMs === 0, `seed ${seed}`);
  }
});

Deno.test("drawPlan() draws strikes in order, within the trouble", () => {
  for (const { seed, strikes, troubleMs } of swarm) {
    const times = strikes.map(({ atMs }) => atMs);
    assertEquals(times, times.toSorted((a, b) => a - b), `seed ${seed}`);
    assert(times.every((atMs) => atMs < troubleMs), `seed ${seed}`);
  }
});

Deno.test("drawPlan() reaches every fault, size, fate and corner", () => {
  const strikes = swarm.flatMap((plan) => plan.strikes);
  assertEquals(seen(FAULTS, strikes.map(({ fault }) => fault)), [...FAULTS]);
  const fates = swarm.flatMap(({ ending }) => ending.fates);
  assertEquals(seen(FATES, fates.map(({ fate }) => fate)), [...FATES]);
  assertEquals(seen([1, 3, 5, 7], swarm.map(({ world }) => world.replicas)), [1, 3, 5, 7]);
  for (const [corner, isThere] of Object.entries(CORNERS)) {
    const count = swarm.filter(isThere).length;
    assert(count > 5 && count < SEEDS, `${corner}: ${count} of ${SEEDS}`);
  }
});

/** What some lives are like and others are not. */
const CORNERS: Record<string, (plan: Plan) => boolean> = {
  "nothing goes wrong": ({ strikes }) => strikes.length === 0,
  "much goes wrong": ({ strikes }) => strikes.length > 40,
  "all heals": ({ ending }) => ending.fates.length === 0,
  "bad weather": ({ world }) => world.weather.delayMsMax > 2,
  "clocks of their own": ({ world }) => world.clocks.length > 0,
  leases: ({ world }) => world.timing.leaseMs > 0,
  "short elections": ({ world }) => world.timing.electionMsMax < 300,
  "long elections": ({ world }) => world.timing.electionMsMax > 1_200,
  "small windows": ({ world }) => world.timing.windowBytes < 30_000,
  "few resources": ({ world }) => world.core.maxResources < 3,
  "few reservations": ({ world }) => world.core.maxReservations < 4,
  "few operations": ({ world }) => world.core.maxOperations < 100,
  "small buckets": ({ world }) => world.core.maxExpirationBucketLen === 1,
  "short lives": ({ world }) => Number(world.core.maxTtlSlots) < 20,
  "no history": ({ world }) => world.core.reservationHistoryWindowSlots === "0",
  "no bundles": ({ world }) => world.core.maxBundleSize === 1,
  "short queues": ({ world }) => world.engine.maxSubmissionQueue < 4,
  "one expiration at a time": ({ world }) => world.engine.maxExpirationsPerTick === 1,
  checkpoints: ({ world }) => world.checkpoints !== null,
  "small segments": ({ world }) => world.segmentBytes === 4_096,
  "manual failover": ({ world }) => world.manualFailover,
  "parallel disks": ({ world }) => world.parallelDisks,
  victims: ({ victims }) => victims.length > 0,
};

function plansOf(profile: Plan["profile"]): Plan[] {
  return Array.from({ length: SEEDS }, (_, i) => drawPlan(i + 1, profile));
}

/** Those of `all` that occur. */
function seen<T>(all: readonly T[], occurring: readonly T[]): T[] {
  const set = new Set(occurring);
  return all.filter((one) => set.has(one));
}

function positions(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
