/**
 * A life that breaks a promise, made smaller for as long as it breaks the same one: first less of what goes wrong, then
 * fewer who ask, then everything that is unusual away.
 */
import { type Life, type LifeOptions, live } from "./life.ts";
import type { Plan } from "./plan.ts";
import {
  type Simpler,
  simplerClusters,
  simplerEndings,
  simplerStrikes,
  simplerWorkloads,
} from "./simpler.ts";

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
 * Shrinks a life. The same life shrinks to the same one.
 *
 * @param life One with a violation.
 * @param options How far to go.
 * @returns A life that violates the same promise; the one given when nothing can be left out.
 */
export function shrink(life: Life, options: ShrinkOptions): Life {
  return life.violation === undefined ? life : new Shrinker(life, options).run();
}

/** The promise of a violation: what comes before anything that was seen of it. */
export function promiseOf(what: string): string {
  const fact = /Invariant violated: (\S+)/.exec(what);
  if (fact !== null) return fact[1]!;
  const [rule] = /^R\d+/.exec(what) ?? [];
  const head = what.split(":", 1)[0]!;
  return rule !== undefined && /\d/.test(head.slice(rule.length)) ? rule : head;
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
    this.#promise = promiseOf(life.violation!.what);
  }

  /** Round after round, until one changes nothing: what is gone may have kept something else there. */
  run(): Life {
    let before: Plan;
    do {
      before = this.#best.plan;
      this.#cutShort();
      this.#dropStrikes();
      this.#walk(simplerStrikes);
      this.#walk(simplerWorkloads);
      this.#walk(simplerEndings);
      this.#walk(simplerClusters);
    } while (this.#best.plan !== before && this.#runsLeft > 0);
    return this.#best;
  }

  /** Nothing that would go wrong later is needed; and then less and less time. */
  #cutShort(): void {
    const { plan, simulatedMs } = this.#best;
    const endMs = Math.ceil(simulatedMs) + 1;
    if (endMs < plan.troubleMs) this.#tryLasting(endMs);
    while (this.#best.plan.troubleMs > 100 && this.#runsLeft > 0) {
      const lessMs = Math.floor(this.#best.plan.troubleMs * 0.6);
      if (!this.#tryLasting(lessMs) && !this.#tryFaster(0.6)) return;
    }
  }

  /** Everything goes wrong sooner, with less time in between. */
  #tryFaster(factor: number): boolean {
    const { plan } = this.#best;
    const strikes = plan.strikes.map((strike) => ({
      ...strike,
      atMs: Math.floor(strike.atMs * factor),
    }));
    const troubleMs = Math.floor(plan.troubleMs * factor);
    return this.#tries({ ...plan, strikes, troubleMs }, `${troubleMs} ms of trouble, faster`);
  }

  #tryLasting(troubleMs: number): boolean {
    const { plan } = this.#best;
    const strikes = plan.strikes.filter(({ atMs }) => atMs < troubleMs);
    return this.#tries({ ...plan, strikes, troubleMs }, `${troubleMs} ms of trouble`);
  }

  /**
   * Leaves out half of the strikes, then quarters, and so on to each one. Source: Zeller and Hildebrandt, Simplifying and
   * Isolating Failure-Inducing Input.
   */
  #dropStrikes(): void {
    const count = (): number => this.#best.plan.strikes.length;
    for (let size = count(); size >= 1 && this.#runsLeft > 0; size = Math.floor(size / 2)) {
      for (let at = 0; at < count() && this.#runsLeft > 0;) {
        const { plan } = this.#best;
        const strikes = [...plan.strikes.slice(0, at), ...plan.strikes.slice(at + size)];
        if (!this.#tries({ ...plan, strikes }, `${strikes.length} strikes`)) at += size;
      }
    }
  }

  /** Tries each simpler plan on top of those that did. */
  #walk(simpler: (plan: Plan) => readonly Simpler[]): void {
    for (let at = 0; this.#runsLeft > 0; at++) {
      const step = simpler(this.#best.plan)[at];
      if (step === undefined) return;
      if (step.plan !== undefined) this.#tries(step.plan, step.name);
    }
  }

  #tries(plan: Plan, name: string): boolean {
    if (this.#runsLeft <= 0) return false;
    this.#runsLeft--;
    const life = live(plan, this.#options.life);
    const what = life.violation?.what;
    if (what === undefined || promiseOf(what) !== this.#promise) return false;
    this.#best = life;
    this.#options.report?.(name);
    return true;
  }
}
