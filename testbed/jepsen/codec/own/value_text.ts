/** Values of models as text without a space: `nil`, `true`, `12`, `"a\u0020b"`, `[1,"x",nil]`. */
import type { Value } from "../../history/model.ts";

/** Deepest nesting of lists. */
export const VALUE_DEPTH_MAX = 32;

/** Writes a value. */
export function valueText(value: Value): string {
  if (value === null) return "nil";
  if (typeof value === "string") return JSON.stringify(value).replaceAll(" ", "\\u0020");
  if (typeof value === "object") return `[${value.map(valueText).join(",")}]`;
  return `${value}`;
}

/** Reads a value; undefined when it is none. */
export function parseValue(text: string): Value | undefined {
  const reader = new ValueReader(text);
  const value = reader.value(0);
  return reader.isAtEnd ? value : undefined;
}

const WORD = /[^\[\],"]+/y;
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;

class ValueReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  value(depth: number): Value | undefined {
    if (this.#text[this.#at] === "[") return this.#list(depth);
    if (this.#text[this.#at] === '"') return stringOf(this.#string());
    const word = this.#match(WORD);
    if (word === "nil") return null;
    if (word === "true" || word === "false") return word === "true";
    return INTEGER.test(word) ? BigInt(word) : undefined;
  }

  #list(depth: number): Value | undefined {
    if (depth === VALUE_DEPTH_MAX) return undefined;
    const values: Value[] = [];
    this.#at++;
    while (this.#text[this.#at] !== "]") {
      if (values.length > 0 && this.#text[this.#at++] !== ",") return undefined;
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      values.push(value);
    }
    this.#at++;
    return values;
  }

  /** By hand: an expression with alternatives would need a stack as deep as the text is long. */
  #string(): string {
    const from = this.#at++;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at++];
      if (character === "\\") this.#at++;
      else if (character === '"') break;
    }
    return this.#text.slice(from, this.#at);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }
}

function stringOf(quotedText: string): string | undefined {
  try {
    return JSON.parse(quotedText);
  } catch {
    return undefined;
  }
}
