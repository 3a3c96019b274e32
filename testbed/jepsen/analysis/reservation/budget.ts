/** What a search may spend. */
import type { Algorithm, Undecided } from "./verdict.ts";

/** Shared by all searches of a check. */
export interface Budget {
  /** Steps that are left. */
  steps: number;
  readonly configurationsMax: number;
  readonly bytesMax: number;
  readonly isOverTime: () => boolean;
  readonly algorithm: Algorithm;
}

/** Which limit was met. */
export type Limit = Undecided["limit"];

/** Ends a search. */
export class LimitMet extends Error {
  readonly limit: Limit;

  constructor(limit: Limit) {
    super(limit);
    this.limit = limit;
  }
}

/** Comparisons of configurations that count as one step. */
const COMPARISONS_PER_STEP = 16;
/** Steps between two questions for the time. */
const STEPS_PER_LOOK = 4_096;

/** Counts what a search spends. */
export class Meter {
  readonly #budget: Budget;
  #untilLook = STEPS_PER_LOOK;
  #comparisons = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** @throws {LimitMet} When nothing is left. */
  spend(steps: number): void {
    this.#budget.steps -= steps;
    if (this.#budget.steps < 0) throw new LimitMet("steps");
    this.#untilLook -= steps;
    if (this.#untilLook > 0) return;
    this.#untilLook = STEPS_PER_LOOK;
    if (this.#budget.isOverTime()) throw new LimitMet("time");
  }

  /** The same for comparisons. */
  compare(comparisons: number): void {
    this.#comparisons += comparisons;
    if (this.#comparisons < COMPARISONS_PER_STEP) return;
    this.spend(Math.floor(this.#comparisons / COMPARISONS_PER_STEP));
    this.#comparisons %= COMPARISONS_PER_STEP;
  }

  /** @throws {LimitMet} When so many configurations are too many to remember. */
  remember(configurations: number, bytesEach: number): void {
    if (configurations > this.#budget.configurationsMax) throw new LimitMet("configurations");
    if (configurations * bytesEach > this.#budget.bytesMax) throw new LimitMet("bytes");
  }
}
