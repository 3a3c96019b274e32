/** What the command needs of the simulator. Tests bring lives of their own. */
import { drawPlan } from "../life/draw.ts";
import { type Life, type LifeOptions, live } from "../life/life.ts";
import type { Plan, ProfileName } from "../life/plan.ts";
import { shrink, type ShrinkOptions } from "../life/shrink.ts";

/** See the top of this file. */
export interface Simulator {
  drawPlan(seed: number, profile: ProfileName): Plan;
  live(plan: Plan, options?: LifeOptions): Life;
  shrink(life: Life, options: ShrinkOptions): Life;
}

/** The one that ships. */
export const SIMULATOR: Simulator = { drawPlan, live, shrink };
