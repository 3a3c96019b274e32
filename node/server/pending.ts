import { assert } from "../../core/assert.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { Rejection, ResultSink } from "../api.ts";
import {
  createResultColumns,
  type ResultColumns,
  setCommitted,
  setRejected,
} from "../wire/results.ts";

/** Results that the pool keeps room for while nobody uses them, about 12 MiB. */
const POOLED_RESULTS_MAX = 0x4_0000;
/** The longest list a message can have needs the 17th class. */
const SIZE_CLASSES = 17;

/** Who sends the reply when the last result is in. */
export interface SubmitOwner {
  /** Every command of the request has its result. The record is the owner's to give back. */
  submitDone(pending: PendingSubmit): void;
}

/** A submit request that waits for its results; the token of a command is its position. */
export class PendingSubmit implements ResultSink {
  readonly columns: ResultColumns;
  requestIdHigh = 0;
  requestIdLow = 0;
  count = 0;
  #unanswered = 0;
  #owner: SubmitOwner | undefined;

  /** @param capacity Most commands it can wait for. */
  constructor(capacity: number) {
    this.columns = createResultColumns(capacity);
  }

  /** Starts waiting for the results of `count` commands. */
  begin(owner: SubmitOwner, requestIdHigh: number, requestIdLow: number, count: number): void {
    this.requestIdHigh = requestIdHigh;
    this.requestIdLow = requestIdLow;
    this.count = count;
    this.columns.kinds.fill(0, 0, count);
    this.#unanswered = count;
    this.#owner = owner;
  }

  /** Takes a result in. */
  committed(token: number, outcome: Outcome): void {
    assert(this.#isAwaited(token), "server/one-answer-per-command");
    setCommitted(this.columns, token, outcome);
    this.#answered();
  }

  /** Takes a rejection in. */
  rejected(token: number, rejection: Rejection): void {
    assert(this.#isAwaited(token), "server/one-answer-per-command");
    setRejected(this.columns, token, rejection);
    this.#answered();
  }

  #isAwaited(token: number): boolean {
    return token < this.count && this.columns.kinds[token] === 0;
  }

  #answered(): void {
    this.#unanswered--;
    if (this.#unanswered > 0) return;
    const owner = this.#owner!;
    this.#owner = undefined; // The pool must not keep connections alive.
    owner.submitDone(this);
  }
}

/** Records that are not in use, by size, so that a steady load allocates none. */
export class PendingPool {
  readonly #free: PendingSubmit[][] = Array.from({ length: SIZE_CLASSES }, () => []);
  #pooledResults = 0;

  /** A record with room for `count` commands, at least 1. */
  take(count: number): PendingSubmit {
    const sizeClass = 32 - Math.clz32(count - 1);
    const pending = this.#free[sizeClass]!.pop();
    if (pending === undefined) return new PendingSubmit(1 << sizeClass);
    this.#pooledResults -= 1 << sizeClass;
    return pending;
  }

  /** Takes a record back. */
  give(pending: PendingSubmit): void {
    const capacity = pending.columns.kinds.length;
    if (this.#pooledResults + capacity > POOLED_RESULTS_MAX) return;
    this.#pooledResults += capacity;
    this.#free[31 - Math.clz32(capacity)]!.push(pending);
  }
}
