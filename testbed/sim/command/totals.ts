/** What many lives come to. */
import { FAULTS } from "../nemesis/strike.ts";
import { SINGLE_FAULTS } from "../single/plan.ts";
import type { Outcome } from "./outcome.ts";

/** A life that nobody lived to its end: the process that had it ended, or hung. */
export interface Lost {
  readonly seed: number;
  readonly why: string;
}

/** A life that broke a promise. */
export interface Failure {
  readonly seed: number;
  readonly violation: string;
}

const STRIKE = "strike/";
const FAULT_NAMES: ReadonlySet<string> = new Set([...FAULTS, ...SINGLE_FAULTS]);

/** Counted among the judges: checks that did not end. They prove nothing. */
const UNDECIDED = "unknown";
/** Seeds of undecided checks that are kept. */
const SEEDS_MAX = 20;

/** See the top of this file. */
export class Totals {
  lives = 0;
  cutShort = 0;
  events = 0;
  simulatedMs = 0;
  readonly failures: Failure[] = [];
  readonly lost: Lost[] = [];
  /** Seeds of lives with a check that did not end, the first of them. */
  readonly undecidedSeeds: number[] = [];
  /** The longest life, in real milliseconds. */
  slowest: { readonly seed: number; readonly realMs: number } | undefined;
  readonly #counts = new Map<string, number>();

  /** Adds one life. */
  add({ seed, violation, isCutShort, events, simulatedMs, realMs, counts }: Outcome): void {
    this.lives++;
    this.cutShort += Number(isCutShort);
    this.events += events;
    this.simulatedMs += simulatedMs;
    if (violation !== null) this.failures.push({ seed, violation });
    if ((counts[UNDECIDED] ?? 0) > 0 && this.undecidedSeeds.length < SEEDS_MAX) {
      this.undecidedSeeds.push(seed);
    }
    if (this.slowest === undefined || realMs > this.slowest.realMs) this.slowest = { seed, realMs };
    for (const [name, count] of Object.entries(counts)) {
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
    }
  }

  /** Seeds that broke a promise, in order. */
  get failed(): readonly Failure[] {
    return this.failures.sort((a, b) => a.seed - b.seed);
  }

  /** How often each fault struck, in the order of the list of faults. */
  get struck(): Readonly<Record<string, number>> {
    const known = [...FAULT_NAMES].filter((fault) => this.#counts.has(STRIKE + fault));
    return Object.fromEntries(known.map((fault) => [fault, this.#counts.get(STRIKE + fault)!]));
  }

  /** How often each judge had something to judge. */
  get judged(): Readonly<Record<string, number>> {
    const judges = [...this.#counts].filter(([name]) =>
      !name.startsWith(STRIKE) && name !== UNDECIDED
    );
    return Object.fromEntries(judges);
  }

  /** Checks that did not end. */
  get undecided(): number {
    return this.#counts.get(UNDECIDED) ?? 0;
  }

  /** Whether whole lives were lived in which nothing was ever decided: then nothing was judged either. */
  get sawNothing(): boolean {
    return this.lives > this.cutShort && this.judged["decided"] === 0;
  }

  /** What never happened, although it might have: a fault that never struck, a judge that never judged. */
  neverExercised(faults: readonly string[]): string[] {
    const { struck, judged } = this;
    const idle = Object.entries(judged).filter(([, count]) => count === 0).map(([name]) => name);
    return [...faults.filter((fault) => struck[fault] === undefined), ...idle];
  }
}
