/** Data become values of models: nothing, whole numbers, text and lists of these. What cannot is refused, never bent. */
import { HistoryError, quoted } from "../../history/history_error.ts";
import type { Value } from "../../history/model.ts";
import { VALUE_DEPTH_MAX } from "../own/value_text.ts";
import { type Datum, describeKind, type Word } from "./datum.ts";
import { printEdn } from "./edn_print.ts";
import type { Dialect } from "./operation.ts";

/** Other texts are not remembered; a history with more and with keywords among its strings is refused. */
const TEXTS_MAX = 2_000_000;
const STRING = "string";
type TextKind = typeof STRING | Word["kind"];

/**
 * Values have one kind of text only, while in EDN `:a`, `a`, `"a"` and `\a` are four different things: a history in which two
 * of them meet is refused, for a judge could take the one for the other.
 */
export class Values {
  readonly #dialect: Dialect;
  readonly #kinds = new Map<string, TextKind>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** @throws {HistoryError} for what no value can be: maps, tagged forms, and decimals in JSON */
  toValue(datum: Datum, line: number, depth = 0): Value {
    if (datum === null || typeof datum === "bigint" || typeof datum === "boolean") return datum;
    if (typeof datum === "string") return this.#text(datum, STRING, line);
    if (datum.kind === "tagged" || datum.kind === "map") throw this.#notAValue(datum, line);
    if (!("items" in datum)) return this.#word(datum, line);
    if (depth === VALUE_DEPTH_MAX) {
      throw new HistoryError({ line }, "lists in lists", `at most ${VALUE_DEPTH_MAX} of them`);
    }
    const items = datum.items.map((item) => this.toValue(item, line, depth + 1));
    return datum.kind === "set" ? this.#inOneOrder(items, line) : items;
  }

  #word(word: Word, line: number): Value {
    if (word.kind === "decimal" && this.#dialect === "json") throw this.#notAValue(word, line);
    return this.#text(word.text, word.kind, line);
  }

  #text(text: string, kind: TextKind, line: number): string {
    if (this.#dialect === "json") return text;
    const known = this.#kinds.get(text);
    if (known === undefined) this.#remember(text, kind, line);
    else if (known !== kind) {
      throw new HistoryError(
        { line },
        `the ${kind} ${quoted(text)}`,
        `a ${known}, as before: values are one or the other`,
      );
    }
    return text;
  }

  #remember(text: string, kind: TextKind, line: number): void {
    if (this.#kinds.size >= TEXTS_MAX) {
      throw new HistoryError({ line }, `more than ${TEXTS_MAX} different texts`, "fewer");
    }
    this.#kinds.set(text, kind);
  }

  /** A set has no order, but equal sets have to become equal lists. */
  #inOneOrder(items: readonly Value[], line: number): Value {
    const printed = items.map((item): [string, Value] => [orderOf(item), item]);
    printed.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
    const twice = printed.find(([text], at) => at > 0 && printed[at - 1]![0] === text);
    if (twice !== undefined) {
      throw new HistoryError({ line }, `a set with ${quoted(twice[0])} twice`, "a set");
    }
    return printed.map(([, item]) => item);
  }

  #notAValue(datum: Datum, line: number): HistoryError {
    const what = `${quoted(printEdn(datum))}, ${describeKind(datum)}, as value`;
    return new HistoryError(
      { line },
      what,
      "nil, a whole number, a boolean, text or a list of these",
    );
  }
}

/** Numbers by size, then everything else by its text; different values give different texts. */
function orderOf(value: Value): string {
  if (typeof value === "bigint" && value >= 0n) {
    const digits = String(value);
    return `0${String(digits.length).padStart(5, "0")} ${digits}`;
  }
  return `1${printEdn(toDatum(value))}`;
}

/** As vectors and strings. */
export function toDatum(value: Value): Datum {
  if (!Array.isArray(value)) return value as Datum;
  return { kind: "vector", items: (value as readonly Value[]).map(toDatum) };
}
