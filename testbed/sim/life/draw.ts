/** Plans drawn from seeds: each has its own size, bounds, weather and faults, so that no fault hides another in all. */
import { DEFAULT_TIMING, type VsrTiming } from "../../../node/vsr/timing.ts";
import { FAULTS, type Strike } from "../nemesis/strike.ts";
import { drawWeather } from "../nemesis/weather.ts";
import { SeededRandom } from "../random.ts";
import { drawWorkload, PLAIN_WORKLOAD, type PlanWorkload } from "../workload/plan.ts";
import { CALM_WEATHER } from "../world/network.ts";
import { WORLD_CORE, WORLD_ENGINE } from "../world/world.ts";
import { type Plan, type PlanClock, planCore, type PlanWorld, type ProfileName } from "./plan.ts";

/** Virtual time in which things go wrong. */
const TROUBLE_MS = 12_000;

/**
 * Draws a life.
 *
 * @param seed Any 32-bit number.
 * @param profile What kind of life.
 * @returns The same plan for the same seed and profile.
 */
export function drawPlan(seed: number, profile: ProfileName): Plan {
  const random = new SeededRandom(seed);
  const workload = profile === "calm" ? PLAIN_WORKLOAD : drawWorkload(random);
  const world = drawWorld(random, workload);
  const troubleMs = profile === "ci" ? TROUBLE_MS / 2 : TROUBLE_MS;
  const strikes = profile === "calm" ? [] : drawStrikes(random, troubleMs);
  const core = Array.from({ length: world.replicas }, (_, index) => index);
  return { seed: seed >>> 0, profile, world, workload, strikes, troubleMs, ending: { core } };
}

function drawWorld(random: SeededRandom, { clients }: PlanWorkload): PlanWorld {
  const replicas = random.oneIn(4) ? 5 : 3;
  const hasCheckpoints = random.oneIn(2);
  // In one world of three every clock has its own pace, up to 5 per cent off, and its own beginning.
  const isSkewed = random.oneIn(3);
  return {
    replicas,
    core: planCore(WORLD_CORE),
    engine: { ...WORLD_ENGINE, maxSubmissionQueue: clients >= 16 ? 2 + random.below(30) : 64 },
    timing: drawTiming(random),
    weather: random.oneIn(3) ? drawWeather(random) : CALM_WEATHER,
    clocks: isSkewed ? Array.from({ length: replicas }, () => drawClock(random)) : [],
    checkpoints: hasCheckpoints ? { bytes: 1e9, frames: 20 + random.below(300), ageMs: 1e9 } : null,
    segmentBytes: 4_096 << random.below(5),
  };
}

/** Sometimes leases, sometimes messages and windows of a few entries. */
function drawTiming(random: SeededRandom): VsrTiming {
  return {
    ...DEFAULT_TIMING,
    ...(random.oneIn(3) ? { leaseMs: 20 + random.below(181) } : {}),
    ...(random.oneIn(3) ? { messageBytesMax: 200 + random.below(4_000) } : {}),
    ...(random.oneIn(3) ? { windowBytes: 500 + random.below(20_000) } : {}),
  };
}

function drawClock(random: SeededRandom): PlanClock {
  return { rate: 0.95 + random.below(1_000) / 10_000, offsetMs: random.below(1_000_000) };
}

function drawStrikes(random: SeededRandom, troubleMs: number): Strike[] {
  const faults = FAULTS.filter(() => random.oneIn(3));
  const everyMs = 100 + random.below(1_500);
  const strikes: Strike[] = [];
  if (faults.length === 0) return strikes;
  for (let atMs = 0;;) {
    atMs += random.below(2 * everyMs);
    if (atMs >= troubleMs) return strikes;
    const fault = faults[random.below(faults.length)]!;
    strikes.push({ atMs, fault, seed: random.nextU32(), forMs: 1 + random.below(4_000) });
  }
}
