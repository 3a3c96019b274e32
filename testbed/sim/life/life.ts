/** One life of a cluster from its plan: trouble, then rest, with judges watching all along. */
import type { FaultBudget } from "../nemesis/fault_atlas.ts";
import { meet } from "../nemesis/fates.ts";
import { ClusterNemesis } from "../nemesis/nemesis.ts";
import type { WorldObserver } from "../world/observer.ts";
import type { WorldProfile } from "../world/profile.ts";
import type { OpenSubject } from "../world/subject.ts";
import type { WorldOptions } from "../world/options.ts";
import { ClusterViolation } from "../world/violation.ts";
import { ClusterWorld } from "../world/world.ts";
import { SeededRandom } from "../random.ts";
import { calm, comeToRest } from "../world/rest.ts";
import { coreOfPlan, type Plan, type PlanEnding, type PlanWorld } from "./plan.ts";

/** What is around a life. None of it changes the course of a sound one. */
export interface LifeOptions {
  /** Is told what happens. */
  readonly observer?: WorldObserver;
  /** Counts and measures what happens. */
  readonly profile?: WorldProfile;
  /** Opens replicas with something broken. */
  readonly open?: OpenSubject;
  /** The life ends without a judgement when it has had so many events. */
  readonly eventsMax?: number;
  /** Whether to keep what happens in words. */
  readonly isTraced?: boolean;
}

/** How a life went. */
export interface Life {
  readonly plan: Plan;
  /** The promise that was broken, when, and the end of the transcript if it was traced. */
  readonly violation: ClusterViolation | undefined;
  /** 16 hexadecimal digits: the same plan has the same hash, traced or not. */
  readonly transcriptHash: string;
  /** Events that happened. */
  readonly events: number;
  /** Virtual milliseconds that passed. */
  readonly simulatedMs: number;
  /** How often each judge had something to judge and, as `strike/…`, how often each fault struck. */
  readonly counts: Readonly<Record<string, number>>;
  readonly world: ClusterWorld;
}

/**
 * Lives a plan to its end, or to the first broken promise.
 *
 * @param plan What goes on.
 * @param options What is around it.
 * @throws {Error} Only for a bug of the simulator itself.
 */
export function live(plan: Plan, options: LifeOptions = {}): Life {
  const world = new ClusterWorld(worldOptions(plan, options));
  const nemesis = new ClusterNemesis(world, plan.strikes, budgetOf(plan));
  const violation = violationOf(() => {
    world.run(plan.troubleMs);
    nemesis.end();
    if (!world.isCutShort) end(world, plan.ending);
  });
  return {
    plan,
    violation,
    transcriptHash: world.transcriptHash.text,
    events: world.queue.happened,
    simulatedMs: world.queue.nowMs,
    counts: countsOf(world, nemesis),
    world,
  };
}

/** Entries are removed only once a checkpoint covers them; the keeper is one of those who are well in the end. */
function budgetOf({ world, workload, strikes, victims, ending }: Plan): FaultBudget {
  const hasCheckpoints = world.checkpoints !== null || workload.weights.checkpoint > 0 ||
    strikes.some(({ fault }) => fault === "checkpoint" || fault === "outage");
  const keeper = ending.core.find((at) => !victims.includes(at)) ?? 0;
  return { victims, keeper, keepsLogs: !hasCheckpoints };
}

/** Trouble ends in the core, and outside of it everybody meets a fate. */
function end(world: ClusterWorld, ending: PlanEnding): void {
  const core = ending.core.map((index) => world.machines[index]!);
  world.network.heal();
  calm(world, core);
  for (const { replica, fate, seed } of ending.fates) {
    meet(world, world.machines[replica]!, fate, new SeededRandom(seed));
  }
  comeToRest(world, core);
}

/** The same life again in words: its faults, its replicas at the end, and what led to the broken promise. */
export function explain(plan: Plan, options: LifeOptions = {}): string {
  const { violation, world } = live(plan, { ...options, isTraced: true });
  const replicas = world.machines.map((machine) => world.describe(machine)).join("\n");
  const faults = [...new Set(plan.strikes.map(({ fault }) => fault))];
  return `seed ${plan.seed}, faults: ${faults.join(" ")}\n${replicas}\n` +
    (violation?.message ?? "nothing is wrong");
}

function worldOptions(plan: Plan, life: LifeOptions): WorldOptions {
  const { observer, profile, open, eventsMax, isTraced } = life;
  return {
    seed: plan.seed,
    ...clusterOptions(plan.world),
    workload: plan.workload,
    ...(observer === undefined ? {} : { observer }),
    ...(profile === undefined ? {} : { profile }),
    ...(open === undefined ? {} : { open }),
    ...(eventsMax === undefined ? {} : { eventsMax }),
    ...(isTraced === undefined ? {} : { isTraced }),
  };
}

function clusterOptions(world: PlanWorld): Omit<WorldOptions, "seed"> {
  const { replicas, engine, timing, weather, clocks, segmentBytes, manualFailover, parallelDisks } =
    world;
  return {
    replicas,
    core: coreOfPlan(world.core),
    engine,
    timing,
    weather,
    clocks,
    segmentBytes,
    manualFailover,
    parallelDisks,
    ...(world.checkpoints === null ? {} : { checkpoints: world.checkpoints }),
  };
}

function violationOf(task: () => void): ClusterViolation | undefined {
  try {
    task();
    return undefined;
  } catch (error) {
    if (error instanceof ClusterViolation) return error;
    throw error;
  }
}

function countsOf(
  { judges, promises, network }: ClusterWorld,
  { struck }: ClusterNemesis,
): Record<string, number> {
  const strikes = [...struck].map(([fault, count]) => [`strike/${fault}`, count]);
  return {
    ...judges.judged,
    refused: judges.refusals.refusals,
    promised: promises.judged,
    messages: network.sent,
    ...Object.fromEntries(strikes),
  };
}
