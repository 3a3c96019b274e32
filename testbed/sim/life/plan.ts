/**
 * A life as plain data: everything that was drawn from its seed before it began. JSON keeps it whole, and whoever
 * has the text has the life again, even if seeds are drawn differently by then.
 */
import type { CoreConfig, EngineConfig } from "../../../core/config.ts";
import type { CheckpointPolicy } from "../../../node/checkpoint.ts";
import type { VsrTiming } from "../../../node/vsr/timing.ts";
import type { Fate } from "../nemesis/fates.ts";
import type { Strike } from "../nemesis/strike.ts";
import type { PlanWorkload } from "../workload/plan.ts";
import type { NetworkWeather } from "../world/network.ts";

/** What kind of lives a seed is drawn from. Source: docs/simulator.md#profiles. */
export const PROFILES = ["swarm", "calm", "lite", "ci"] as const;

/** One of {@linkcode PROFILES}. */
export type ProfileName = typeof PROFILES[number];

/** {@linkcode CoreConfig} as JSON has it: a 64-bit number is decimal text. */
export type PlanCore = {
  readonly [K in keyof CoreConfig]: CoreConfig[K] extends bigint ? string : number;
};

/** Pace and beginning of one replica's clock. */
export interface PlanClock {
  /** Its milliseconds in one of the world's. */
  readonly rate: number;
  readonly offsetMs: number;
}

/** The cluster and what is around it. */
export interface PlanWorld {
  readonly replicas: number;
  readonly core: PlanCore;
  readonly engine: EngineConfig;
  readonly timing: VsrTiming;
  readonly weather: NetworkWeather;
  /** One for each replica, or none: then all are the world's. */
  readonly clocks: readonly PlanClock[];
  /** When replicas make checkpoints by themselves; `null` for never. */
  readonly checkpoints: CheckpointPolicy | null;
  /** Length of a new log segment in bytes. */
  readonly segmentBytes: number;
  /** Whether views change only when an operator wants it. */
  readonly manualFailover: boolean;
  /** Whether the files on one disk do not wait for each other, as on one with a queue. */
  readonly parallelDisks: boolean;
}

/** How trouble ends. */
export interface PlanEnding {
  /**
   * Positions of the replicas among which everything is well again, from 0; a majority. What is broken elsewhere stays
   * broken for good.
   */
  readonly core: readonly number[];
  /** What becomes of the others. */
  readonly fates: readonly Fate[];
}

/** Everything that a life is. */
export interface Plan {
  /** Any 32-bit number: what the plan was drawn from, and what chance in the life itself comes from. */
  readonly seed: number;
  readonly profile: ProfileName;
  readonly world: PlanWorld;
  readonly workload: PlanWorkload;
  /** In the order in which they happen. */
  readonly strikes: readonly Strike[];
  /**
   * Positions of the replicas that may lose or damage what was durable, from 0: a minority. Source:
   * docs/simulator.md#fault-budget.
   */
  readonly victims: readonly number[];
  /** Virtual time in milliseconds in which things go wrong. */
  readonly troubleMs: number;
  readonly ending: PlanEnding;
}

/** The plan as JSON, a line for each strike, always in the same order. */
export function planText(plan: Plan): string {
  const { strikes, ...rest } = plan;
  const head = JSON.stringify({ ...rest, strikes: [] }, undefined, 2);
  if (strikes.length === 0) return `${head}\n`;
  const lines = strikes.map((strike) => `    ${JSON.stringify(strike)}`).join(",\n");
  return `${head.slice(0, head.lastIndexOf("[]"))}[\n${lines}\n  ]\n}\n`;
}

/** Bounds as a plan has them. */
export function planCore(core: CoreConfig): PlanCore {
  return {
    ...core,
    shardId: `${core.shardId}`,
    maxTtlSlots: `${core.maxTtlSlots}`,
    reservationHistoryWindowSlots: `${core.reservationHistoryWindowSlots}`,
    maxClientRetryWindowSlots: `${core.maxClientRetryWindowSlots}`,
  };
}

/** Bounds as the engine has them. */
export function coreOfPlan(core: PlanCore): CoreConfig {
  return {
    ...core,
    shardId: BigInt(core.shardId),
    maxTtlSlots: BigInt(core.maxTtlSlots),
    reservationHistoryWindowSlots: BigInt(core.reservationHistoryWindowSlots),
    maxClientRetryWindowSlots: BigInt(core.maxClientRetryWindowSlots),
  };
}
