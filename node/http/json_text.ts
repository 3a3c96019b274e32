/**
 * Strict JSON: what `JSON.parse` takes, less two things it should not have taken from a stranger (a key twice
 * in one object, nesting without end), and with the place of the first mistake. Source: RFC 8259, RFC 7493.
 */

/** Deepest nesting; the deepest request has 4 levels. */
export const JSON_DEPTH_MAX = 16;

/** A mistake and where it is. */
export interface JsonMistake {
  readonly message: string;
  /** In UTF-16 code units from the start of the text. */
  readonly at: number;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** The value, or why there is none. */
export type JsonResult =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "mistake"; readonly mistake: JsonMistake };

/** Reads one JSON text to its end. */
export function parseJson(text: string): JsonResult {
  const found = new Scanner(text).scan();
  if (found === undefined) return { kind: "value", value: JSON.parse(text) };
  const before = text.slice(0, found.at);
  const line = before.split("\n").length;
  const column = found.at - before.lastIndexOf("\n");
  return { kind: "mistake", mistake: { ...found, line, column } };
}

interface Mistake {
  readonly message: string;
  readonly at: number;
}

/** What may come next. */
type Expected = "value" | "value_or_end" | "key" | "key_or_end" | "colon" | "comma_or_end" | "end";

const SPACE = /[ \t\n\r]*/y;
const PLAIN = /[^"\\\p{Cc}]*/uy;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;

/** Walks the tokens without recursion. Keys of the open objects are kept, an open array has none. */
class Scanner {
  readonly #text: string;
  readonly #open: (Set<string> | undefined)[] = [];
  #at = 0;
  #expected: Expected = "value";

  constructor(text: string) {
    this.#text = text;
  }

  /** The first mistake, or `undefined`. */
  scan(): Mistake | undefined {
    for (;;) {
      this.#skip(SPACE);
      if (this.#at === this.#text.length) {
        return this.#expected === "end" ? undefined : this.#wrong("the text ends too early");
      }
      const mistake = this.#token(this.#text[this.#at]!);
      if (mistake !== undefined) return mistake;
    }
  }

  #token(first: string): Mistake | undefined {
    switch (this.#expected) {
      case "end":
        return this.#wrong("something follows the end of the value");
      case "colon":
        return first === ":" ? this.#step("value") : this.#wrong("expected ':'");
      case "comma_or_end":
        return this.#commaOrEnd(first);
      case "key":
      case "key_or_end":
        if (first === '"') return this.#key();
        if (first === "}" && this.#expected === "key_or_end") return this.#close();
        return this.#wrong("expected a name in double quotes");
      default:
        if (first === "]" && this.#expected === "value_or_end") return this.#close();
        return this.#value(first);
    }
  }

  #value(first: string): Mistake | undefined {
    if (first === "{" || first === "[") {
      if (this.#open.length === JSON_DEPTH_MAX) {
        return this.#wrong(`nested deeper than ${JSON_DEPTH_MAX} levels`);
      }
      this.#open.push(first === "{" ? new Set() : undefined);
      return this.#step(first === "{" ? "key_or_end" : "value_or_end");
    }
    const mistake = first === '"' ? this.#string() : this.#scalar();
    this.#expected = this.#after();
    return mistake;
  }

  #scalar(): Mistake | undefined {
    return this.#skip(SCALAR) ? undefined : this.#wrong("expected a value");
  }

  #key(): Mistake | undefined {
    const start = this.#at;
    const mistake = this.#string();
    if (mistake !== undefined) return mistake;
    const key: string = JSON.parse(this.#text.slice(start, this.#at));
    const keys = this.#open.at(-1)!;
    if (keys.has(key)) return { message: "the same name twice in one object", at: start };
    keys.add(key);
    this.#expected = "colon";
    return undefined;
  }

  #string(): Mistake | undefined {
    this.#at++;
    for (;;) {
      this.#skip(PLAIN);
      const stop = this.#text[this.#at];
      if (stop === '"') {
        this.#at++;
        return undefined;
      }
      if (stop === undefined) return this.#wrong("the text ends inside a string");
      if (stop === "\\") {
        if (!this.#skip(ESCAPE)) return this.#wrong("no such escape");
      } else if (stop < " ") return this.#wrong("a control character inside a string");
      else this.#at++; // U+007F to U+009F: control characters that JSON does allow.
    }
  }

  #commaOrEnd(first: string): Mistake | undefined {
    const inObject = this.#open.at(-1) !== undefined;
    if (first === ",") return this.#step(inObject ? "key" : "value");
    if (first === (inObject ? "}" : "]")) return this.#close();
    return this.#wrong(inObject ? "expected ',' or '}'" : "expected ',' or ']'");
  }

  #close(): undefined {
    this.#open.pop();
    return this.#step(this.#after());
  }

  /** What may follow a value. */
  #after(): Expected {
    return this.#open.length === 0 ? "end" : "comma_or_end";
  }

  #step(expected: Expected): undefined {
    this.#at++;
    this.#expected = expected;
    return undefined;
  }

  /** Moves behind what the pattern finds here; false when it finds nothing. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #wrong(message: string): Mistake {
    return { message, at: this.#at };
  }
}
