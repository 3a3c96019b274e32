/**
 * Which resources may matter to the answer of an operation: its own, those of whatever waits for one of them, and those
 * that are held together with one of them. What happens elsewhere can as well happen later.
 */
import type { Work } from "./problem.ts";
import type { Board } from "./schedule.ts";

/** Resources, and shared keys behind them. */
export interface Reach {
  has(resource: number): boolean;
  meets(work: Work): boolean;
}

const EVERYTHING: Reach = { has: () => true, meets: () => true };

/**
 * What may matter to `goal` in a configuration.
 *
 * @param waiting Everything that has begun and may happen or be answered next.
 */
export function reachOf(
  { problem, layout }: Board,
  words: Int32Array,
  goal: Work,
  waiting: readonly (readonly Work[])[],
): Reach {
  const { resourceIds, claims, groups, works, after } = problem;
  if (resourceIds.length + groups <= 1) return EVERYTHING;
  const reached = new Set(goal.touches);
  const has = (resource: number): boolean => reached.has(resource);
  const meets = ({ touches }: Work): boolean => touches.some(has);
  const touch = (resources: readonly number[]): void => {
    for (const resource of resources) reached.add(resource);
  };
  for (let before = -1; before < reached.size;) {
    before = reached.size;
    for (const list of waiting) {
      for (const work of list) {
        if (!meets(work)) continue;
        touch(work.touches);
        for (const other of after[work.index]!) touch(works[other]!.touches);
      }
    }
    for (const resource of [...reached]) {
      const current = words[layout.currentAt + resource] ?? -1;
      if (resource < resourceIds.length && current >= 0) touch(claims[current]!.members);
    }
  }
  return { has, meets };
}
