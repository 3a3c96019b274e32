/** How much there is in a plan, in words. */
import type { SimPlan } from "./sim_life.ts";
import { spanText } from "./words.ts";

/** `3 faults in 8.5 s on 5 replicas with 2 clients`. */
export function sizeText(plan: SimPlan): string {
  const faults = plural(plan.strikes.length, "fault");
  if (plan.profile === "single") {
    return `${faults} in ${plural(plan.steps, "step")} of a single node`;
  }
  const { world, workload, troubleMs } = plan;
  const clients = plural(workload.clients, "client");
  return `${faults} in ${spanText(troubleMs)} on ${
    plural(world.replicas, "replica")
  } with ${clients}`;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
