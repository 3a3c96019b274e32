/** Both searches in turns: whichever decides first is right, and neither can keep the other waiting for ever. */
import type { Board } from "./board.ts";
import { BreadthFirst } from "./breadth_first.ts";
import { DepthFirst } from "./depth_first.ts";
import type { Outcome, Search } from "./search.ts";
import type { Algorithm } from "./verdict.ts";

/** Steps of one turn. */
const TURN = 4_096;

interface Runner {
  readonly name: Exclude<Algorithm, "auto">;
  readonly search: Search;
}

/** See the top of this file. */
export class Race {
  outcome: Outcome | undefined;
  decidedBy: Runner["name"] | undefined;
  /** The furthest level that was met. */
  level = 0;
  #runners: Runner[] = [];
  #turn = 0;
  /** Steps of those that gave up. */
  #stepsBefore = 0;

  /**
   * @param looksAhead Whether later answers may rule out what is tried earlier: faster, but the level at which an invalid
   * history fails is then a lower bound.
   */
  constructor(
    board: Board,
    algorithm: Algorithm,
    configurationsMax: number,
    looksAhead = true,
  ) {
    if (algorithm !== "wgl") {
      const search = new BreadthFirst(board, configurationsMax, looksAhead);
      this.#runners.push({ name: "configurations", search });
    }
    if (algorithm !== "configurations") {
      this.#runners.push({
        name: "wgl",
        search: new DepthFirst(board, configurationsMax, looksAhead),
      });
    }
    for (const runner of this.#runners) this.#look(runner);
  }

  /** Steps so far. */
  get steps(): number {
    return this.#runners.reduce((sum, { search }) => sum + search.steps, this.#stepsBefore);
  }

  /** One turn. */
  run(): void {
    if (this.outcome !== undefined) return;
    const runner = this.#runners[this.#turn++ % this.#runners.length]!;
    runner.search.runTo(runner.search.steps + TURN);
    this.#look(runner);
  }

  #look(runner: Runner): void {
    const { name, search } = runner;
    this.level = Math.max(this.level, search.level);
    if (search.outcome === undefined || this.outcome !== undefined) return;
    if (search.outcome.kind === "full" && this.#runners.length > 1) {
      this.#stepsBefore += search.steps;
      this.#runners = this.#runners.filter((it) => it !== runner);
      return;
    }
    this.outcome = search.outcome;
    this.decidedBy = name;
  }
}
