/**
 * Reads JSON as it comes, in pieces cut anywhere: values one after another, or one array, whose items are handed on.
 * Whole numbers stay exact, which `JSON.parse` does not promise above 2^53.
 */
import { HistoryError, quoted } from "../../history/history_error.ts";
import { DEPTH_MAX, FORM_TOKENS_MAX, type FormSink, TOKEN_MAX } from "./bounds.ts";
import type { Datum } from "./datum.ts";
import { detached } from "./edn_atom.ts";
import { parseNumber, parsePlain } from "./edn_number.ts";
import { stringEnd } from "./edn_lexis.ts";

/** What may come next inside of a bracket. */
type Awaited = "item_or_end" | "item" | "key_or_end" | "key" | "colon" | "value" | "comma_or_end";

interface Frame {
  readonly kind: "vector" | "map";
  readonly line: number;
  readonly items: Datum[];
  awaited: Awaited;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const STRINGS_REMEMBERED_MAX = 4_096;

const CONSTANTS = new Map<string, Datum>([["null", null], ["true", true], ["false", false]]);
/** The end of the file cannot be in the middle of these, so they need no look ahead. */
const PUNCTUATION = "[]{},:";

/** See the top of this file. */
export class JsonReader {
  readonly #sink: FormSink;
  readonly #stack: Frame[] = [];
  /** Names of fields and whatever else is repeated. */
  readonly #strings = new Map<string, string>();
  #text = "";
  #at = 0;
  #line = 1;
  #isFinal = false;
  #tokens = 0;
  /** Line of the array that is the history; 0 before there is one. */
  #historyLine = 0;
  #hasForms = false;

  constructor(sink: FormSink) {
    this.#sink = sink;
  }

  push(text: string): void {
    this.#text = this.#at === this.#text.length ? text : this.#text.slice(this.#at) + text;
    this.#at = 0;
    while (this.#step());
    if (this.#text.length - this.#at > TOKEN_MAX + 1) throw this.#tooLong();
  }

  end(): void {
    this.#isFinal = true;
    this.push("");
    const open = this.#stack[this.#stack.length - 1];
    if (open === undefined) return;
    throw this.#error(
      "the end of the file",
      `the rest of ${open.kind === "map" ? "{" : "["} of line ${open.line}`,
    );
  }

  #step(): boolean {
    this.#skipBlanks();
    if (this.#at >= this.#text.length) return false;
    const sign = this.#text[this.#at]!;
    if (sign === '"') return this.#string();
    return PUNCTUATION.includes(sign) ? this.#punctuation(sign) : this.#literal();
  }

  #skipBlanks(): void {
    const text = this.#text;
    let at = this.#at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 10) this.#line++;
      else if (code !== 32 && code !== 9 && code !== 13) break;
    }
    this.#at = at;
  }

  #punctuation(sign: string): boolean {
    this.#at++;
    if (sign === "[") return this.#open("vector");
    if (sign === "{") return this.#open("map");
    const frame = this.#stack[this.#stack.length - 1];
    if (frame === undefined) throw this.#error(quoted(sign), "a value");
    if (sign === ",") {
      return this.#move(frame, "comma_or_end", frame.kind === "map" ? "key" : "item", sign);
    }
    if (sign === ":") return this.#move(frame, "colon", "value", sign);
    return this.#close(frame, sign);
  }

  #move(frame: Frame, from: Awaited, to: Awaited, sign: string): true {
    if (frame.awaited !== from) throw this.#error(quoted(sign), words(frame.awaited));
    frame.awaited = to;
    return true;
  }

  #open(kind: Frame["kind"]): true {
    this.#refuseUnawaited(kind === "map" ? "{" : "[");
    if (this.#stack.length >= DEPTH_MAX) {
      throw this.#error(`nesting deeper than ${DEPTH_MAX}`, "a history");
    }
    const isHistory = kind === "vector" && this.#stack.length === 0;
    if (isHistory) this.#historyLine = this.#line;
    this.#countToken();
    this.#stack.push({
      kind,
      line: this.#line,
      items: [],
      awaited: kind === "map" ? "key_or_end" : "item_or_end",
    });
    return true;
  }

  #close(frame: Frame, sign: string): true {
    const isRight = sign === (frame.kind === "map" ? "}" : "]");
    if (!isRight || !frame.awaited.endsWith("_or_end")) {
      throw this.#error(quoted(sign), words(frame.awaited));
    }
    this.#stack.pop();
    if (this.#stack.length === 0 && frame.kind === "vector") return true;
    return this.#deliver({ kind: frame.kind, items: frame.items }, frame.line);
  }

  #string(): boolean {
    const from = this.#at + 1;
    const end = stringEnd(this.#text, from);
    if (end < 0) {
      if (this.#isFinal) throw this.#error("a string and the end of the file", "a quotation mark");
      return false;
    }
    if (end - from > TOKEN_MAX) throw this.#tooLong();
    this.#refuseUnawaited("a string", true);
    const value = this.#unescape(this.#text.slice(this.#at, end + 1));
    this.#at = end + 1;
    return this.#deliver(value, this.#line);
  }

  #unescape(withQuotes: string): string {
    const known = this.#strings.get(withQuotes);
    if (known !== undefined) return known;
    const value = this.#parsed(withQuotes);
    if (this.#strings.size < STRINGS_REMEMBERED_MAX) this.#strings.set(detached(withQuotes), value);
    return value;
  }

  #parsed(withQuotes: string): string {
    try {
      const value: unknown = JSON.parse(withQuotes);
      if (typeof value === "string" && value.isWellFormed()) return detached(value);
    } catch {
      // Said below: the engine's words for it name no line.
    }
    throw this.#error(`a string ${quoted(withQuotes)}`, "the escapes of JSON");
  }

  #literal(): boolean {
    const token = this.#text.slice(this.#at, literalEnd(this.#text, this.#at));
    if (token === "") throw this.#error(quoted(this.#text[this.#at]!), "JSON");
    if (this.#at + token.length === this.#text.length && !this.#isFinal) return false;
    if (token.length > TOKEN_MAX) throw this.#tooLong();
    this.#refuseUnawaited(quoted(token));
    const value = literalValue(token);
    if (value === undefined) throw this.#error(quoted(token), "a value of JSON");
    this.#at += token.length;
    return this.#deliver(value, this.#line);
  }

  /** Nothing but a key may stand where a key is awaited, and nothing at all before a comma. */
  #refuseUnawaited(found: string, isString = false): void {
    const awaited = this.#stack[this.#stack.length - 1]?.awaited;
    if (awaited === undefined) return this.#refuseSecond();
    const isKey = awaited === "key" || awaited === "key_or_end";
    if (awaited === "colon" || awaited === "comma_or_end" || (isKey && !isString)) {
      throw this.#error(found, words(awaited));
    }
  }

  #refuseSecond(): void {
    if (this.#historyLine > 0 || (this.#hasForms && this.#text[this.#at - 1] === "[")) {
      throw this.#error("another value", "one array, or operations one after another");
    }
  }

  #deliver(value: Datum, line: number): true {
    this.#countToken();
    const frame = this.#stack[this.#stack.length - 1];
    if (frame === undefined || (this.#stack.length === 1 && frame.kind === "vector")) {
      if (frame !== undefined) frame.awaited = "comma_or_end";
      this.#hasForms = true;
      this.#tokens = 0;
      this.#sink(value, line);
      return true;
    }
    const isKey = frame.awaited === "key" || frame.awaited === "key_or_end";
    frame.items.push(value);
    frame.awaited = isKey ? "colon" : "comma_or_end";
    return true;
  }

  #countToken(): void {
    if (++this.#tokens <= FORM_TOKENS_MAX) return;
    throw this.#error(`a value of more than ${FORM_TOKENS_MAX} tokens`, "an operation");
  }

  #tooLong(): HistoryError {
    return this.#error(`a token of more than ${TOKEN_MAX} characters`, "a shorter one");
  }

  #error(found: string, expected: string): HistoryError {
    return new HistoryError({ line: this.#line }, found, expected);
  }
}

/** Where letters, digits and signs of numbers end. */
function literalEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && isLiteral(text.charCodeAt(at))) at++;
  return at;
}

function isLiteral(code: number): boolean {
  const isDigitOrSign = code >= 43 && code <= 57 && code !== 44 && code !== 47;
  return isDigitOrSign || (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function literalValue(token: string): Datum | undefined {
  const plain = parsePlain(token);
  if (plain !== undefined) return plain;
  return CONSTANTS.has(token)
    ? CONSTANTS.get(token)
    : NUMBER.test(token)
    ? parseNumber(token)
    : undefined;
}

function words(awaited: Awaited): string {
  return awaited.replaceAll("_", " ");
}
