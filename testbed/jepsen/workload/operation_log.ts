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
  #nextOperationId = 1n;

  /** A new operation. */
  make<Request extends WriteRequest | TickRequest>(request: Request): Operation<Request> {
    return { operationId: this.#nextOperationId++, request, attempts: 0 };
  }

  /** Another command under the key of an operation, which is no attempt of it. */
  reuse({ operationId }: Write, request: WriteRequest): Write {
    return { operationId, request, attempts: 0 };
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
    return this.#answered[random.below(this.#answered.length)];
  }

  /** The oldest in doubt, or sometimes any of them. */
  doubtful(random: SeededRandom): Operation | undefined {
    return this.doubts[random.oneIn(3) ? random.below(this.doubts.length) : 0];
  }
}
