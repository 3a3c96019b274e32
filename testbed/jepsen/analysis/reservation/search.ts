/**
 * Decides whether some order of a problem's operations explains every answer.
 *
 * Sources: Wing and Gong, Testing and Verifying Concurrent Objects (1993); Lowe, Testing for Linearizability (2016).
 */
import { type Budget, type Limit, LimitMet, Meter } from "./budget.ts";
import { searchConfigurations } from "./configurations.ts";
import type { Decided, Progress } from "./decided.ts";
import { searchDepthFirst } from "./depth_first.ts";
import type { Work } from "./problem.ts";
import type { Board } from "./schedule.ts";

/** How a search ended. */
export type SearchResult =
  | Decided
  | {
    readonly kind: "unknown";
    readonly limit: Limit;
    readonly work: Work;
    /** Answers that had been explained. */
    readonly decided: number;
  };

type Searcher = (board: Board, meter: Meter, progress: Progress) => Decided;

/** One way to search, and what it may spend in its first turn: so much, and so much for each operation. */
interface Turn {
  readonly searcher: Searcher;
  readonly stepsMin: number;
  readonly stepsPerWork: number;
}

/** What is right is mostly found depth first at once, with many unanswered operations or few; what is wrong, breadth first. */
const TURNS: readonly Turn[] = [
  { searcher: searchDepthFirst, stepsMin: 20_000, stepsPerWork: 16 },
  { searcher: searchConfigurations, stepsMin: 20_000, stepsPerWork: 16 },
];
/** Each round of turns has so many times the steps of the one before. */
const TURN_GROWTH = 4;

/** Searches, in the way that the budget says. */
export function search(board: Board, budget: Budget): SearchResult {
  if (budget.algorithm === "configurations") return within(searchConfigurations, board, budget);
  if (budget.algorithm === "depth_first") return within(searchDepthFirst, board, budget);
  return searchInTurns(board, budget);
}

/**
 * Depth first, then breadth first, then both again with more: whichever knows first ends it. Each turn begins anew, which
 * costs a third of what the last one takes and makes the order of the turns the same every time.
 */
function searchInTurns(board: Board, budget: Budget): SearchResult {
  const { works } = board.problem;
  let turns = TURNS;
  for (let growth = 1;; growth *= TURN_GROWTH) {
    let last: SearchResult | undefined;
    for (const turn of turns) {
      const steps = growth * Math.max(turn.stepsMin, works.length * turn.stepsPerWork);
      const isLast = steps >= budget.steps;
      last = within(turn.searcher, board, budget, steps);
      if (last.kind !== "unknown" || last.limit === "time" || isLast) return last;
      // More steps are no help to one that has too much to remember.
      if (last.limit !== "steps") turns = turns.filter((other) => other !== turn);
    }
    if (turns.length === 0) return last!;
  }
}

/** One way, for so many steps at most. */
function within(
  searcher: Searcher,
  board: Board,
  budget: Budget,
  stepsMax = Infinity,
): SearchResult {
  const steps = Math.min(stepsMax, budget.steps);
  const own = { ...budget, steps };
  const progress: Progress = { work: board.events[0]!.work, decided: 0 };
  try {
    return searcher(board, new Meter(own), progress);
  } catch (error) {
    if (!(error instanceof LimitMet)) throw error;
    return { kind: "unknown", limit: error.limit, ...progress };
  } finally {
    budget.steps -= steps - Math.max(0, own.steps);
  }
}
