/** The operations of one client: those that may come again, and those of which nobody knows how they ended. */
import type { WriteRequest } from "../history/operation.ts";
import type { SeededRandom } from "../../sim/random.ts";

/** Answered operations that may come again. */
const ANSWERED_MAX = 48;

/** A write under an operation id of its own. */
export interface Operation {
  readonly operationId: bigint;
  readonly request: WriteRequest;
  /** Calls so far. */
  attempts: number;
}

/** See the top of this file. */
export class OperationLog {
  /** Of which nobody knows how they ended, the oldest first. */
  readonly doubts: Operation[] = [];
  readonly #answered: Operation[] = [];
  #nextOperationId = 1n;

  /** A new operation. */
  make(request: WriteRequest): Operation {
    return { operationId: this.#nextOperationId++, request, attempts: 0 };
  }

  /** Another command under the key of an operation, which is no attempt of it. */
  reuse({ operationId }: Operation, request: WriteRequest): Operation {
    return { operationId, request, attempts: 0 };
  }

  /** Somebody knows how it ended. */
  settle(operation: Operation): void {
    const at = this.doubts.indexOf(operation);
    if (at >= 0) this.doubts.splice(at, 1);
    if (this.#answered.includes(operation)) return;
    this.#answered.push(operation);
    if (this.#answered.length > ANSWERED_MAX) this.#answered.shift();
  }

  /** Nobody knows how it ended: it has to be sent again until somebody does. */
  doubt(operation: Operation): void {
    if (!this.doubts.includes(operation)) this.doubts.push(operation);
  }

  /** One that was answered, if there is one. */
  answered(random: SeededRandom): Operation | undefined {
    return this.#answered[random.below(this.#answered.length)];
  }

  /** The oldest in doubt, or sometimes any of them. */
  doubtful(random: SeededRandom): Operation | undefined {
    return this.doubts[random.oneIn(3) ? random.below(this.doubts.length) : 0];
  }
}
