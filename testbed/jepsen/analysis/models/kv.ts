/**
 * `kv`: texts under keys, with get, put and append. A key that was never written holds the initial value, by default the empty
 * text. A state has the number of a text for each key.
 */
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
import { Interner, shortTextOf } from "./values.ts";

const GET = 0;
const PUT = 1;
const APPEND = 2;

/** See the top of this file. */
export function makeKv(operations: readonly ModelOperation[], settings: Settings): Machine {
  return new KvMachine(operations, settings);
}

class KvMachine implements Machine, Growth {
  readonly initial: number;
  readonly calls: Int32Array;
  readonly isCommutative = false;
  readonly growth = this;
  readonly values = undefined;
  readonly #keys = new Interner();
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  /** What comes of appending `b` to `a`, at `a * 2^26 + b`. */
  readonly #sums = new Map<number, number>();
  readonly #table = new CallTable();
  readonly #cells: Tuples;
  readonly #first: number;
  readonly #isProduced: boolean[] = [];

  constructor(operations: readonly ModelOperation[], settings: Settings) {
    const { init } = settings;
    this.calls = Int32Array.from(operations, (operation) => this.#callOf(operation, settings));
    const width = Math.max(1, this.#keys.count);
    this.#cells = new Tuples(width);
    this.#first = this.#numberOf(typeof init === "string" ? init : "");
    this.initial = this.#cells.numberOf(new Int32Array(width).fill(this.#first));
  }

  get callsCount(): number {
    return this.#table.f.length;
  }

  get parts(): number {
    return this.#keys.count;
  }

  step(state: number, call: number): number {
    const { f, a, b } = this.#table;
    const key = a[call]!;
    const value = b[call]!;
    switch (f[call]) {
      case GET:
        return this.#cells.get(state, key) === value ? state : REFUSED;
      case PUT:
        return this.#cells.with(state, key, value);
      default:
        return this.#cells.with(state, key, this.#append(this.#cells.get(state, key), value));
    }
  }

  isPure(call: number): boolean {
    const { f, b } = this.#table;
    return f[call] === GET || (f[call] === APPEND && this.#texts[b[call]!] === "");
  }

  isImpossible(call: number): boolean {
    if (this.#table.f[call] !== GET) return false;
    return !(this.#isProduced[call] ??= this.#canProduce(call));
  }

  /** Whether a text is a beginning that somebody put, or the first, and pieces that somebody appended. */
  #canProduce(call: number): boolean {
    const { f, a, b } = this.#table;
    const text = this.#texts[b[call]!]!;
    const operands = (kind: number): string[] =>
      f.flatMap((it, other) =>
        it === kind && a[other] === a[call] ? [this.#texts[b[other]!]!] : []
      );
    const beginnings = [this.#texts[this.#first]!, ...operands(PUT)];
    const pieces = operands(APPEND);
    if (text.length * pieces.length > PIECES_MAX) return true;
    const isReached = new Uint8Array(text.length + 1);
    for (const it of beginnings) if (text.startsWith(it)) isReached[it.length] = 1;
    for (let at = 0; at < text.length; at++) {
      if (isReached[at] === 0) continue;
      for (const it of pieces) if (text.startsWith(it, at)) isReached[at + it.length] = 1;
    }
    return isReached[text.length] === 1;
  }

  isObservable(call: number): boolean {
    const { f, a } = this.#table;
    return f.some((kind, other) => kind === GET && a[other] === a[call] && this.sees(other, call));
  }

  sees(pure: number, call: number): boolean {
    const { b } = this.#table;
    return this.#texts[b[pure]!]!.includes(this.#texts[b[call]!]!);
  }

  partOf(call: number): number {
    return this.#table.a[call]!;
  }

  isReset(call: number): boolean {
    return this.#table.f[call] === PUT;
  }

  explains(reset: number, call: number): boolean {
    const { b } = this.#table;
    return this.#texts[b[call]!]!.startsWith(this.#texts[b[reset]!]!);
  }

  canReach(state: number, call: number): boolean {
    const { f, a, b } = this.#table;
    if (f[call] !== GET) return true;
    const now = this.#cells.get(state, a[call]!);
    return now === b[call]! || this.#texts[b[call]!]!.startsWith(this.#texts[now]!);
  }

  describe(state: number): string {
    const held = (key: number): string => shortTextOf(this.#texts[this.#cells.get(state, key)]!);
    if (this.#keys.count <= 1) return `the text was ${held(0)}`;
    return Array.from(
      { length: this.#keys.count },
      (_, key) => `key ${this.#keys.textOf(key)} held ${held(key)}`,
    ).join(", ");
  }

  #append(text: number, added: number): number {
    const at = text * SUMS_STRIDE + added;
    const known = this.#sums.get(at);
    if (known !== undefined) return known;
    const sum = this.#numberOf(this.#texts[text]! + this.#texts[added]!);
    this.#sums.set(at, sum);
    return sum;
  }

  #numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.length;
    this.#numbers.set(text, number);
    this.#texts.push(text);
    return number;
  }

  #callOf(operation: ModelOperation, settings: Settings): number {
    const { f, key, value, outcome } = operation;
    if (f !== "get" && f !== "put" && f !== "append") {
      throw unknownFunction(operation, "get, put or append");
    }
    const cell = this.#keys.numberOf(key ?? null);
    if (f !== "get") {
      const text = this.#textNumber(operation, value);
      return outcome.kind === "fail"
        ? SILENT
        : this.#table.add(f === "put" ? PUT : APPEND, cell, text);
    }
    const seen = seenBy(operation, settings);
    if (seen === undefined) return SILENT;
    return this.#table.add(GET, cell, this.#textNumber(operation, seen ?? ""));
  }

  #textNumber(operation: ModelOperation, value: Value): number {
    if (typeof value !== "string") throw wrongValue(operation, value, "a text");
    return this.#numberOf(value);
  }
}

/** Length of a text times appends above which it is taken for possible. */
const PIECES_MAX = 200_000;
const SUMS_STRIDE = 2 ** 26;
