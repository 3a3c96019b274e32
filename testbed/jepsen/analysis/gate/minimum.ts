/** What has to have happened so that a run counts: figures of coverage that were asked for and are not reached. */
import type { CoverageFigure, Shortfall } from "../judgement.ts";

/**
 * @param minimum What to reach, by the name of the figure; one that the history does not have counts 0.
 * @returns What is too little, in the order in which it was asked for.
 */
export function shortfallsOf(
  coverage: readonly CoverageFigure[],
  minimum: Readonly<Record<string, number>>,
): readonly Shortfall[] {
  const counts = new Map(coverage.map(({ name, count }) => [name, count]));
  return Object.entries(minimum)
    .map(([name, least]) => ({ name, count: counts.get(name) ?? 0, minimum: least }))
    .filter(({ count, minimum: least }) => count < least);
}
