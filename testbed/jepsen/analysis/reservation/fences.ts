/** What a fenced read comes after: every answered operation of its part up to the lsn of its fence. */
import { isWrite, lsnOf } from "./logical.ts";
import type { Work } from "./problem.ts";

/**
 * By work, what has to happen before it because of its fence. What was answered before it began has happened anyway, so only
 * what waits beside it is named.
 *
 * @param works In the order of their beginning.
 */
export function fencesOf(works: readonly Work[]): readonly (readonly number[])[] {
  const after = works.map(() => NOTHING);
  if (works.every((work) => fenceOf(work) === 0n)) return after;
  const placed = works.filter((work) => !work.isOptional && lsnOf(work.operation) !== undefined);
  const lowestLater = lowestFrom(placed);
  let waiting: Work[] = [];
  let next = 0;
  for (const work of works) {
    const fence = fenceOf(work);
    if (fence === 0n) continue;
    while (next < placed.length && placed[next]!.invokedAt <= work.completedAt) {
      waiting.push(placed[next++]!);
    }
    waiting = waiting.filter(({ completedAt }) => completedAt > work.invokedAt);
    // Of those that begin too late one is as bad as all.
    const late = lowestLater[next];
    const beside = late === undefined ? waiting : [...waiting, late];
    after[work.index] = beside.filter(({ operation }) => lsnOf(operation)! <= fence)
      .map(({ index }) => index);
  }
  return after;
}

const NOTHING: readonly number[] = [];

/** By place, whichever has the lowest lsn from there on. */
function lowestFrom(placed: readonly Work[]): readonly Work[] {
  const lowest: Work[] = [...placed];
  for (let i = placed.length - 2; i >= 0; i--) {
    const [own, later] = [placed[i]!, lowest[i + 1]!];
    if (lsnOf(later.operation)! < lsnOf(own.operation)!) lowest[i] = later;
  }
  return lowest;
}

function fenceOf({ operation: { request }, isOptional }: Work): bigint {
  return isWrite(request) || isOptional ? 0n : request.requiredLsn ?? 0n;
}
