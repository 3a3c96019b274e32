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

const KEYWORDS_REMEMBERED_MAX = 4096;
const remembered = new Map<string, Word>();

/** A keyword that was there before; the few that a history repeats for ever are made once. */
export function rememberedKeyword(token: string): Word | undefined {
  return remembered.get(token);
}

/**
 * A keyword.
 *
 * @param token with its colon
 */
export function keyword(token: string): Word {
  const made: Word = { kind: "keyword", text: token.slice(1) };
  if (remembered.size < KEYWORDS_REMEMBERED_MAX) remembered.set(token, made);
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
