/** What a plan can do without. Each list has the same steps in the same order, whatever the plan. */
import type { FaultName, Strike } from "../nemesis/strike.ts";
import { ACTIONS, PLAIN_WORKLOAD, type PlanWorkload } from "../workload/plan.ts";
import { PLAIN_WORLD } from "./draw_world.ts";
import type { Plan, PlanWorld } from "./plan.ts";

/** A step that makes a plan simpler. */
export interface Simpler {
  /** In a few words. */
  readonly name: string;
  /** `undefined` when it changes nothing. */
  readonly plan: Plan | undefined;
}

/** A fault that does part of what another one does. */
const SIMPLER_FAULTS: Partial<Record<FaultName, FaultName>> = {
  crash_majority: "crash",
  power_failure: "crash_majority",
  kill_again: "crash",
  outage: "kill",
  crash: "kill",
  crash_primary: "crash",
  pause_primary: "pause",
  pause_majority: "pause",
  isolate_primary: "partition",
  bridge: "cut_one_way",
  ring: "cut_one_way",
  partition: "cut_one_way",
  swizzle: "stuck",
  usurp: "isolate_primary",
  forget_committed: "wipe",
  forget_view: "wipe",
  late_answers: "view_change",
  old_answers: "view_change",
  clock_restart: "crash",
  suspend: "pause",
  crash_midway: "crash",
  torn_crash: "crash",
};

/** Each strike as a simpler fault, and shorter. */
export function simplerStrikes(plan: Plan): Simpler[] {
  return plan.strikes.flatMap((strike, at) => {
    const fault = SIMPLER_FAULTS[strike.fault];
    const forMs = strike.forMs > 20 ? strike.forMs >>> 1 : undefined;
    return [
      strikeStep(plan, at, fault === undefined ? undefined : { ...strike, fault }),
      strikeStep(plan, at, forMs === undefined ? undefined : { ...strike, forMs }),
    ];
  });
}

function strikeStep(plan: Plan, at: number, strike: Strike | undefined): Simpler {
  if (strike === undefined) return { name: "", plan: undefined };
  const name = `strike ${at + 1} is ${strike.fault} for ${strike.forMs} ms`;
  return { name, plan: { ...plan, strikes: plan.strikes.with(at, strike) } };
}

/** Fewer clients that do less, and each action away. */
export function simplerWorkloads(plan: Plan): Simpler[] {
  const { workload } = plan;
  const { clients } = workload;
  const idle = ACTIONS.map((action) => ({ weights: { ...workload.weights, [action]: 0 } }));
  const changes: readonly Partial<PlanWorkload>[] = [
    { clients: 1 },
    { clients: Math.ceil(clients / 4) },
    { clients: Math.ceil(clients / 2) },
    { clients: Math.max(1, clients - 1) },
    { pinnedReaders: 0 },
    { inFlightMax: 1 },
    { batchMax: 1 },
    { thinkMs: Math.max(workload.thinkMs, 200) },
    ...idle,
    { resources: 1, skew: 0 },
    { holders: 1, impostorOneIn: 0 },
    { strayOneIn: 0 },
    { fenceOneIn: 0, fenceTooHighOneIn: 0 },
    { attemptsMax: 0 },
    { timeoutMs: PLAIN_WORKLOAD.timeoutMs, backoffMs: PLAIN_WORKLOAD.backoffMs },
  ];
  return changes.map((change) =>
    step(plan, "workload", workload, change, Object.keys(change).join(" "))
  );
}

/** All is well in the end, or those that are not are simply down. */
export function simplerEndings(plan: Plan): Simpler[] {
  const { ending } = plan;
  if (ending.fates.length === 0) return [];
  const core = Array.from({ length: plan.world.replicas }, (_, index) => index);
  const fates = ending.fates.map(({ replica, seed }) => ({ replica, fate: "down", seed }) as const);
  return [
    { name: "all is well in the end", plan: { ...plan, ending: { core, fates: [] } } },
    { name: "the others are down in the end", plan: { ...plan, ending: { ...ending, fates } } },
  ];
}

/** Fewer replicas, and everything as it usually is. */
export function simplerClusters(plan: Plan): Simpler[] {
  const { world } = plan;
  const leaseMs = Math.min(world.timing.leaseMs, PLAIN_WORLD.timing.electionMsMin / 2);
  const changes: readonly (Partial<PlanWorld> & { readonly name: string })[] = [
    { name: "calm weather", weather: PLAIN_WORLD.weather },
    { name: "one clock", clocks: [] },
    { name: "no checkpoints", checkpoints: null },
    { name: "no lease", timing: { ...world.timing, leaseMs: 0 } },
    { name: "usual times", timing: { ...PLAIN_WORLD.timing, leaseMs } },
    { name: "usual tables", core: PLAIN_WORLD.core },
    { name: "usual queues", engine: PLAIN_WORLD.engine },
    { name: "usual segments", segmentBytes: PLAIN_WORLD.segmentBytes },
    { name: "one thing after the other on a disk", parallelDisks: false },
    { name: "views change by themselves", manualFailover: false },
  ];
  const usual = changes.map(({ name, ...change }) => step(plan, "world", world, change, name));
  return [fewerReplicas(plan), ...usual];
}

/** Two replicas less: the last ones, and with them whatever was to become of them. */
function fewerReplicas(plan: Plan): Simpler {
  const { world, victims, ending } = plan;
  const replicas = world.replicas - 2;
  if (replicas < 1) return { name: "", plan: undefined };
  const core = ending.core.filter((at) => at < replicas);
  const left = victims.filter((at) => at < replicas).slice(0, (replicas - 1) >>> 1);
  // Whoever may have lost what it promised does not count towards a majority.
  const sound = core.filter((at) => !left.includes(at));
  if (2 * sound.length <= replicas) return { name: "", plan: undefined };
  const fates = ending.fates.filter(({ replica }) => replica < replicas);
  return {
    name: `${replicas} replicas`,
    plan: {
      ...plan,
      world: { ...world, replicas, clocks: world.clocks.slice(0, replicas) },
      victims: left,
      ending: { core, fates },
    },
  };
}

/** The plan with one part changed; nothing when that part is so already. */
function step<Part extends "world" | "workload">(
  plan: Plan,
  part: Part,
  before: Plan[Part],
  change: Partial<Plan[Part]>,
  name: string,
): Simpler {
  const after = { ...before, ...change };
  const isChanged = JSON.stringify(after) !== JSON.stringify(before);
  return { name, plan: isChanged ? { ...plan, [part]: after } : undefined };
}
