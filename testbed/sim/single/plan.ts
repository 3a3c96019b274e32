/** A life of a single node as plain data, drawn from its seed before it begins. Source: docs/simulator.md#single-node. */
import { type CoreConfig, type EngineConfig, U64_MAX } from "../../../core/config.ts";
import { type PlanCore, planCore } from "../life/plan.ts";
import { SeededRandom } from "../random.ts";

/** Everything that can happen to a single node. */
export const SINGLE_FAULTS = [
  /** The process ends between two turns. */
  "kill",
  /** The power fails. */
  "power_failure",
  /** The process ends at a named point of its work. */
  "engine_crash",
  /** The process ends now, and again at a named point of its next start. */
  "recovery_crash",
  /** The power fails in the middle of some operation of the disk. */
  "disk_crash",
  "append_failure",
  "lost_append",
  "sync_failure",
  /** Some operation of the disk fails. */
  "disk_fault",
  /** The process ends now, and some operation of the disk fails in its next start. */
  "recovery_fault",
  "corrupt_last_frame",
  "torn_tail",
  "damaged_snapshot",
  /** One bit of some file is another one. */
  "rot",
  /** Some sectors of a file cannot be read. */
  "latent",
  /** The disk has room for a few pages more, until somebody makes some. */
  "full_disk",
] as const;

/** One of {@linkcode SINGLE_FAULTS}. */
export type SingleFault = typeof SINGLE_FAULTS[number];

/** One thing that goes wrong. What it leaves to chance comes from its own seed. */
export interface SingleStrike {
  /** Before which step, from 0. */
  readonly atStep: number;
  readonly fault: SingleFault;
  /** Any 32-bit number. */
  readonly seed: number;
}

/** See the top of this file. */
export interface SinglePlan {
  /** Any 32-bit number; each step draws from its own that follows from it. */
  readonly seed: number;
  readonly profile: "single";
  readonly core: PlanCore;
  readonly engine: EngineConfig;
  readonly segmentBytes: number;
  /** The first slot, decimal. */
  readonly slot: string;
  /** Whether the node takes slots from its clock. */
  readonly isClocked: boolean;
  /** Whether clients of a node with a clock now and then give a slot of their own: past, ahead, or too far ahead. */
  readonly ownSlots: boolean;
  /** Milliseconds that a write and sync take, least and most. */
  readonly diskMs: readonly [number, number];
  readonly steps: number;
  /** In the order in which they happen. */
  readonly strikes: readonly SingleStrike[];
}

/**
 * Draws a life.
 *
 * @param seed Any 32-bit number.
 * @returns The same plan for the same seed.
 */
export function drawSinglePlan(seed: number): SinglePlan {
  const random = new SeededRandom(seed);
  const core = drawCore(random);
  const steps = 20 + random.below(60);
  const isClocked = random.oneIn(2);
  return {
    seed: seed >>> 0,
    profile: "single",
    core: planCore(core),
    engine: {
      maxSubmissionQueue: 1 + random.below(random.oneIn(2) ? 4 : 24),
      maxCommandBytes: 256,
      maxExpirationsPerTick: 1 + random.below(4),
    },
    segmentBytes: 2_048 << random.below(3),
    slot: `${drawOrigin(random, isClocked)}`,
    isClocked,
    ownSlots: isClocked && random.oneIn(3),
    diskMs: random.oneIn(3) ? [0, 0] : [0.1, 1 + random.below(random.oneIn(3) ? 30 : 3)],
    steps,
    strikes: drawStrikes(random, steps),
  };
}

/** Mostly tiny bounds; in some lives an operation is remembered to the end, in others hardly. */
function drawCore(random: SeededRandom): CoreConfig {
  const maxResources = 1 + random.below(8);
  const maxReservations = 1 + random.below(10);
  const maxTtlSlots = BigInt(1 + random.below(random.oneIn(3) ? 40 : 8));
  return {
    shardId: random.oneIn(3) ? 5n : 0n,
    maxResources,
    maxReservations,
    maxOperations: random.oneIn(4) ? 1 + random.below(8) : 16 + random.below(200),
    maxBundleSize: 1 + random.below(Math.min(4, maxResources)),
    maxTtlSlots,
    maxExpirationBucketLen: 1 + random.below(maxReservations),
    reservationHistoryWindowSlots: BigInt(random.below(Number(maxTtlSlots) + 1)),
    maxClientRetryWindowSlots: BigInt(random.below(random.oneIn(2) ? 12 : 400)),
    slotDurationMs: 10,
  };
}

/** A node with a clock begins at its beginning; hosts that give slots may be anywhere. */
function drawOrigin(random: SeededRandom, isClocked: boolean): bigint {
  if (isClocked || random.oneIn(2)) return 1n;
  if (random.oneIn(6)) return U64_MAX - BigInt(100 + random.below(1_500));
  return random.oneIn(2) ? 2n ** 32n - BigInt(random.below(60)) : 2n ** 63n;
}

function drawStrikes(random: SeededRandom, steps: number): SingleStrike[] {
  const faults = SINGLE_FAULTS.filter(() => random.oneIn(2));
  const every = 4 + random.below(24);
  const strikes: SingleStrike[] = [];
  if (faults.length === 0) return strikes;
  for (let atStep = 0;;) {
    atStep += 1 + random.below(2 * every);
    if (atStep >= steps) return strikes;
    strikes.push({
      atStep,
      fault: faults[random.below(faults.length)]!,
      seed: random.nextU32(),
    });
  }
}
