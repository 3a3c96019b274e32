/**
 * What a foreign history is made of, before anybody asks what it means: the data of EDN (github.com/edn-format/edn), of which
 * the data of JSON are a part. Numbers are exact: a whole one is a bigint, any other keeps its text.
 */
import { shown } from "../../history/history_error.ts";

/** Any form. Strings are strings; what merely looks like text is a {@linkcode Word}. */
export type Datum = null | boolean | bigint | string | Word | Group | Tagged;

/** A form that is no string though it is written in letters. */
export interface Word {
  readonly kind: "keyword" | "symbol" | "character" | "ratio" | "decimal";
  /** Without the colon of a keyword or the backslash of a character; a ratio in lowest terms, a decimal in one spelling. */
  readonly text: string;
}

/** Several forms; those of a map are key, value, key, value. */
export interface Group {
  readonly kind: "list" | "vector" | "set" | "map";
  readonly items: readonly Datum[];
}

/** `#tag form`. */
export interface Tagged {
  readonly kind: "tagged";
  readonly tag: string;
  readonly form: Datum;
}

const WORDS_REMEMBERED_MAX = 4096;
const remembered = new Map<string, Word>();

/**
 * A keyword; the few that a history repeats for ever are made once.
 * @param text without the colon
 */
export function keyword(text: string): Word {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const made: Word = { kind: "keyword", text };
  if (remembered.size < WORDS_REMEMBERED_MAX) remembered.set(text, made);
  return made;
}

/** Whether it is a keyword or another word of that kind. */
export function isWord(datum: Datum, kind: Word["kind"]): datum is Word {
  return typeof datum === "object" && datum !== null && datum.kind === kind;
}

/** Whether it has items. */
export function isGroup(datum: Datum): datum is Group {
  return typeof datum === "object" && datum !== null && "items" in datum;
}

/** Whether its items have an order: what Clojure calls sequential. */
export function isSequence(datum: Datum): datum is Group {
  return isGroup(datum) && (datum.kind === "vector" || datum.kind === "list");
}

/** What it is, in words for a message. */
export function describeKind(datum: Datum): string {
  if (datum === null) return "nil";
  if (typeof datum === "bigint") return "a whole number";
  if (typeof datum === "string") return "a string";
  if (typeof datum === "boolean") return String(datum);
  return datum.kind === "tagged" ? `a form tagged #${shown(datum.tag)}` : `a ${datum.kind}`;
}
