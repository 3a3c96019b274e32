/**
 * The order that the system itself claims: that of the lsns. If it explains every answer and agrees with real time, that is a
 * proof, and it costs next to nothing. If not, nothing is said: reads and whatever nobody was told about have no lsn, and
 * where they go is guessed.
 */
import type { Trace } from "./configuration.ts";
import { lsnOf } from "./fold.ts";
import type { Problem, Work } from "./problem.ts";
import { schedule, type ScheduleEvent } from "./schedule.ts";
import { type Budget, search, type SearchResult } from "./search.ts";

/** Ways that are followed at a time. */
const FRONTIER_MAX = 16;

/** Whether a problem has lsns to go by. */
export function hasLsns({ works }: Problem): boolean {
  return works.some(isPlaced);
}

/** A proof that the history is valid, or nothing. Spends at most half of the steps that are left. */
export function tryWitness(
  problem: Problem,
  budget: Budget,
): (SearchResult & { readonly kind: "valid" }) | undefined {
  const steps = Math.floor(budget.steps / 2);
  const own = { ...budget, steps };
  const board = schedule(problem, witnessEvents(problem.works));
  const result = search(board, own, FRONTIER_MAX);
  budget.steps -= steps - Math.max(0, own.steps);
  return result.kind === "valid" && isInRealTime(problem, result.trace) ? result : undefined;
}

/** Whether an order agrees with real time: nothing comes after what began when it had been answered. */
export function isInRealTime({ works }: Problem, trace: Trace | undefined): boolean {
  let firstAnswer = Infinity;
  const missing = new Set(works.filter(({ isOptional }) => !isOptional));
  for (let at = trace; at !== undefined; at = at.previous) {
    if (at.work < 0) continue;
    const work = works[at.work]!;
    if (firstAnswer < work.invokedAt) return false;
    firstAnswer = Math.min(firstAnswer, work.completedAt);
    missing.delete(work);
  }
  return missing.size === 0;
}

/**
 * Operations with an lsn one after the other, in its order. Any other begins after those that were answered before it began, and is
 * answered before those that began after its answer.
 */
function witnessEvents(works: readonly Work[]): ScheduleEvent[] {
  const placed = works.filter(isPlaced)
    .sort((a, b) => lsnOf(a.operation)! < lsnOf(b.operation)! ? -1 : 1);
  const gaps: ScheduleEvent[][] = Array.from({ length: placed.length + 1 }, () => []);
  const beginGap = gapAfter(placed);
  const answerGap = gapBefore(placed);
  for (const work of works) {
    if (isPlaced(work)) continue;
    gaps[beginGap(work.invokedAt)]!.push({ work, isAnswer: false });
    if (!work.isOptional) gaps[answerGap(work.completedAt)]!.push({ work, isAnswer: true });
  }
  return gaps.flatMap((gap, i) => {
    gap.sort((a, b) => timeOf(a) - timeOf(b));
    const work = placed[i];
    return work === undefined ? gap : [...gap, { work, isAnswer: false }, { work, isAnswer: true }];
  });
}

function isPlaced({ operation, isOptional }: Work): boolean {
  return !isOptional && lsnOf(operation) !== undefined;
}

/** For a position, how many come first so that all that were answered before it are among them. */
function gapAfter(placed: readonly Work[]): (position: number) => number {
  const byAnswer = placed.map(({ completedAt }, i) => ({ at: completedAt, gap: i + 1 }))
    .sort((a, b) => a.at - b.at);
  for (let i = 1; i < byAnswer.length; i++) {
    byAnswer[i]!.gap = Math.max(byAnswer[i]!.gap, byAnswer[i - 1]!.gap);
  }
  return (position) => byAnswer[countBelow(byAnswer, position) - 1]?.gap ?? 0;
}

/** For a position, how many come first at most so that none that began after it is among them. */
function gapBefore(placed: readonly Work[]): (position: number) => number {
  const byBeginning = placed.map(({ invokedAt }, i) => ({ at: invokedAt, gap: i }))
    .sort((a, b) => a.at - b.at);
  for (let i = byBeginning.length - 2; i >= 0; i--) {
    byBeginning[i]!.gap = Math.min(byBeginning[i]!.gap, byBeginning[i + 1]!.gap);
  }
  return (position) => byBeginning[countBelow(byBeginning, position)]?.gap ?? placed.length;
}

/** How many of the sorted entries lie below a position. */
function countBelow(sorted: readonly { readonly at: number }[], position: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.at < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function timeOf({ work, isAnswer }: ScheduleEvent): number {
  return isAnswer ? work.completedAt : work.invokedAt;
}
