/**
 * `lock`: a mutex whose holder is the process that acquired it. Only the holder can release it, and it cannot acquire it again before.
 * An acquire may be answered with a fencing token, a whole number that is larger than every one before; a release may name it.
 * An acquire without a known token took some number, at least one more than the last: the least of them is assumed.
 */
import type { ModelOperation, Value } from "../../history/model.ts";
import {
  type Machine,
  REFUSED,
  type Settings,
  SILENT,
  unknownFunction,
  wrongValue,
} from "./machine.ts";
import { Interner } from "./values.ts";

/** See the top of this file. The initial value is the number of the process that holds it. */
export function makeLock(operations: readonly ModelOperation[], settings: Settings): Machine {
  return new LockMachine(operations, settings);
}

interface Call {
  readonly isAcquire: boolean;
  /** The process, {@linkcode GONE} for one that will never release what it may have acquired. */
  readonly client: number;
  readonly token: bigint | undefined;
}

interface State {
  /** Undefined when it is free. */
  readonly holder: number | undefined;
  /** No token up to here is given out any more. */
  readonly bound: bigint | undefined;
  /** Whether `bound` is the token of the holder. */
  readonly isKnown: boolean;
}

class LockMachine implements Machine {
  readonly initial: number;
  readonly calls: Int32Array;
  readonly isCommutative = false;
  readonly growth = undefined;
  readonly values = undefined;
  readonly #states: State[] = [];
  readonly #stateNumbers = new Interner();
  readonly #calls: Call[] = [];
  readonly #callNumbers = new Interner();
  /** Of each state: where each call leads, filled in as it is asked for. */
  readonly #steps: Int32Array[] = [];

  constructor(operations: readonly ModelOperation[], { init }: Settings) {
    const lastRelease = new Map<number, number>();
    for (const { f, process: client, invokedAt } of operations) {
      if (f === "release") lastRelease.set(client, invokedAt);
    }
    this.calls = Int32Array.from(operations, (operation) => {
      const { process: client, invokedAt, outcome } = operation;
      const isGone = outcome.kind === "info" && !((lastRelease.get(client) ?? -1) > invokedAt);
      return this.#callOf(operation, isGone && operation.f === "acquire" ? GONE : client);
    });
    const holder = typeof init === "bigint" ? Number(init) : undefined;
    this.initial = this.#numberOf({ holder, bound: undefined, isKnown: false });
  }

  get callsCount(): number {
    return this.#calls.length;
  }

  step(state: number, call: number): number {
    const known = this.#steps[state]![call]!;
    if (known !== UNTRIED) return known;
    const next = nextOf(this.#states[state]!, this.#calls[call]!);
    const number = next === undefined ? REFUSED : this.#numberOf(next);
    this.#steps[state]![call] = number;
    return number;
  }

  isPure(): boolean {
    return false;
  }

  isImpossible(): boolean {
    return false;
  }

  isObservable(): boolean {
    return true;
  }

  describe(state: number): string {
    const { holder, bound, isKnown } = this.#states[state]!;
    const token = bound === undefined ? "" : isKnown ? ` with token ${bound}` : "";
    if (holder === GONE) return `a process that was never answered held the lock${token}`;
    if (holder !== undefined) return `process ${holder} held the lock${token}`;
    return bound === undefined ? "the lock was free" : `the lock was free, after token ${bound}`;
  }

  #numberOf(state: State): number {
    const { holder, bound, isKnown } = state;
    const number = this.#stateNumbers.numberOfText(`${holder} ${bound} ${isKnown}`);
    if (number === this.#states.length) {
      this.#states.push(state);
      this.#steps.push(new Int32Array(this.#calls.length).fill(UNTRIED));
    }
    return number;
  }

  #callOf(operation: ModelOperation, client: number): number {
    const { f, outcome } = operation;
    if (f !== "acquire" && f !== "release") throw unknownFunction(operation, "acquire or release");
    if (outcome.kind === "fail") return SILENT;
    const token = f === "acquire" ? givenToken(operation) : asToken(operation, operation.value);
    const number = this.#callNumbers.numberOfText(`${f} ${client} ${token}`);
    this.#calls[number] ??= { isAcquire: f === "acquire", client, token };
    return number;
  }
}

const UNTRIED = -2;
const GONE = -1;

/** A value that was asked with comes back as it was, and is no token. */
function givenToken(operation: ModelOperation): bigint | undefined {
  const { value, outcome } = operation;
  return outcome.kind === "ok" && value === null ? asToken(operation, outcome.value) : undefined;
}

function asToken(operation: ModelOperation, value: Value): bigint | undefined {
  if (value === null) return undefined;
  if (typeof value !== "bigint") throw wrongValue(operation, value, "a whole number or nil");
  return value;
}

function nextOf(
  { holder, bound, isKnown }: State,
  { isAcquire, client, token }: Call,
): State | undefined {
  if (isAcquire) {
    if (holder !== undefined) return undefined;
    if (token !== undefined && bound !== undefined && token <= bound) return undefined;
    const least = bound === undefined ? undefined : bound + 1n;
    return { holder: client, bound: token ?? least, isKnown: token !== undefined };
  }
  if (holder !== client) return undefined;
  if (token !== undefined && isKnown && token !== bound) return undefined;
  // Naming a token that nobody was told tells it.
  const isTold = token !== undefined && !isKnown;
  if (isTold && bound !== undefined && token < bound) return undefined;
  return { holder: undefined, bound: isTold ? token : bound, isKnown: false };
}
