/** The state of one engine: what every other file of the core reads and changes. Source: docs/semantics.md. */
import { type Capture, createCapture } from "./capture.ts";
import type { CoreConfig } from "./config.ts";
import { NO_ROW } from "./ids.ts";
import { createTables, type Tables } from "./tables.ts";
import { createTimingWheel, type TimingWheel } from "./timing_wheel.ts";
import { writeU64 } from "./words.ts";

/** Word offsets in the position given to an apply: which log position, at which slot. */
export const Position = { lsn: 0, slot: 2 } as const;
/** Words of a position. */
export const POSITION_WORDS = 4;

/** Word offsets in {@linkcode Engine.progress}. */
export const Progress = { lastLsn: 0, lastSlot: 2, maxRetiredLsn: 4 } as const;

/** Word offsets in {@linkcode Engine.limits}: configuration as words. */
export const Limit = {
  shard: 0,
  historyWindow: 2,
  operationWindow: 4,
  maxTtl: 6,
  retryWindow: 8,
} as const;

/** Ended reservations by the slot after which they go: a ring of `used` rows from `head` on. Derived. */
export interface RetirementQueue {
  readonly rows: Uint32Array;
  head: number;
  used: number;
}

/** All state of one shard. */
export interface Engine {
  readonly config: CoreConfig;
  readonly limits: Uint32Array;
  readonly tables: Tables;
  readonly wheel: TimingWheel;
  readonly capture: Capture;
  /** Laid out by {@linkcode Progress}; all 0 before the first command. */
  readonly progress: Uint32Array;
  readonly retirement: RetirementQueue;
  /** The row that the last decide found, for the commit that follows it. */
  foundRow: number;
}

/** Options that outcomes never depend on. */
export interface EngineOptions {
  /** Perturbs index layout so that nobody can prepare colliding ids. */
  readonly hashSeed?: number;
}

/**
 * Makes an empty engine.
 *
 * @param config Bounds; check them first with `checkCoreConfig`.
 * @param options What does not matter to outcomes.
 * @returns An engine before its first command.
 *
 * @example
 * ```ts
 * import { createEngine } from "./state.ts";
 * import { DEFAULT_CORE_CONFIG } from "./config.ts";
 *
 * const engine = createEngine({ ...DEFAULT_CORE_CONFIG, maxResources: 100, maxReservations: 100,
 *   maxOperations: 100, maxExpirationBucketLen: 100 });
 * ```
 */
export function createEngine(config: CoreConfig, options: EngineOptions = {}): Engine {
  const tables = createTables(config, options.hashSeed ?? 0x5eed_5eed);
  const limits = new Uint32Array(10);
  writeU64(limits, Limit.shard, config.shardId);
  writeU64(limits, Limit.historyWindow, config.reservationHistoryWindowSlots);
  writeU64(limits, Limit.operationWindow, config.maxTtlSlots + config.maxClientRetryWindowSlots);
  writeU64(limits, Limit.maxTtl, config.maxTtlSlots);
  writeU64(limits, Limit.retryWindow, config.maxClientRetryWindowSlots);
  return {
    config,
    limits,
    tables,
    wheel: createTimingWheel(
      tables.reservations,
      config.maxTtlSlots,
      config.maxExpirationBucketLen,
    ),
    capture: createCapture(tables),
    progress: new Uint32Array(6),
    retirement: { rows: new Uint32Array(config.maxReservations), head: 0, used: 0 },
    foundRow: NO_ROW,
  };
}
