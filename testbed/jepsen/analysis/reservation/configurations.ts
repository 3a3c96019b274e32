/**
 * The search breadth first: it goes through the schedule with all the ways in which things may stand. An operation is made to
 * happen only when its answer comes and nothing else would explain it (just in time). When no way is left, the answer at
 * which that happened is the first that cannot be explained. What came before an answer is forgotten.
 */
import type { Meter } from "./budget.ts";
import { bytesOf, type Configuration, ConfigurationSet } from "./configuration.ts";
import type { Decided, Progress } from "./decided.ts";
import type { Work } from "./problem.ts";
import type { Board } from "./schedule.ts";
import { Walk } from "./walk.ts";

/**
 * Searches.
 *
 * @param progress Kept up to date, for whoever catches a limit.
 * @throws {LimitMet} When the meter says so.
 */
export function searchConfigurations(board: Board, meter: Meter, progress: Progress): Decided {
  const walk = new Walk(board, meter);
  let frontier = [walk.start()];
  for (let work = walk.toAnswer(); work !== undefined; work = walk.toAnswer()) {
    progress.work = work;
    meter.spend(frontier.length);
    for (const configuration of frontier) walk.absorb(configuration);
    const arrived = explain(walk, meter, frontier, work);
    if (arrived.length === 0) return { kind: "invalid", work, before: frontier };
    const kept = new ConfigurationSet(board.layout);
    frontier = arrived.filter((configuration) => {
      walk.leave(configuration, work);
      return kept.add(configuration);
    });
    meter.compare(kept.comparisons);
    walk.pass();
    progress.decided++;
  }
  return { kind: "valid", trace: frontier[0]!.trace };
}

/** All ways to get to where `work` has happened, none further than that. */
function explain(
  walk: Walk,
  meter: Meter,
  frontier: readonly Configuration[],
  work: Work,
): Configuration[] {
  const { layout } = walk.board;
  const seen = new ConfigurationSet(layout);
  const bytes = bytesOf(layout);
  const arrived: Configuration[] = [];
  const queue: Configuration[] = [];
  const visit = (configuration: Configuration): void => {
    const before = seen.comparisons;
    const isNew = seen.add(configuration);
    meter.compare(seen.comparisons - before);
    if (!isNew) return;
    meter.remember(seen.size, bytes);
    if (walk.hasHappened(configuration, work)) arrived.push(configuration);
    else if (!walk.isHopeless(configuration, work)) queue.push(configuration);
  };
  for (const configuration of frontier) visit(configuration);
  for (let next = 0; next < queue.length; next++) walk.expand(queue[next]!, work, visit);
  return arrived;
}
