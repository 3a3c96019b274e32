/**
 * Every place at which a short life can be interrupted, one life for each: before and after every operation of the disk, after
 * every event, and with every operation failing in turn. All of them go on with the same commands, and in each the same
 * judge looks after every turn.
 */
import type { PlannedFault } from "../disk/memory_disk.ts";
import { liveSingle, type Places, type SingleLife, type SingleLifeOptions } from "./life.ts";
import type { SinglePlan } from "./plan.ts";

/** What was swept. */
export interface Sweep {
  readonly places: Places;
  /** Starts, and commands that were sent again, over all lives. */
  readonly starts: number;
  readonly retried: number;
  /** The lives that broke a promise, and where they were interrupted. */
  readonly broken: readonly { readonly life: SingleLife; readonly at: SingleLifeOptions }[];
}

/**
 * Sweeps a life.
 *
 * @param plan A life in which nothing else goes wrong.
 * @returns What there was, and what went wrong.
 */
export function sweepCrashes(plan: SinglePlan): Sweep {
  const { violation, places, single } = liveSingle(plan);
  if (violation !== undefined) single.violated(`the life is not sound: ${violation.what}`);
  const totals = { starts: 0, retried: 0 };
  const broken: { life: SingleLife; at: SingleLifeOptions }[] = [];
  for (const at of interruptions(places)) {
    const life = liveSingle(plan, at);
    totals.starts += life.counts.starts ?? 0;
    totals.retried += life.counts.retried ?? 0;
    if (life.violation !== undefined) broken.push({ life, at });
  }
  return { places, ...totals, broken };
}

/** How an operation of the disk goes wrong: the power fails in it, or it fails with some of its bytes written. */
const FAULTS: readonly Omit<PlannedFault, "nth">[] = [
  { effect: "crash" },
  { effect: "io_error" },
  { effect: "io_error", tornBytes: 700 },
  { effect: "disk_full", tornBytes: 1_400 },
];

function* interruptions({ moments, events, operations }: Places): Iterable<SingleLifeOptions> {
  for (const ends of ["kill", "lose", "keep", "chance"] as const) {
    for (let moment = 1; moment <= moments; moment++) yield { crashAt: { moment }, ends };
    for (let event = 1; event <= events; event++) yield { crashAt: { event }, ends };
  }
  for (const fault of FAULTS) {
    for (let nth = 1; nth <= operations; nth++) yield { diskFault: { nth, ...fault } };
  }
}
