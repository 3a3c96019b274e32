/** Plans drawn from seeds: each has its own size, bounds, weather and faults, so that no fault hides another in all. */
import { FATES } from "../nemesis/fates.ts";
import { shuffled } from "../nemesis/scene.ts";
import { DURABLE_FAULTS } from "../nemesis/strike.ts";
import { partRandom, type SeededRandom } from "../random.ts";
import { drawWorkload, PLAIN_WORKLOAD, type PlanWorkload } from "../workload/plan.ts";
import { drawStrikes } from "./draw_strikes.ts";
import { drawWorld, PLAIN_WORLD } from "./draw_world.ts";
import type { Plan, PlanEnding, PlanWorld, ProfileName } from "./plan.ts";

/** Virtual time in milliseconds in which things go wrong, at least and at most. */
const TROUBLE_MS: Readonly<Record<ProfileName, readonly [number, number]>> = {
  swarm: [3_000, 12_000],
  ci: [2_000, 5_000],
  lite: [4_000, 8_000],
  calm: [60_000, 60_000],
};

/** Clients of a calm life think for an eighth of a second on average: everybody is seen, and nothing is in a hurry. */
const CALM_WORKLOAD: PlanWorkload = { ...PLAIN_WORKLOAD, thinkMs: 250 };

/**
 * Draws a life. World, clients, strikes and ending have a generator each: another way to draw one of them leaves
 * the others of a seed as they were.
 *
 * @param seed Any 32-bit number.
 * @param profile What kind of life. Source: docs/simulator.md#profiles.
 * @returns The same plan for the same seed and profile.
 */
export function drawPlan(seed: number, profile: ProfileName): Plan {
  const random = partRandom(seed, "plan");
  const [min, max] = TROUBLE_MS[profile];
  const troubleMs = min + random.below(max - min + 1);
  const world = worldOf(seed, profile);
  const victims = drawVictims(world, random);
  const rules = { profile, world, troubleMs, hasVictims: victims.length > 0 };
  const strikes = profile === "calm" ? [] : drawStrikes(rules, partRandom(seed, "nemesis"));
  const isDamaged = strikes.some(({ fault }) => DURABLE_FAULTS.has(fault));
  const ending = profile === "swarm" || profile === "ci"
    ? drawEnding(world, isDamaged ? victims : [], partRandom(seed, "ending"))
    : { core: positions(world), fates: [] };
  const workload = workloadOf(seed, profile);
  return { seed: seed >>> 0, profile, world, workload, strikes, victims, troubleMs, ending };
}

function worldOf(seed: number, profile: ProfileName): PlanWorld {
  return profile === "calm" || profile === "lite"
    ? PLAIN_WORLD
    : drawWorld(partRandom(seed, "world"), profile);
}

function workloadOf(seed: number, profile: ProfileName): PlanWorkload {
  return profile === "calm" ? CALM_WORKLOAD : drawWorkload(partRandom(seed, "workload"));
}

/** A minority: that copies of a majority are whole is all that anybody can promise to survive. */
function drawVictims(world: PlanWorld, random: SeededRandom): number[] {
  const max = (world.replicas - 1) >>> 1;
  const count = max === 0 ? 0 : 1 + random.below(max);
  return ascending(shuffled(positions(world), random).slice(0, count));
}

/**
 * In one life of two everything heals. In the others a core does, and all else is broken for good: a majority that
 * has a majority of those that never lost anything, since nobody counts who has lost what he promised.
 */
function drawEnding(
  world: PlanWorld,
  damaged: readonly number[],
  random: SeededRandom,
): PlanEnding {
  const all = positions(world);
  if (random.oneIn(2)) return { core: all, fates: [] };
  const quorum = (all.length >>> 1) + 1;
  const sound = shuffled(all.filter((at) => !damaged.includes(at)), random);
  const others = all.filter((at) => !sound.slice(0, quorum).includes(at));
  const core = ascending([...sound.slice(0, quorum), ...others.filter(() => random.oneIn(3))]);
  const fates = all.filter((at) => !core.includes(at)).map((replica) => ({
    replica,
    fate: FATES[random.below(FATES.length)]!,
    seed: random.nextU32(),
  }));
  return { core, fates };
}

function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

function positions({ replicas }: PlanWorld): number[] {
  return Array.from({ length: replicas }, (_, index) => index);
}
