/**
 * All configurations side by side, one level after another, just in time: whatever came before a level is forgotten. The level at
 * which none is left is where the history failed.
 */
import type { Board } from "./board.ts";
import { Moves } from "./moves.ts";
import { type Outcome, type Search, STATES_MAX } from "./search.ts";
import { Store } from "./store.ts";
import { ROOT, Trace } from "./trace.ts";

/** Nodes of the trace above which it is worth looking for those that are not needed. */
const TRACE_MIN = 1 << 18;

/** See the top of this file. */
export class BreadthFirst implements Search {
  outcome: Outcome | undefined;
  level = 0;
  readonly #board: Board;
  readonly #moves: Moves;
  readonly #trace = new Trace();
  readonly #configurationsMax: number;
  #now: Store;
  #next: Store;
  /** The row of `#now` to be expanded next. */
  #at = 0;
  #parentTrace = ROOT;
  #traceMax = TRACE_MIN;

  constructor(board: Board, configurationsMax: number, looksAhead: boolean) {
    this.#board = board;
    this.#moves = new Moves(board, looksAhead);
    this.#now = new Store(board.layout);
    this.#next = new Store(board.layout);
    this.#configurationsMax = configurationsMax;
    if (board.goals.length === 0) {
      this.outcome = { kind: "valid", path: [] };
      return;
    }
    this.#moves.begin();
    this.#now.add(this.#moves.row, ROOT);
  }

  get steps(): number {
    return this.#moves.steps + this.#now.looks + this.#next.looks;
  }

  runTo(steps: number): void {
    const visit = (operation: number): void => this.#visit(operation);
    while (this.outcome === undefined && this.steps < steps) {
      if (this.#at === this.#now.count) {
        this.#nextLevel();
        continue;
      }
      const at = this.#at++;
      if (this.#now.isDead(at)) continue;
      this.#parentTrace = this.#now.traceOf(at);
      this.#moves.load(this.#now, at);
      if (this.#moves.isReached()) this.#pass();
      else if (!this.#moves.isHopeless(this.level)) this.#moves.expand(this.#now, at, visit);
      if (this.#now.count + this.#next.count > this.#configurationsMax) {
        this.outcome = { kind: "full" };
      }
    }
  }

  #visit(operation: number): void {
    const at = this.#now.add(this.#moves.row, ROOT);
    if (at >= 0) this.#now.setTrace(at, this.#trace.add(this.#parentTrace, operation));
  }

  #pass(): void {
    this.#moves.advance();
    if (this.#moves.isOver()) {
      this.outcome = { kind: "valid", path: this.#trace.pathTo(this.#parentTrace) };
      return;
    }
    this.#next.add(this.#moves.row, this.#parentTrace);
  }

  #nextLevel(): void {
    if (this.#next.count === 0) {
      this.outcome = { kind: "invalid", level: this.level, states: this.#statesNow() };
      return;
    }
    [this.#now, this.#next] = [this.#next, this.#now];
    this.#next.clear();
    this.#at = 0;
    this.level++;
    if (this.#trace.count > this.#traceMax) this.#compact();
  }

  #statesNow(): number[] {
    const { size } = this.#board.layout;
    const states = new Set<number>();
    for (let at = 0; at < this.#now.count && states.size < STATES_MAX; at++) {
      states.add(this.#now.words[at * size + 1]!);
    }
    return [...states];
  }

  #compact(): void {
    const kept = Int32Array.from({ length: this.#now.count }, (_, at) => this.#now.traceOf(at));
    this.#trace.compact(kept);
    kept.forEach((trace, at) => this.#now.setTrace(at, trace));
    this.#traceMax = Math.max(TRACE_MIN, this.#trace.count * 2);
  }
}
