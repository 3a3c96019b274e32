/** Clusters by the number: size, bounds, timeouts, files, weather and clocks. */
import type { CoreConfig, EngineConfig } from "../../../core/config.ts";
import type { CheckpointPolicy } from "../../../node/checkpoint.ts";
import { DEFAULT_TIMING, type VsrTiming } from "../../../node/vsr/timing.ts";
import { CLOCK_RATES } from "../nemesis/clock_faults.ts";
import { drawWeather } from "../nemesis/weather.ts";
import type { SeededRandom } from "../random.ts";
import { CALM_WEATHER } from "../world/network.ts";
import { WORLD_CORE, WORLD_ENGINE } from "../world/options.ts";
import { type PlanClock, planCore, type PlanWorld, type ProfileName } from "./plan.ts";

/** Three replicas of which nothing is unusual. */
export const PLAIN_WORLD: PlanWorld = {
  replicas: 3,
  core: planCore(WORLD_CORE),
  engine: WORLD_ENGINE,
  timing: DEFAULT_TIMING,
  weather: CALM_WEATHER,
  clocks: [],
  checkpoints: null,
  segmentBytes: 64 * 1024,
  manualFailover: false,
  parallelDisks: false,
};

/** Mostly three: a life of seven takes four times as long. */
const SIZES = [1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 7] as const;
/** The same for lives that many are to be lived of in a minute. */
const CI_SIZES = [1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 7] as const;

/** Draws a cluster. Each draw is made whatever the ones before it gave. */
export function drawWorld(random: SeededRandom, profile: ProfileName): PlanWorld {
  const sizes = profile === "ci" ? CI_SIZES : SIZES;
  const replicas = sizes[random.below(sizes.length)]!;
  const isSkewed = random.oneIn(3);
  const core = drawCore(random);
  const world = {
    replicas,
    engine: drawEngine(random),
    timing: drawTiming(random),
    weather: random.oneIn(3) ? drawWeather(random) : CALM_WEATHER,
    clocks: isSkewed ? Array.from({ length: replicas }, () => drawClock(random)) : [],
    checkpoints: random.oneIn(2) ? drawCheckpoints(random) : null,
    segmentBytes: 4_096 << Math.min(random.below(5), random.below(5)),
    manualFailover: replicas > 1 && random.oneIn(12),
  };
  return {
    ...world,
    core: planCore({ ...core, ...drawWindows(random, Number(core.maxTtlSlots)) }),
    parallelDisks: random.oneIn(2),
  };
}

/** Tables as a rule as large as the clients need, and now and then of a few rows. */
function drawCore(random: SeededRandom): CoreConfig {
  const maxResources = tinyOr(random, 8, WORLD_CORE.maxResources);
  const maxReservations = tinyOr(random, 8, WORLD_CORE.maxReservations);
  const maxTtlSlots = tinyOr(random, 100, Number(WORLD_CORE.maxTtlSlots));
  return {
    ...WORLD_CORE,
    maxResources,
    maxReservations,
    maxBundleSize: Math.min(maxResources, tinyOr(random, 3, WORLD_CORE.maxBundleSize)),
    maxTtlSlots: BigInt(maxTtlSlots),
    maxExpirationBucketLen: Math.min(maxReservations, tinyOr(random, 2, maxReservations)),
    maxOperations: random.oneIn(8) ? 20 + random.below(300) : WORLD_CORE.maxOperations,
    slotDurationMs: random.oneIn(4) ? 1 + random.below(40) : WORLD_CORE.slotDurationMs,
  };
}

/** In some lives a retry comes too late for the memory of operations, and a reader for what has ended. */
function drawWindows(random: SeededRandom, maxTtlSlots: number): Partial<CoreConfig> {
  const retrySlots = BigInt(random.below(400));
  const historySlots = BigInt(random.below(maxTtlSlots + 1));
  const usualSlots = Number(WORLD_CORE.reservationHistoryWindowSlots);
  return {
    ...(random.oneIn(4) ? { maxClientRetryWindowSlots: retrySlots } : {}),
    reservationHistoryWindowSlots: random.oneIn(3)
      ? historySlots
      : BigInt(Math.min(usualSlots, maxTtlSlots)),
  };
}

function tinyOr(random: SeededRandom, tinyMax: number, usual: number): number {
  const tiny = 1 + random.below(tinyMax);
  return random.oneIn(4) ? tiny : usual;
}

function drawEngine(random: SeededRandom): EngineConfig {
  return {
    maxSubmissionQueue: tinyOr(random, 16, WORLD_ENGINE.maxSubmissionQueue),
    maxCommandBytes: WORLD_ENGINE.maxCommandBytes,
    maxExpirationsPerTick: tinyOr(random, 3, WORLD_ENGINE.maxExpirationsPerTick),
  };
}

/**
 * Times within the rules of `checkTiming`, in half of the lives the usual ones. An election takes several heartbeats,
 * ticks of a replica (20 ms) and disk writes: shorter ones would elect for ever.
 */
function drawTiming(random: SeededRandom): VsrTiming {
  const heartbeatMs = 20 + random.below(130);
  const electionMsMin = Math.max(150, heartbeatMs * (3 + random.below(4)));
  const electionMsMax = electionMsMin + random.below(2 * electionMsMin);
  const times = random.oneIn(2) ? {} : { heartbeatMs, electionMsMin, electionMsMax };
  const timing = { ...DEFAULT_TIMING, ...times };
  const leaseMsMax = Math.floor(timing.electionMsMin / 2);
  return {
    ...timing,
    leaseMs: random.oneIn(3) ? 20 + random.below(leaseMsMax - 19) : 0,
    messageBytesMax: sizeOr(random, 4_000, timing.messageBytesMax),
    windowBytes: sizeOr(random, 20_000, timing.windowBytes),
    catchUpMessageBytesMax: sizeOr(random, 4_000, timing.catchUpMessageBytesMax),
    catchUpWindowBytes: sizeOr(random, 20_000, timing.catchUpWindowBytes),
  };
}

function sizeOr(random: SeededRandom, bytesMax: number, usual: number): number {
  const bytes = 200 + random.below(bytesMax);
  return random.oneIn(3) ? bytes : usual;
}

/** A pace within what leases leave room for, and any beginning. */
function drawClock(random: SeededRandom): PlanClock {
  const [min, max] = CLOCK_RATES;
  const rate = min + random.below(1_001) / 1_000 * (max - min);
  return { rate, offsetMs: random.below(1_000_000) };
}

/**
 * By entries as a rule, and now and then by age or by bytes; often enough that whoever was away for a while finds that
 * others have removed what it lacks.
 */
function drawCheckpoints(random: SeededRandom): CheckpointPolicy {
  const frames = (10 << random.below(5)) + random.below(20);
  const ageMs = 200 + random.below(4_000);
  const bytes = 2_000 + random.below(30_000);
  const never = { bytes: 1e9, frames: 1e9, ageMs: 1e9 };
  if (random.oneIn(4)) return { ...never, ageMs };
  return random.oneIn(4) ? { ...never, bytes } : { ...never, frames };
}
