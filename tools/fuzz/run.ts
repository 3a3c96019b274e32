/** Runs cases of one target and counts how they end. */
import { FuzzRandom } from "./random.ts";
import type { Target } from "./target.ts";

/** A case in which the program broke a promise. */
export interface Failure {
  readonly target: string;
  readonly seed: number;
  readonly caseNumber: number;
  readonly input: Uint8Array;
  /** What was wrong, with the stack of whoever noticed. */
  readonly message: string;
}

/** What became of the cases of one target. */
export interface Tally {
  readonly target: string;
  cases: number;
  ms: number;
  /** Cases by outcome. */
  readonly outcomes: Map<string, number>;
  /** The first failure; the target's run ended with it. */
  failure: Failure | undefined;
}

/** Which cases to run. The first bound that is reached ends the run. */
export interface Plan {
  readonly seed: number;
  /** Longest run, in milliseconds. */
  readonly msMax?: number;
  readonly casesMax?: number;
  /** Told before each case. */
  readonly onCase?: (caseNumber: number) => void;
}

/** The input of one case. */
export function inputOf(target: Target, seed: number, caseNumber: number): Uint8Array {
  return target.draw(new FuzzRandom(seed, target.name, caseNumber));
}

/**
 * Runs the cases of a target from number 0 on.
 *
 * @param target What to run; not closed.
 * @param plan Which cases.
 * @returns How they ended.
 */
export async function runTarget(target: Target, plan: Plan): Promise<Tally> {
  const { seed, msMax = Infinity, casesMax = Infinity } = plan;
  const tally: Tally = {
    target: target.name,
    cases: 0,
    ms: 0,
    outcomes: new Map(),
    failure: undefined,
  };
  const startMs = performance.now();
  while (tally.cases < casesMax && tally.failure === undefined) {
    tally.ms = performance.now() - startMs;
    if (tally.ms >= msMax) break;
    plan.onCase?.(tally.cases);
    const input = inputOf(target, seed, tally.cases);
    const verdict = await judge(target, input);
    if (verdict.kind === "failed") {
      const { message } = verdict;
      tally.failure = { target: target.name, seed, caseNumber: tally.cases, input, message };
    } else tally.outcomes.set(verdict.outcome, (tally.outcomes.get(verdict.outcome) ?? 0) + 1);
    tally.cases++;
  }
  tally.ms = performance.now() - startMs;
  return tally;
}

/** How one input ended. */
export type Verdict =
  | { readonly kind: "ended"; readonly outcome: string }
  | { readonly kind: "failed"; readonly message: string };

/** Gives a target one input. Never throws; an outcome that the target does not list is a failure too. */
export async function judge(target: Target, input: Uint8Array): Promise<Verdict> {
  try {
    const answered = target.judge(input);
    const outcome = typeof answered === "string" ? answered : await answered;
    if (target.outcomes.includes(outcome)) return { kind: "ended", outcome };
    return { kind: "failed", message: `${target.name} has no outcome '${outcome}'` };
  } catch (error) {
    return { kind: "failed", message: describe(error) };
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${describe(error.cause)}`;
  return `${error.stack ?? error}${cause}`;
}
