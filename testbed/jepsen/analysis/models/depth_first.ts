/**
 * Depth first, with a memory of every configuration that was met: lucky with valid histories, however many unanswered operations
 * there are. Sources: Wing and Gong (1993); Lowe, Testing for Linearizability (2016), from whom the memory is.
 */
import type { Board } from "./board.ts";
import { Moves } from "./moves.ts";
import { type Outcome, type Search, STATES_MAX } from "./search.ts";
import { Store } from "./store.ts";
import { ROOT, Trace } from "./trace.ts";

/** See the top of this file. */
export class DepthFirst implements Search {
  outcome: Outcome | undefined;
  level = 0;
  readonly #moves: Moves;
  readonly #store: Store;
  readonly #trace = new Trace();
  readonly #configurationsMax: number;
  /** Rows that were met and not expanded. */
  readonly #waiting: number[] = [];
  /** States that were met at the furthest level. */
  readonly #states = new Set<number>();
  readonly #children: number[] = [];
  #parentTrace = ROOT;

  constructor(board: Board, configurationsMax: number, looksAhead: boolean) {
    this.#moves = new Moves(board, looksAhead);
    this.#store = new Store(board.layout);
    this.#configurationsMax = configurationsMax;
    if (board.goals.length === 0) {
      this.outcome = { kind: "valid", path: [] };
      return;
    }
    this.#moves.begin();
    this.#arrive(ROOT);
    this.#push();
  }

  get steps(): number {
    return this.#moves.steps + this.#store.looks;
  }

  runTo(steps: number): void {
    const visit = (operation: number): void => {
      if (this.outcome === undefined) this.#arrive(operation);
    };
    while (this.outcome === undefined && this.steps < steps) {
      const at = this.#waiting.pop();
      if (at === undefined) {
        this.outcome = { kind: "invalid", level: this.level, states: [...this.#states] };
        return;
      }
      if (this.#store.isDead(at)) continue;
      if (this.#moves.isHopeless(this.#store.words[at * this.#moves.row.length]!)) continue;
      this.#parentTrace = this.#store.traceOf(at);
      this.#moves.expand(this.#store, at, visit);
      this.#push();
    }
  }

  /** Follows the row as far as nothing has to be decided, and remembers it there. */
  #arrive(operation: number): void {
    const moves = this.#moves;
    while (moves.isReached()) {
      moves.advance();
      if (moves.isOver()) {
        const path = this.#trace.pathTo(this.#parentTrace);
        this.outcome = { kind: "valid", path: operation === ROOT ? path : [...path, operation] };
        return;
      }
    }
    this.#noteState();
    // The trace of the row is noted below, once it is known to be new.
    const at = this.#store.add(moves.row, ROOT);
    if (at < 0) return;
    if (operation !== ROOT) this.#store.setTrace(at, this.#trace.add(this.#parentTrace, operation));
    this.#children.push(at);
    if (this.#store.count > this.#configurationsMax) this.outcome = { kind: "full" };
  }

  #noteState(): void {
    const level = this.#moves.row[0]!;
    if (level > this.level) {
      this.level = level;
      this.#states.clear();
    }
    if (level === this.level && this.#states.size < STATES_MAX) {
      this.#states.add(this.#moves.row[1]!);
    }
  }

  /** What was tried first is looked into first. */
  #push(): void {
    for (let i = this.#children.length - 1; i >= 0; i--) this.#waiting.push(this.#children[i]!);
    this.#children.length = 0;
  }
}
