/** `set`: elements are added and all of them are read. A state is a row of bits, one for each element that anybody mentions. */
import type { ModelOperation, Value } from "../../history/model.ts";
import {
  CallTable,
  type Growth,
  type Machine,
  REFUSED,
  seenBy,
  type Settings,
  SILENT,
  unknownFunction,
  wrongValue,
} from "./machine.ts";
import { Tuples } from "./tuples.ts";
import { Interner, shortened } from "./values.ts";

const READ = 0;
const ADD = 1;

/** See the top of this file. The initial value is a list of elements. */
export function makeSet(operations: readonly ModelOperation[], settings: Settings): Machine {
  return new SetMachine(operations, settings);
}

class SetMachine implements Machine, Growth {
  readonly initial: number;
  readonly calls: Int32Array;
  readonly isCommutative = true;
  readonly growth = this;
  readonly values = undefined;
  readonly parts = 1;
  readonly #elements = new Interner();
  readonly #table = new CallTable();
  readonly #width: number;
  readonly #rows: Tuples;
  /** Elements that are there or that somebody adds. */
  readonly #produced: Int32Array;

  constructor(operations: readonly ModelOperation[], settings: Settings) {
    const initial = Array.isArray(settings.init) ? settings.init as readonly Value[] : [];
    const mentioned = operations.map((operation) => elementsOf(operation, settings));
    for (const value of [initial, ...mentioned].flatMap((it) => it ?? [])) {
      this.#elements.numberOf(value);
    }
    this.#width = Math.max(1, Math.ceil(this.#elements.count / 32));
    this.#rows = new Tuples(this.#width);
    this.initial = this.#rows.numberOf(this.#bitsOf(initial));
    this.calls = Int32Array.from(operations, ({ f }, index) => {
      const elements = mentioned[index];
      if (elements === undefined) return SILENT;
      return f === "add"
        ? this.#table.add(ADD, this.#elements.numberOf(elements[0]!))
        : this.#table.add(READ, this.#rows.numberOf(this.#bitsOf(elements)));
    });
    const added = operations.flatMap(({ f }, index) => f === "add" ? mentioned[index] ?? [] : []);
    this.#produced = this.#bitsOf([...initial, ...added]);
  }

  get callsCount(): number {
    return this.#table.f.length;
  }

  step(state: number, call: number): number {
    const element = this.#table.a[call]!;
    if (this.#table.f[call] === READ) return state === element ? state : REFUSED;
    const word = element >>> 5;
    return this.#rows.with(state, word, this.#rows.get(state, word) | (1 << (element & 31)));
  }

  isPure(call: number): boolean {
    return this.#table.f[call] === READ;
  }

  isImpossible(call: number): boolean {
    const { f, a } = this.#table;
    if (f[call] !== READ) return false;
    return this.#produced.some((bits, word) => (this.#rows.get(a[call]!, word) & ~bits) !== 0);
  }

  isObservable(call: number): boolean {
    return this.#table.f.some((kind, other) => kind === READ && this.sees(other, call));
  }

  sees(pure: number, call: number): boolean {
    const { a } = this.#table;
    return (this.#rows.get(a[pure]!, a[call]! >>> 5) & (1 << (a[call]! & 31))) !== 0;
  }

  partOf(): number {
    return 0;
  }

  isReset(): boolean {
    return false;
  }

  explains(): boolean {
    return false;
  }

  canReach(state: number, call: number): boolean {
    const seen = this.#table.a[call]!;
    for (let word = 0; word < this.#width; word++) {
      if ((this.#rows.get(state, word) & ~this.#rows.get(seen, word)) !== 0) return false;
    }
    return true;
  }

  describe(state: number): string {
    const texts: string[] = [];
    for (let element = 0; element < this.#elements.count; element++) {
      const isIn = this.#rows.get(state, element >>> 5) & (1 << (element & 31));
      if (isIn !== 0) texts.push(this.#elements.textOf(element));
    }
    return `the set held {${shortened(texts.join(" "))}}`;
  }

  #bitsOf(elements: readonly Value[]): Int32Array {
    const bits = new Int32Array(this.#width);
    for (const value of elements) {
      const element = this.#elements.numberOf(value);
      bits[element >>> 5]! |= 1 << (element & 31);
    }
    return bits;
  }
}

/** What an operation adds or saw; undefined if it says nothing. */
function elementsOf(
  operation: ModelOperation,
  settings: Settings,
): readonly Value[] | undefined {
  const { f, value, outcome } = operation;
  if (f === "add") return outcome.kind === "fail" ? undefined : [value];
  if (f !== "read") throw unknownFunction(operation, "add or read");
  const seen = seenBy(operation, settings);
  if (seen === undefined) return undefined;
  if (seen !== null && !Array.isArray(seen)) {
    throw wrongValue(operation, seen, "a list of elements");
  }
  return seen === null ? [] : seen as readonly Value[];
}
