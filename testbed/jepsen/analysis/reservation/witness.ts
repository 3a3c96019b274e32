/**
 * The order that the system itself claims: that of the lsns. A search that keeps to it has next to nothing to choose, and what
 * it finds is a proof like any other. If it finds nothing, no more is said than that the lsns are not the order in which
 * things can have happened; another order may still explain every answer.
 */
import { type LogicalOperation, lsnOf, observedLsnOf } from "./logical.ts";
import type { Problem, Work } from "./problem.ts";

/** Whether a problem has lsns to go by. */
export function hasLsns({ works }: Problem): boolean {
  return works.some(isPlaced);
}

/**
 * The same problem, in which no operation happens before those with lower lsns have; and a read that says up to which
 * lsn it saw happens after that and before the next.
 */
export function inLsnOrder(problem: Problem): Problem {
  const after = [...problem.after];
  const order = ({ index }: Work, before: readonly Work[]): void => {
    if (before.length === 0) return;
    const indexes = before.map((work) => work.index);
    after[index] = after[index]!.length === 0 ? indexes : [...after[index]!, ...indexes];
  };
  let lastWrite: Work[] = [];
  let reads: Work[] = [];
  for (const work of problem.works.filter(isPlaced).sort(byLsn)) {
    if (lsnOf(work.operation) === undefined) {
      order(work, lastWrite);
      reads.push(work);
    } else {
      order(work, reads.length > 0 ? [...lastWrite, ...reads] : lastWrite);
      lastWrite = [work];
      reads = [];
    }
  }
  return { ...problem, after };
}

function isPlaced({ operation, isOptional }: Work): boolean {
  return !isOptional && placeOf(operation) !== undefined;
}

function placeOf(operation: LogicalOperation): bigint | undefined {
  return lsnOf(operation) ?? observedLsnOf(operation);
}

/** Reads come after the write that they saw last. */
function byLsn({ operation: a, index: i }: Work, { operation: b, index: j }: Work): number {
  const [one, other] = [placeOf(a)!, placeOf(b)!];
  if (one !== other) return one < other ? -1 : 1;
  return (lsnOf(a) === undefined ? 1 : 0) - (lsnOf(b) === undefined ? 1 : 0) || i - j;
}
