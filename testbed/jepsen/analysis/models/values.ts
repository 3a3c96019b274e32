/** Values of foreign histories as small numbers, and in words. */
import type { Value } from "../../history/model.ts";

/** Text that is equal exactly for equal values. */
export function textOf(value: Value): string {
  if (value === null) return "nil";
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" ? `[${value.map(textOf).join(" ")}]` : `${value}`;
}

/** Numbers values from 0 in the order of their first mention. */
export class Interner {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  /** How many different ones there have been. */
  get count(): number {
    return this.#texts.length;
  }

  /** The number of a value. */
  numberOf(value: Value): number {
    return this.numberOfText(textOf(value));
  }

  /** The number of a value in words. */
  numberOfText(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.length;
    this.#numbers.set(text, number);
    this.#texts.push(text);
    return number;
  }

  /** In words. */
  textOf(number: number): string {
    return this.#texts[number]!;
  }
}

/** A value as long as a sentence can bear. */
export function shortTextOf(value: Value): string {
  return shortened(textOf(value));
}

/** See {@linkcode shortTextOf}. */
export function shortened(text: string): string {
  return text.length <= TEXT_MAX
    ? text
    : `${text.slice(0, TEXT_MAX / 2)}…${text.slice(-TEXT_MAX / 2)}`;
}

const TEXT_MAX = 80;
