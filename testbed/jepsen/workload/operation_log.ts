/** The operations of one client: those that may come again, and those of which nobody knows how they ended. */
import type { TickRequest } from "../history/event.ts";
import type { WriteRequest } from "../history/operation.ts";
import type { SeededRandom } from "../../sim/random.ts";

/** Answered operations that may come again. */
const ANSWERED_MAX = 48;

/** Something that changes the cluster, under an operation id of its own. */
export interface Operation<Request = WriteRequest | TickRequest> {
  readonly operationId: bigint;
  readonly request: Request;
  /** When it was made, in milliseconds. */
  readonly madeMs: number;
  /** Calls so far. */
  attempts: number;
}

/** One with a place in the log. */
export type Write = Operation<WriteRequest>;
/** Its id is known to the history alone: a cluster that is asked for expirations twice looks twice. */
export type Tick = Operation<TickRequest>;

/** Tells the two apart. */
export function isTick(operation: Operation): operation is Tick {
  return operation.request.kind === "tick_expirations";
}

/** See the top of this file. */
export class OperationLog {
  /** Of which nobody knows how they ended, the oldest first. */
  readonly doubts: Operation[] = [];
  readonly #answered: Write[] = [];
  readonly #nowMs: () => number;
  readonly #againMsMax: number;
  #nextOperationId = 1n;

  /**
   * @param nowMs A clock that never goes back.
   * @param againMsMax What was answered comes again only so long after it was made: the cluster surely remembers it.
   */
  constructor(nowMs: () => number, againMsMax: number) {
    this.#nowMs = nowMs;
    this.#againMsMax = againMsMax;
  }

  /** A new operation. */
  make<Request extends WriteRequest | TickRequest>(request: Request): Operation<Request> {
    return {
      ...{ operationId: this.#nextOperationId++, request },
      ...{ madeMs: this.#nowMs(), attempts: 0 },
    };
  }

  /** Another command under the key of an operation, which is no attempt of it. */
  reuse({ operationId, madeMs }: Write, request: WriteRequest): Write {
    return { operationId, request, madeMs, attempts: 0 };
  }

  /** Somebody knows how it ended. */
  settle(operation: Operation): void {
    const at = this.doubts.indexOf(operation);
    if (at >= 0) this.doubts.splice(at, 1);
    if (isTick(operation)) return;
    const write = operation as Write;
    if (this.#answered.includes(write)) return;
    this.#answered.push(write);
    if (this.#answered.length > ANSWERED_MAX) this.#answered.shift();
  }

  /** Nobody knows how it ended: it has to be sent again until somebody does. */
  doubt(operation: Operation): void {
    if (!this.doubts.includes(operation)) this.doubts.push(operation);
  }

  /** One that was answered, if there is one. */
  answered(random: SeededRandom): Write | undefined {
    const recent = this.recent();
    return recent[random.below(recent.length)];
  }

  /** All that were answered and may come again. */
  recent(): readonly Write[] {
    const since = this.#nowMs() - this.#againMsMax;
    return this.#answered.filter(({ madeMs }) => madeMs >= since);
  }

  /** The oldest in doubt, or sometimes any of them. */
  doubtful(random: SeededRandom): Operation | undefined {
    return this.doubts[random.oneIn(3) ? random.below(this.doubts.length) : 0];
  }
}
