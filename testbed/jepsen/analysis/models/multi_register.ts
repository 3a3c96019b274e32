/**
 * `multi-register`: several registers, read and written by transactions. A transaction is a list of `[f key value]`, where `f` is
 * `read` or `r`, `write` or `w`; its parts happen in their order, all at one point. A state has the number of a value for each key.
 */
import type { ModelOperation, Value } from "../../history/model.ts";
import {
  answerOf,
  type Machine,
  REFUSED,
  type Settings,
  SILENT,
  unknownFunction,
  wrongValue,
} from "./machine.ts";
import { Tuples } from "./tuples.ts";
import { Interner, shortened, textOf } from "./values.ts";

/** See the top of this file. The initial value is a list of `[key value]`, or one value for every key. */
export function makeMultiRegister(
  operations: readonly ModelOperation[],
  settings: Settings,
): Machine {
  return new MultiRegisterMachine(operations, settings);
}

/** One part of a transaction. */
export interface TransactionPart {
  readonly isWrite: boolean;
  readonly key: Value;
  readonly value: Value;
}

/** The parts of a transaction: as it was answered, else as it was asked for. */
export function partsOf(operation: ModelOperation): readonly TransactionPart[] {
  const { f, value } = operation;
  if (f !== "txn" && f !== "read" && f !== "write") {
    throw unknownFunction(operation, "txn, read or write");
  }
  const list = answerOf(operation) ?? value;
  if (!Array.isArray(list)) throw wrongValue(operation, list, "a list of [f key value]");
  return list.map((part: Value) => partOf(operation, part));
}

function partOf(operation: ModelOperation, part: Value): TransactionPart {
  const [f, key, value] = Array.isArray(part) ? part as readonly Value[] : [];
  const isWrite = f === "write" || f === "w";
  if ((!isWrite && f !== "read" && f !== "r") || key === undefined || value === undefined) {
    throw wrongValue(operation, part, "[read key value] or [write key value]");
  }
  return { isWrite, key, value };
}

/** Of each part: the register, and the value it must hold; or whether it is written. */
interface Transaction {
  readonly keys: readonly number[];
  readonly values: readonly number[];
  readonly isWrite: readonly boolean[];
}

class MultiRegisterMachine implements Machine {
  readonly initial: number;
  readonly calls: Int32Array;
  readonly isCommutative = false;
  readonly growth = undefined;
  readonly values = undefined;
  readonly #keys = new Interner();
  readonly #values = new Interner();
  readonly #numbers = new Interner();
  readonly #transactions: Transaction[] = [];
  readonly #cells: Tuples;
  readonly #produced = new Set<string>();

  constructor(operations: readonly ModelOperation[], settings: Settings) {
    this.calls = Int32Array.from(operations, (operation) => this.#callOf(operation, settings));
    const width = Math.max(1, this.#keys.count);
    this.#cells = new Tuples(width);
    const initial = Array.from(
      { length: width },
      (_, key) =>
        this.#values.numberOf(
          initialOf(this.#keys.count > 0 ? this.#keys.textOf(key) : "", settings),
        ),
    );
    this.initial = this.#cells.numberOf(initial);
    initial.forEach((value, key) => this.#produced.add(`${key} ${value}`));
    for (const { keys, values, isWrite } of this.#transactions) {
      keys.forEach((key, i) => isWrite[i] && this.#produced.add(`${key} ${values[i]}`));
    }
  }

  get callsCount(): number {
    return this.#transactions.length;
  }

  step(state: number, call: number): number {
    const { keys, values, isWrite } = this.#transactions[call]!;
    let next = state;
    for (let i = 0; i < keys.length; i++) {
      if (isWrite[i]) next = this.#cells.with(next, keys[i]!, values[i]!);
      else if (this.#cells.get(next, keys[i]!) !== values[i]) return REFUSED;
    }
    return next;
  }

  isPure(call: number): boolean {
    return !this.#transactions[call]!.isWrite.includes(true);
  }

  isImpossible(call: number): boolean {
    const { keys, values, isWrite } = this.#transactions[call]!;
    return keys.some((key, i) => !isWrite[i] && !this.#produced.has(`${key} ${values[i]}`));
  }

  isObservable(): boolean {
    return true;
  }

  describe(state: number): string {
    const texts = Array.from(
      { length: this.#keys.count },
      (_, key) =>
        `${this.#keys.textOf(key)} held ${this.#values.textOf(this.#cells.get(state, key))}`,
    );
    return shortened(texts.join(", "));
  }

  #callOf(operation: ModelOperation, settings: Settings): number {
    const all = partsOf(operation);
    if (operation.outcome.kind === "fail") return SILENT;
    const isAnswered = operation.outcome.kind === "ok";
    const parts = all.filter(({ isWrite, value }) =>
      isWrite || (isAnswered && (value !== null || settings.nilRead === "value"))
    );
    // Every key has a register, also one that is mentioned in vain.
    for (const { key } of all) this.#keys.numberOf(key);
    if (parts.length === 0) return SILENT;
    const call = this.#numbers.numberOfText(
      parts.map(({ isWrite, key, value }) => textOf([isWrite, key, value])).join(),
    );
    this.#transactions[call] ??= {
      keys: parts.map(({ key }) => this.#keys.numberOf(key)),
      values: parts.map(({ value }) => this.#values.numberOf(value)),
      isWrite: parts.map(({ isWrite }) => isWrite),
    };
    return call;
  }
}

function initialOf(key: string, { init }: Settings): Value {
  if (!Array.isArray(init)) return init ?? null;
  const pair = (init as readonly Value[]).find((it) =>
    Array.isArray(it) && it.length === 2 && textOf((it as readonly Value[])[0]!) === key
  );
  return pair === undefined ? null : (pair as readonly Value[])[1]!;
}
