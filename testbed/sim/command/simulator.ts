/** The simulator that ships: which lives a profile and a plan stand for. */
import { CLUSTER_LIVES } from "./cluster_lives.ts";
import type { Simulator } from "./sim_life.ts";
import { SINGLE_LIVES } from "./single_lives.ts";

/** See the top of this file. */
export const SIMULATOR: Simulator = {
  drawPlan: (seed, profile) =>
    profile === "single" ? SINGLE_LIVES.draw(seed) : CLUSTER_LIVES.draw(seed, profile),
  live: (plan, watch = {}) =>
    plan.profile === "single" ? SINGLE_LIVES.live(plan, watch) : CLUSTER_LIVES.live(plan, watch),
};
