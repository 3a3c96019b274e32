/** Which seed is next, and where to go on should the run be interrupted. */

/** Highest seed. */
const SEED_MAX = 0xffff_ffff;

/** See the top of this file. */
export interface ScheduleOptions {
  readonly from: number;
  /** Absent for all seeds there are. */
  readonly count: number | undefined;
  /** Whether no further life begins. */
  readonly isOver: () => boolean;
}

/** See the top of this file. */
export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #last: number;
  readonly #underWay = new Set<number>();
  #next: number;

  constructor(options: ScheduleOptions) {
    const { from, count } = options;
    this.#options = options;
    this.#next = from;
    this.#last = count === undefined ? SEED_MAX : from + count - 1;
  }

  /** The seed to begin with now; `undefined` when there is none any more. */
  next(): number | undefined {
    if (this.#next > this.#last || this.#options.isOver()) return undefined;
    this.#underWay.add(this.#next);
    return this.#next++;
  }

  /** The life of a seed is over. */
  done(seed: number): void {
    this.#underWay.delete(seed);
  }

  /** The lowest seed whose life is not over. */
  get resumeAt(): number {
    return Math.min(this.#next, ...this.#underWay);
  }
}
