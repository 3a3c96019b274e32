/** What a run found, for people. Pure. */
import type { Failure, Tally } from "./run.ts";
import { isAccepted, type Target } from "./target.ts";

/** From so many cases on a target must have met every outcome it lists. */
const CASES_FOR_ALL = 200_000;

/** How a run ended; index is the exit code it has. */
export type RunVerdict = "passed" | "failed" | "weak";

/** Exit code of each verdict: a broken promise outweighs a run that says too little. */
export const EXIT_CODES: Readonly<Record<RunVerdict, number>> = { passed: 0, failed: 3, weak: 6 };

/**
 * Why a tally proves little: nothing was ever accepted, nothing ever refused, or, in a run that is long
 * enough, an outcome was never met.
 *
 * @param target What was run.
 * @param tally How it ended.
 * @param casesForAll From so many cases on every outcome must have been met.
 * @returns The reasons; none when the tally says something.
 */
export function weaknesses(
  target: Target,
  tally: Tally,
  casesForAll: number = CASES_FOR_ALL,
): string[] {
  const met = [...tally.outcomes.keys()];
  const reasons: string[] = [];
  if (!met.some(isAccepted)) reasons.push("nothing was ever accepted");
  const refuses = target.outcomes.some((outcome) => !isAccepted(outcome));
  if (refuses && met.every(isAccepted)) reasons.push("nothing was ever refused");
  const missed = target.outcomes.filter((outcome) => !tally.outcomes.has(outcome));
  if (tally.cases >= casesForAll && missed.length > 0) {
    reasons.push(`never met: ${missed.join(", ")}`);
  }
  return reasons;
}

/** The verdict over all targets of a run. */
export function verdictOf(targets: readonly Target[], tallies: readonly Tally[]): RunVerdict {
  if (tallies.some(({ failure }) => failure !== undefined)) return "failed";
  const isWeak = tallies.some((tally) => {
    return weaknesses(targets.find(({ name }) => name === tally.target)!, tally).length > 0;
  });
  return isWeak || tallies.length < targets.length ? "weak" : "passed";
}

/** The line that repeats a case. */
export function replayLine({ target, seed, caseNumber }: Failure): string {
  return `./tools/deno task fuzz -- --target ${target} --seed ${seed} --case ${caseNumber}`;
}

/** A few lines about one target. */
export function formatTally(target: Target, tally: Tally): string {
  const rate = tally.cases / Math.max(tally.ms, 1) * 1_000;
  const counts = [...tally.outcomes].sort(([, a], [, b]) => b - a);
  const accepted = sum(counts.filter(([outcome]) => isAccepted(outcome)));
  const head =
    `${tally.target.padEnd(12)} ${figure(tally.cases)} cases ${figure(Math.round(rate))}/s ` +
    `${figure(accepted)} accepted ${figure(sum(counts) - accepted)} refused`;
  const lines = wrap(counts.map(([outcome, count]) => `${outcome} ${count}`));
  const weak = tally.failure === undefined ? weaknesses(target, tally) : [];
  return [head, ...lines, ...weak.map((reason) => `  WEAK: ${reason}`)].join("\n");
}

/** Everything about a failure, the replay line last. */
export function formatFailure(failure: Failure, kept: string): string {
  const { target, seed, caseNumber, message } = failure;
  return [
    `FAILED: target ${target}, seed ${seed}, case ${caseNumber}`,
    message.split("\n").map((line) => `  ${line}`).join("\n"),
    `  input kept in ${kept}`,
    `  ${replayLine(failure)}`,
  ].join("\n");
}

function sum(counts: readonly (readonly [string, number])[]): number {
  return counts.reduce((total, [, count]) => total + count, 0);
}

function figure(value: number): string {
  return value.toLocaleString("en-US").padStart(9);
}

const LINE_MAX = 96;

function wrap(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = " ";
  for (const word of words) {
    if (line.length + word.length > LINE_MAX) {
      lines.push(line);
      line = " ";
    }
    line += ` ${word},`;
  }
  if (line !== " ") lines.push(line);
  return lines.map((each, i) => i === lines.length - 1 ? each.slice(0, -1) : each);
}
