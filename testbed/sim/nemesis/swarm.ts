/** Worlds by the number: each seed has its own size, bounds, weather and faults. */
import { ClusterNemesis, drawWeather } from "./nemesis.ts";
import { ClusterViolation, ClusterWorld, type WorldOptions } from "../world/world.ts";
import type { VsrTiming } from "../../../node/vsr/timing.ts";
import { SeededRandom } from "../random.ts";

/** How a seed ended. */
export interface SwarmResult {
  readonly seed: number;
  readonly violation: ClusterViolation | undefined;
  readonly world: ClusterWorld;
  readonly nemesis: ClusterNemesis;
}

/** Virtual time in which things go wrong. */
const TROUBLE_MS = 12_000;

/**
 * Lives one life and lets it come to rest.
 *
 * @param seed Which.
 * @param isTraced Whether to keep what happens in words.
 */
export function runSeed(seed: number, isTraced = false): SwarmResult {
  const random = new SeededRandom(seed);
  const world = new ClusterWorld({ ...drawOptions(random), seed, isTraced });
  const nemesis = new ClusterNemesis(world, random);
  try {
    world.run(TROUBLE_MS);
    nemesis.end();
    world.settle();
    return { seed, violation: undefined, world, nemesis };
  } catch (error) {
    if (!(error instanceof ClusterViolation)) throw error;
    return { seed, violation: error, world, nemesis };
  }
}

/** The same life again, in words. */
export function explainSeed(seed: number): string {
  const { violation, nemesis, world } = runSeed(seed, true);
  const replicas = world.machines.map((machine) => world.describe(machine)).join("\n");
  return `seed ${seed}, faults: ${nemesis.faults.join(" ")}\n${replicas}\n` +
    (violation?.message ?? "nothing is wrong");
}

function drawOptions(random: SeededRandom): Omit<WorldOptions, "seed"> {
  const replicas = random.oneIn(4) ? 5 : 3;
  const hasCheckpoints = random.oneIn(2);
  // In one world of three every clock has its own pace, up to 5 per cent off, and its own beginning.
  const isSkewed = random.oneIn(3);
  // In one world of five so many clients at once that entries travel in batches and queues are full.
  const isCrowded = random.oneIn(5);
  return {
    replicas,
    clients: isCrowded ? 16 + random.below(32) : 1 + random.below(8),
    engine: { maxSubmissionQueue: isCrowded ? 2 + random.below(30) : 64 },
    segmentBytes: 4_096 << random.below(5),
    ttlSlotsMax: 2 + random.below(120),
    timing: drawTiming(random),
    ...(random.oneIn(3) ? { weather: drawWeather(random) } : {}),
    ...(isSkewed ? { clocks: Array.from({ length: replicas }, () => drawClock(random)) } : {}),
    ...(hasCheckpoints
      ? { checkpoints: { bytes: 1e9, frames: 20 + random.below(300), ageMs: 1e9 } }
      : {}),
  };
}

/** Sometimes leases, sometimes messages and windows of a few entries. */
function drawTiming(random: SeededRandom): Partial<VsrTiming> {
  return {
    ...(random.oneIn(3) ? { leaseMs: 20 + random.below(181) } : {}),
    ...(random.oneIn(3) ? { messageBytesMax: 200 + random.below(4_000) } : {}),
    ...(random.oneIn(3) ? { windowBytes: 500 + random.below(20_000) } : {}),
  };
}

function drawClock(random: SeededRandom): { readonly rate: number; readonly offsetMs: number } {
  return { rate: 0.95 + random.below(1_000) / 10_000, offsetMs: random.below(1_000_000) };
}
