/** `register` and `cas-register`: one value that is read, written, and compared and set. A state is the number of the value. */
import type { ModelOperation } from "../../history/model.ts";
import {
  CallTable,
  type Machine,
  REFUSED,
  seenBy,
  type Settings,
  SILENT,
  unknownFunction,
  type Values,
  wrongValue,
} from "./machine.ts";
import { Interner, shortened } from "./values.ts";

const READ = 0;
const WRITE = 1;
const CAS = 2;
/** A cas that met another value. */
const MISS = 3;

/** A register without cas. */
export function makeRegister(
  operations: readonly ModelOperation[],
  settings: Settings,
): Machine {
  return new RegisterMachine(operations, settings, false);
}

/** A register with cas. */
export function makeCasRegister(
  operations: readonly ModelOperation[],
  settings: Settings,
): Machine {
  return new RegisterMachine(operations, settings, true);
}

class RegisterMachine implements Machine, Values {
  readonly initial: number;
  readonly calls: Int32Array;
  readonly isCommutative = false;
  readonly growth = undefined;
  readonly values = this;
  readonly #values = new Interner();
  readonly #table = new CallTable();
  readonly #hasCas: boolean;
  /** Values that the register may ever hold. */
  readonly #produced = new Set<number>();

  constructor(operations: readonly ModelOperation[], settings: Settings, hasCas: boolean) {
    this.#hasCas = hasCas;
    this.initial = this.#values.numberOf(settings.init ?? null);
    this.calls = Int32Array.from(operations, (operation) => this.#callOf(operation, settings));
    this.#collectProduced();
  }

  get callsCount(): number {
    return this.#table.f.length;
  }

  step(state: number, call: number): number {
    const { f, a, b } = this.#table;
    switch (f[call]) {
      case READ:
        return state === a[call] ? state : REFUSED;
      case WRITE:
        return a[call]!;
      case CAS:
        return state === a[call] ? b[call]! : REFUSED;
      default:
        return state === a[call] ? REFUSED : state;
    }
  }

  isPure(call: number): boolean {
    const { f, a, b } = this.#table;
    return f[call] === READ || f[call] === MISS || (f[call] === CAS && a[call] === b[call]);
  }

  isImpossible(call: number): boolean {
    const { f, a } = this.#table;
    return (f[call] === READ || f[call] === CAS) && !this.#produced.has(a[call]!);
  }

  /** What nobody needs can only be in the way, but of a cas that has to miss. */
  isObservable(call: number): boolean {
    const made = this.madeBy(call);
    return this.#table.f.some((kind, other) => kind === MISS || this.neededBy(other) === made);
  }

  get count(): number {
    return this.#values.count;
  }

  neededBy(call: number): number {
    const { f, a } = this.#table;
    return f[call] === READ || f[call] === CAS ? a[call]! : -1;
  }

  madeBy(call: number): number {
    const { f, a, b } = this.#table;
    return f[call] === WRITE ? a[call]! : f[call] === CAS ? b[call]! : -1;
  }

  describe(state: number): string {
    return `the register held ${shortened(this.#values.textOf(state))}`;
  }

  #callOf(operation: ModelOperation, settings: Settings): number {
    const { f, value, outcome } = operation;
    if (f === "read") {
      const seen = seenBy(operation, settings);
      return seen === undefined ? SILENT : this.#table.add(READ, this.#values.numberOf(seen));
    }
    if (f === "write") {
      const isSilent = outcome.kind === "fail";
      return isSilent ? SILENT : this.#table.add(WRITE, this.#values.numberOf(value));
    }
    if (f !== "cas" || !this.#hasCas) {
      throw unknownFunction(operation, this.#hasCas ? "read, write or cas" : "read or write");
    }
    return this.#casOf(operation, settings);
  }

  #casOf(operation: ModelOperation, { failedOps }: Settings): number {
    const { value, outcome } = operation;
    if (!Array.isArray(value) || value.length !== 2) {
      throw wrongValue(operation, value, "[expected new]");
    }
    const [expected, next] = value.map((it) => this.#values.numberOf(it));
    if (outcome.kind !== "fail") return this.#table.add(CAS, expected!, next!);
    const isChecked = failedOps === "check" && outcome.reason === undefined;
    return isChecked ? this.#table.add(MISS, expected!) : SILENT;
  }

  /** A cas produces its new value only if its expected one can be there. */
  #collectProduced(): void {
    const { f, a, b } = this.#table;
    this.#produced.add(this.initial);
    f.forEach((kind, call) => kind === WRITE && this.#produced.add(a[call]!));
    for (let before = -1; before !== this.#produced.size;) {
      before = this.#produced.size;
      f.forEach((kind, call) =>
        kind === CAS && this.#produced.has(a[call]!) && this.#produced.add(b[call]!)
      );
    }
  }
}
