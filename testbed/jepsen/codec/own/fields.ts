/**
 * The fields of one record on their way in. A decoder puts them here as it finds them, whatever its format makes of
 * them; who reads the record takes each as what it has to be, and what nobody took is an error.
 */
import { HistoryError, quoted, type SourcePlace } from "../../history/history_error.ts";
import type { Value } from "../../history/model.ts";
import type { StringPool } from "../string_pool.ts";
import { Field, FIELD_NAMES } from "./field.ts";
import type { IntegerPool } from "./integer_pool.ts";
import { ServerPool } from "./server_pool.ts";

/** There is none, and that is known. */
export const NONE: unique symbol = Symbol("none");

/** What decoders put in: numbers may also be decimal text, lists also text with commas. */
export type Slot =
  | string
  | number
  | bigint
  | typeof NONE
  | { readonly list: readonly (string | number | bigint)[] }
  | { readonly value: Value };

/** Largest id. */
export const U128_MAX = (1n << 128n) - 1n;
/** Largest lsn, slot, epoch, ... */
export const U64_MAX = (1n << 64n) - 1n;

const WHOLE = /^(?:0|[1-9][0-9]{0,38})$/;
const SAFE = /^-?(?:0|[1-9][0-9]{0,15})$/;
/** So many digits are always a safe integer. */
const SAFE_DIGITS = 15;

/** See the top of this file. One of them serves a whole file. */
export class Fields {
  readonly servers = new ServerPool();
  readonly #integers: IntegerPool;
  readonly #strings: StringPool;
  readonly #slots: (Slot | undefined)[] = FIELD_NAMES.map(() => undefined);
  #count = 0;
  #place: SourcePlace = { line: 0 };

  constructor(integers: IntegerPool, strings: StringPool) {
    this.#integers = integers;
    this.#strings = strings;
  }

  /** A record begins there. */
  begin(place: SourcePlace): void {
    this.#place = place;
    if (this.#count > 0) this.#slots.fill(undefined);
    this.#count = 0;
  }

  get place(): SourcePlace {
    return this.#place;
  }

  /** Puts a field in. */
  put(field: Field, slot: Slot): void {
    if (this.#slots[field] !== undefined) {
      throw this.error(`${FIELD_NAMES[field]} twice`, "each field once");
    }
    this.#slots[field] = slot;
    this.#count++;
  }

  /** Whether everything has been taken. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  has(field: Field): boolean {
    return this.#slots[field] !== undefined;
  }

  /** Fails unless everything was taken. */
  finish(): void {
    if (this.#count === 0) return;
    const left = this.#slots.findIndex((slot) => slot !== undefined);
    throw this.error(`a field ${FIELD_NAMES[left]}`, "only fields that this record has");
  }

  text(field: Field): string {
    const slot = this.#take(field);
    if (typeof slot === "string") return this.#strings.own(slot);
    throw this.#mismatch(field, slot, "text");
  }

  optionalText(field: Field): string | undefined {
    return this.has(field) ? this.text(field) : undefined;
  }

  /** A text that has to be one of these. */
  oneOf<Word extends string>(field: Field, words: readonly Word[]): Word {
    const slot = this.#take(field);
    for (const word of words) if (word === slot) return word;
    throw this.#mismatch(field, slot, words.join(", "));
  }

  number(field: Field): number {
    const slot = this.#take(field);
    if (typeof slot === "number" && Number.isSafeInteger(slot)) return slot;
    if (typeof slot === "string" && SAFE.test(slot)) {
      const value = Number(slot);
      if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
    }
    throw this.#mismatch(field, slot, "a whole number up to 2^53 - 1");
  }

  optionalNumber(field: Field): number | undefined {
    return this.has(field) ? this.number(field) : undefined;
  }

  u64(field: Field): bigint {
    return this.#integer(field, this.#take(field), U64_MAX, "2^64");
  }

  optionalU64(field: Field): bigint | undefined {
    return this.has(field) ? this.u64(field) : undefined;
  }

  u128(field: Field): bigint {
    return this.#integer(field, this.#take(field), U128_MAX, "2^128");
  }

  optionalU128(field: Field): bigint | undefined {
    return this.has(field) ? this.u128(field) : undefined;
  }

  /** Whether it says that there is none; takes it if so. */
  isNone(field: Field): boolean {
    const slot = this.#slots[field];
    if (slot !== NONE && slot !== "none") return false;
    this.#take(field);
    return true;
  }

  u128s(field: Field): readonly bigint[] {
    return this.#list(field).map((item) => this.#integer(field, item, U128_MAX, "2^128"));
  }

  numbers(field: Field): readonly number[] {
    return this.#list(field).map((item) => {
      const value = Number(item);
      const isWhole = typeof item === "number" || SAFE.test(`${item}`);
      if (isWhole && Number.isSafeInteger(value)) return value;
      throw this.#mismatch(field, item, "whole numbers up to 2^53 - 1");
    });
  }

  value(field: Field): Value {
    const slot = this.#take(field);
    if (typeof slot === "object") {
      if ("value" in slot) return slot.value;
    }
    throw this.#mismatch(field, slot, "a value");
  }

  /** An error at this record. */
  error(found: string, expected: string): HistoryError {
    return new HistoryError(this.#place, found, expected);
  }

  #take(field: Field): Slot {
    const slot = this.#slots[field];
    if (slot === undefined) throw this.#missing(field);
    this.#slots[field] = undefined;
    this.#count--;
    return slot;
  }

  #integer(field: Field, slot: Slot, max: bigint, bound: string): bigint {
    const value = this.#whole(slot);
    if (value !== undefined && value <= max) return value;
    throw this.#mismatch(field, slot, `a whole number below ${bound}`);
  }

  #whole(slot: Slot): bigint | undefined {
    switch (typeof slot) {
      case "number":
        return Number.isSafeInteger(slot) && slot >= 0 ? this.#integers.ofNumber(slot) : undefined;
      case "bigint":
        return slot < 0n ? undefined : slot;
      case "string":
        if (!WHOLE.test(slot)) return undefined;
        return slot.length <= SAFE_DIGITS ? this.#integers.ofNumber(Number(slot)) : BigInt(slot);
      default:
        return undefined;
    }
  }

  #list(field: Field): readonly (string | number | bigint)[] {
    if (this.isNone(field)) return [];
    const slot = this.#take(field);
    if (typeof slot === "string") return slot.split(",");
    if (typeof slot === "object" && "list" in slot) return slot.list;
    throw this.#mismatch(field, slot, "a list of whole numbers");
  }

  #missing(field: Field): HistoryError {
    const type = this.#slots[Field.type];
    const record = typeof type === "string" ? `a record of type ${quoted(type)}` : "a record";
    return this.error(`${record} without ${FIELD_NAMES[field]}`, "that field");
  }

  #mismatch(field: Field, slot: Slot, expected: string): HistoryError {
    return this.error(`${FIELD_NAMES[field]} ${slotText(slot)}`, expected);
  }
}

function slotText(slot: Slot): string {
  if (slot === NONE) return "none";
  if (typeof slot === "object") return "list" in slot ? "a list" : "a value of a model";
  return typeof slot === "string" ? quoted(slot) : quoted(`${slot}`);
}
