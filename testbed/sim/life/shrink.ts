/** A life that breaks a promise, made smaller for as long as it breaks the same one. */
import { type Life, type LifeOptions, live } from "./life.ts";
import type { Plan } from "./plan.ts";

/** How far to go. */
export interface ShrinkOptions {
  /** Lives that may be lived. */
  readonly runsMax: number;
  /** Told of every step that succeeds. */
  readonly report?: (text: string) => void;
  /** What the life was lived with. */
  readonly life?: LifeOptions;
}

/**
 * Shrinks a life: fewer strikes first, found by delta debugging.
 *
 * @param life One with a violation.
 * @param options How far to go.
 * @returns A life that still violates the same promise; the one given when nothing can be left out.
 */
export function shrink(life: Life, options: ShrinkOptions): Life {
  return new Shrinker(life, options).run();
}

/** The promise of a violation: the words before what was seen of it. */
export function promiseOf(what: string): string {
  return what.split(":", 1)[0]!;
}

class Shrinker {
  #best: Life;
  #runsLeft: number;
  readonly #options: ShrinkOptions;
  readonly #promise: string;

  constructor(life: Life, options: ShrinkOptions) {
    this.#best = life;
    this.#options = options;
    this.#runsLeft = options.runsMax;
    this.#promise = promiseOf(life.violation?.what ?? "");
  }

  run(): Life {
    if (this.#best.violation !== undefined) this.#dropStrikes();
    return this.#best;
  }

  #dropStrikes(): void {
    let size = Math.ceil(this.#best.plan.strikes.length / 2);
    while (size >= 1 && this.#runsLeft > 0) {
      const before = this.#best.plan.strikes.length;
      for (let at = 0; at < this.#best.plan.strikes.length;) {
        const { strikes } = this.#best.plan;
        const fewer = [...strikes.slice(0, at), ...strikes.slice(at + size)];
        if (!this.#tries({ ...this.#best.plan, strikes: fewer })) at += size;
      }
      if (size === 1 && this.#best.plan.strikes.length === before) return;
      size = Math.max(1, size >>> 1);
    }
  }

  #tries(plan: Plan): boolean {
    if (this.#runsLeft-- <= 0) return false;
    const life = live(plan, this.#options.life);
    if (life.violation === undefined || promiseOf(life.violation.what) !== this.#promise) {
      return false;
    }
    this.#best = life;
    this.#options.report?.(`${plan.strikes.length} strikes`);
    return true;
  }
}
