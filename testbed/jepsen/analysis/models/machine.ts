/**
 * A model as the search sees it: states and calls are numbers. A call is what an operation did, with its answer; two operations
 * with the same call are interchangeable. An unanswered operation has the call of one that succeeded.
 */
import type { ModelOperation, Value } from "../../history/model.ts";
import { shortTextOf } from "./values.ts";
import { ModelError } from "./verdict.ts";

/** See the top of this file. */
export interface Machine {
  readonly initial: number;
  /** What each operation did, by its index; -1 if it says nothing. */
  readonly calls: Int32Array;
  readonly callsCount: number;
  /** The state after a call, {@linkcode REFUSED} if it cannot happen in `state`. Allocates only for states that are new. */
  step(state: number, call: number): number;
  /** Whether a call leaves every state as it is. */
  isPure(call: number): boolean;
  /** Whether no state at all allows it, whatever happens. */
  isImpossible(call: number): boolean;
  /** Whether calls that are not pure can change places. */
  readonly isCommutative: boolean;
  readonly growth: Growth | undefined;
  readonly values: Values | undefined;
  /** Whether an unanswered call can make a difference to any answer; those that cannot need not have happened. */
  isObservable(call: number): boolean;
  /** A state in words. */
  describe(state: number): string;
}

/** Of models whose state only grows, but for resets: what was seen later says what cannot have been before. */
export interface Growth {
  /** Parts that grow by themselves. */
  readonly parts: number;
  partOf(call: number): number;
  /** Whether a call makes a part start anew. */
  isReset(call: number): boolean;
  /** Whether growing can lead from right after a reset to a state that allows a pure call. */
  explains(reset: number, call: number): boolean;
  /** Whether what a call adds is in what a pure call saw. */
  sees(pure: number, call: number): boolean;
  /** Whether growing can lead from `state` to one that allows a pure call. */
  canReach(state: number, call: number): boolean;
}

/** Of models whose state is one value, which some calls need and some make. */
export interface Values {
  /** How many there are; they have the numbers of their states. */
  readonly count: number;
  /** The value in which alone a call can happen, -1 if there is none. */
  neededBy(call: number): number;
  /** The value that a call leaves behind, -1 if it leaves what was there. */
  madeBy(call: number): number;
}

/** How foreign answers are to be read. */
export interface Settings {
  readonly init: Value | undefined;
  readonly failedOps: "drop" | "check";
  readonly nilRead: "value" | "unknown";
}

/** Makes a machine for the operations of one partition. */
export type MachineMaker = (
  operations: readonly ModelOperation[],
  settings: Settings,
) => Machine;

/** No state: the call cannot happen. */
export const REFUSED = -1;

/** No call: the operation says nothing. */
export const SILENT = -1;

/** Numbers calls, and keeps what they are made of. */
export class CallTable {
  readonly f: number[] = [];
  readonly a: number[] = [];
  readonly b: number[] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of a call. */
  add(f: number, a: number, b = 0): number {
    const text = `${f} ${a} ${b}`;
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.f.length;
    this.#numbers.set(text, number);
    this.f.push(f);
    this.a.push(a);
    this.b.push(b);
    return number;
  }
}

/** The answer of an operation, undefined if it has none. */
export function answerOf({ outcome }: ModelOperation): Value | undefined {
  return outcome.kind === "ok" ? outcome.value : undefined;
}

/** What a read saw, undefined if nobody knows. */
export function seenBy(operation: ModelOperation, { nilRead }: Settings): Value | undefined {
  const seen = answerOf(operation);
  return seen === null && nilRead === "unknown" ? undefined : seen;
}

/** Of an operation that the model does not have. */
export function unknownFunction(operation: ModelOperation, expected: string): ModelError {
  return new ModelError(operation, `operation ${JSON.stringify(operation.f)}`, expected);
}

/** Of a value that the operation cannot mean. */
export function wrongValue(operation: ModelOperation, value: Value, expected: string): ModelError {
  return new ModelError(operation, `value ${shortTextOf(value)} of ${operation.f}`, expected);
}
