/** What a fenced read comes after: every answered operation of its part up to the lsn of its fence. */
import { isWrite, lsnOf } from "./fold.ts";
import type { Work } from "./problem.ts";

/**
 * Says of fenced reads what has to happen before them. What was answered before they began has happened anyway, so only what
 * waits beside them is named.
 *
 * @param works In the order of their beginning.
 */
export function withFences(works: readonly Work[]): readonly Work[] {
  if (works.every((work) => fenceOf(work) === 0n)) return works;
  const placed = works.filter((work) => !work.isOptional && lsnOf(work.operation) !== undefined);
  let waiting: Work[] = [];
  let next = 0;
  return works.map((work) => {
    const fence = fenceOf(work);
    if (fence === 0n) return work;
    while (next < placed.length && placed[next]!.invokedAt <= work.completedAt) {
      waiting.push(placed[next++]!);
    }
    waiting = waiting.filter(({ completedAt }) => completedAt > work.invokedAt);
    const after = waiting.filter(({ operation }) => lsnOf(operation)! <= fence);
    return { ...work, after: after.map(({ index }) => index) };
  });
}

function fenceOf({ operation: { request }, isOptional }: Work): bigint {
  return isWrite(request) || isOptional ? 0n : request.requiredLsn ?? 0n;
}
