/** One line of a runbook history: `key=value` between spaces. Keys that nobody asks for are passed over, as the runbook has it. */
import { HistoryError, quoted, type SourcePlace } from "../../history/history_error.ts";
import { U128_MAX, U64_MAX } from "../own/fields.ts";

/** Keys and values to be written; undefined is left out. */
export type Pairs = (readonly [key: string, value: string | bigint | number | undefined])[];

const DECIMAL = /^[0-9]{1,39}$/;

/** See the top of this file. Of a key that comes twice the last counts. */
export class Tokens {
  readonly place: SourcePlace;
  readonly #values = new Map<string, string>();

  constructor(line: string, place: SourcePlace) {
    this.place = place;
    for (const token of line.split(/[ \t]+/)) {
      if (token === "") continue;
      const equals = token.indexOf("=");
      if (equals < 0) throw this.error(quoted(token), "key=value");
      this.#values.set(token.slice(0, equals), token.slice(equals + 1));
    }
  }

  error(found: string, expected: string): HistoryError {
    return new HistoryError(this.place, found, expected);
  }

  optional(key: string): string | undefined {
    return this.#values.get(key);
  }

  text(key: string): string {
    const value = this.#values.get(key);
    if (value === undefined || value === "") throw this.error(`no ${key}`, `${key}=...`);
    return value;
  }

  oneOf<Word extends string>(key: string, words: readonly Word[]): Word {
    const value = this.text(key);
    const found = words.find((word) => word === value);
    if (found === undefined) throw this.error(`${key} ${quoted(value)}`, words.join(", "));
    return found;
  }

  u128(key: string): bigint {
    return this.integer(key, this.text(key), U128_MAX);
  }

  u64(key: string): bigint {
    return this.integer(key, this.text(key), U64_MAX);
  }

  /** Undefined when it is missing, or `none`. */
  optionalU64(key: string): bigint | undefined {
    const value = this.#values.get(key);
    return value === undefined || value === "none" ? undefined : this.integer(key, value, U64_MAX);
  }

  number(key: string): number {
    const value = Number(this.u64(key));
    if (Number.isSafeInteger(value)) return value;
    throw this.error(`${key} ${quoted(this.text(key))}`, "a whole number up to 2^53 - 1");
  }

  u128s(key: string): readonly bigint[] {
    const text = this.#values.get(key);
    if (text === undefined) throw this.error(`no ${key}`, `${key}=...`);
    return text === "" ? [] : text.split(",").map((item) => this.integer(key, item, U128_MAX));
  }

  integer(key: string, text: string, max: bigint): bigint {
    const value = DECIMAL.test(text) ? BigInt(text) : undefined;
    if (value !== undefined && value <= max) return value;
    const bound = max === U64_MAX ? "2^64" : "2^128";
    throw this.error(`${key} ${quoted(text)}`, `a whole number below ${bound}`);
  }
}
