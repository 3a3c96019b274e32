/** Lives one life after the other in this process, and takes their time. */
import type { Life, LifeOptions } from "../life/life.ts";
import type { Plan, ProfileName } from "../life/plan.ts";
import type { WorldObserver } from "../world/observer.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { Simulator } from "./simulator.ts";

/** Events that no life reaches: one that does goes round in circles. */
const EVENTS_MAX = 50_000_000;

/** What a life is lived with. */
export interface LivesOptions {
  readonly simulator: Simulator;
  readonly profile: ProfileName;
  /** Events after which a life is stopped; absent for its end. */
  readonly stepsMax: number | undefined;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** One life with how it ended. */
export interface Lived {
  readonly life: Life;
  readonly outcome: Outcome;
}

/** See the top of this file. */
export class Lives {
  readonly #options: LivesOptions;

  constructor(options: LivesOptions) {
    this.#options = options;
  }

  /** What a seed stands for. */
  planOf(seed: number): Plan {
    const { simulator, profile } = this.#options;
    return simulator.drawPlan(seed, profile);
  }

  /** Lives the life of a seed. */
  seed(seed: number): Outcome {
    return this.plan(this.planOf(seed)).outcome;
  }

  /** Lives a plan, watched or not. */
  plan(plan: Plan, observer?: WorldObserver): Lived {
    const { simulator, nowMs, stepsMax } = this.#options;
    const startedMs = nowMs();
    const life = simulator.live(plan, { ...this.options, ...(observer && { observer }) });
    const outcome = outcomeOf(life, nowMs() - startedMs);
    if (!outcome.isCutShort || stepsMax !== undefined) return { life, outcome };
    const violation = `every life ends: this one goes on after ${EVENTS_MAX} events`;
    return { life, outcome: { ...outcome, violation } };
  }

  /** What every life here is lived with. */
  get options(): LifeOptions {
    return { eventsMax: this.#options.stepsMax ?? EVENTS_MAX };
  }
}
