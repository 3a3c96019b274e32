/**
 * The order that the system itself claims: that of the lsns. A search that keeps to it has next to nothing to choose, and what
 * it finds is a proof like any other. If it finds nothing, no more is said than that the lsns are not the order in which
 * things can have happened; another order may still explain every answer.
 */
import { lsnOf } from "./fold.ts";
import type { Problem, Work } from "./problem.ts";

/** Whether a problem has lsns to go by. */
export function hasLsns({ works }: Problem): boolean {
  return works.some(isPlaced);
}

/** The same problem, in which no operation happens before those with lower lsns have. */
export function inLsnOrder(problem: Problem): Problem {
  const placed = problem.works.filter(isPlaced)
    .sort((a, b) => lsnOf(a.operation)! < lsnOf(b.operation)! ? -1 : 1);
  const works = [...problem.works];
  for (const [i, work] of placed.entries()) {
    const previous = placed[i - 1];
    if (previous === undefined) continue;
    works[work.index] = { ...work, after: [...work.after, previous.index] };
  }
  return { ...problem, works };
}

function isPlaced({ operation, isOptional }: Work): boolean {
  return !isOptional && lsnOf(operation) !== undefined;
}
