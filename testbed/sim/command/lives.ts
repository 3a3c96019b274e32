/** Lives one life after the other in this process, and takes their time. */
import type { SimProfile } from "../../../node/cli/sim_options.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { SimLife, SimPlan, Simulator, Watch } from "./sim_life.ts";

/** Events that no life reaches: one that does goes round in circles. */
const EVENTS_MAX = 50_000_000;

/** What a life is lived with. */
export interface LivesOptions {
  readonly simulator: Simulator;
  readonly profile: SimProfile;
  /** Events after which a life is stopped; absent for its end. */
  readonly stepsMax: number | undefined;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** One life with how it ended. */
export interface Lived {
  readonly life: SimLife;
  readonly outcome: Outcome;
}

/** See the top of this file. */
export class Lives {
  readonly #options: LivesOptions;

  constructor(options: LivesOptions) {
    this.#options = options;
  }

  /** What a seed stands for. */
  planOf(seed: number): SimPlan {
    const { simulator, profile } = this.#options;
    return simulator.drawPlan(seed, profile);
  }

  /** Lives the life of a seed. */
  seed(seed: number): Outcome {
    return this.plan(this.planOf(seed)).outcome;
  }

  /** Lives a plan, watched or not. */
  plan(plan: SimPlan, watch: Pick<Watch, "observer" | "says"> = {}): Lived {
    const { simulator, nowMs, stepsMax } = this.#options;
    const startedMs = nowMs();
    const life = simulator.live(plan, { ...watch, eventsMax: stepsMax ?? EVENTS_MAX });
    const outcome = outcomeOf(life, nowMs() - startedMs);
    if (!outcome.isCutShort || stepsMax !== undefined) return { life, outcome };
    const violation = `every life ends: this one goes on after ${EVENTS_MAX} events`;
    return { life, outcome: { ...outcome, violation } };
  }
}
