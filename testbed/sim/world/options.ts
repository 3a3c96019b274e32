/** What a world is asked to be. */
import type { CoreConfig, EngineConfig } from "../../../core/config.ts";
import type { CheckpointPolicy } from "../../../node/checkpoint.ts";
import type { VsrTiming } from "../../../node/vsr/timing.ts";
import { PLAIN_WORKLOAD, type PlanWorkload } from "../workload/plan.ts";
import type { NetworkWeather } from "./network.ts";
import type { WorldObserver } from "./observer.ts";
import type { WorldProfile } from "./profile.ts";
import type { OpenSubject } from "./subject.ts";

/** What a world is asked to be. Everything else is drawn from the seed. */
export interface WorldOptions {
  readonly seed: number;
  /** 3 unless told. */
  readonly replicas?: number;
  /** Clients that live by themselves; 4 unless told. */
  readonly clients?: number;
  readonly core?: Partial<CoreConfig>;
  readonly engine?: Partial<EngineConfig>;
  /** 64 KiB unless told. */
  readonly segmentBytes?: number;
  /** None unless told. */
  readonly checkpoints?: CheckpointPolicy;
  readonly manualFailover?: boolean;
  readonly manualExpiration?: boolean;
  readonly timing?: Partial<VsrTiming>;
  readonly weather?: Partial<NetworkWeather>;
  /** Pace and beginning of each replica's clock; that of the world unless told. */
  readonly clocks?: readonly { readonly rate: number; readonly offsetMs: number }[];
  /** Whether the files on one disk do not wait for each other. */
  readonly parallelDisks?: boolean;
  /** What clients do; `clients` and `ttlSlotsMax` go before it. */
  readonly workload?: PlanWorkload;
  /** Longest time to live that clients ask for, in slots. */
  readonly ttlSlotsMax?: number;
  /** Opens replicas with something broken. */
  readonly open?: OpenSubject;
  /** Whether to keep what happens in words. */
  readonly isTraced?: boolean;
  /** Is told what happens. */
  readonly observer?: WorldObserver;
  /** Counts and measures what happens. */
  readonly profile?: WorldProfile;
  /** Time stands still once so many events have happened. */
  readonly eventsMax?: number;
}

/** Bounds under which everything collides and nothing is forgotten before the end. */
export const WORLD_CORE: CoreConfig = {
  shardId: 0n,
  maxResources: 8,
  maxReservations: 64,
  maxOperations: 20_000,
  maxBundleSize: 4,
  maxTtlSlots: 256n,
  maxExpirationBucketLen: 64,
  reservationHistoryWindowSlots: 64n,
  maxClientRetryWindowSlots: 1_000_000n,
  slotDurationMs: 10,
};

/** Bounds of a node around the engine that are rarely met. */
export const WORLD_ENGINE: EngineConfig = {
  maxSubmissionQueue: 64,
  maxCommandBytes: 256,
  maxExpirationsPerTick: 8,
};

/** What clients do in a world. */
export function workloadOf({ clients, ttlSlotsMax, workload }: WorldOptions): PlanWorkload {
  return {
    ...PLAIN_WORKLOAD,
    ...workload,
    ...(clients === undefined ? {} : { clients }),
    ...(ttlSlotsMax === undefined ? {} : { ttlSlotsMax }),
  };
}
