/**
 * Whether a history is of many independent objects, written `[key value]` in the place of a value. A cas of `[1 2]` looks like that
 * too, so only what cannot be both decides: a read that begins with `[key nil]`, a cas of `[key [old new]]`, or the opposite of
 * these. Where nothing decides and it would matter, the history is refused until somebody says which it is.
 */
import { HistoryError, quoted } from "../../history/history_error.ts";
import { type Datum, isGroup, isSequence } from "./datum.ts";
import { printEdn } from "./edn_print.ts";
import type { ForeignOperation } from "./operation.ts";

/** Where the key of an operation stands: in a field of its own, before the value, or nowhere. */
export type KeyPlace = "field" | "pair" | "none";

/** See the top of this file. */
export class KeyGuess {
  #place: KeyPlace | undefined;
  /** Line that decided; 0 when somebody said so. */
  #line = 0;
  /** Line of an operation that could be read either way. */
  #doubtLine = 0;

  constructor(told: boolean | undefined) {
    if (told !== undefined) this.#place = told ? "pair" : "none";
  }

  get isCertain(): boolean {
    return this.#place !== undefined;
  }

  /** Looks at an operation, before {@linkcode place} is asked. */
  see(operation: ForeignOperation): void {
    if (this.#place !== undefined) return;
    this.#place = operation.key === undefined ? this.#placeFrom(operation) : "field";
    if (this.#place !== undefined) this.#line = operation.line;
  }

  /** @throws {HistoryError} when it is needed and nobody knows */
  place(): KeyPlace {
    if (this.#place === undefined && this.#doubtLine > 0) {
      const found = "values that may be [key value] pairs or plain values";
      throw new HistoryError(
        { line: this.#doubtLine },
        found,
        "to be told which: --keyed yes or no",
      );
    }
    return this.#place ??= "none";
  }

  /** In words, when it was guessed and there is something to say. */
  get note(): string | undefined {
    if (this.#place !== "pair" || this.#line === 0) return undefined;
    return `values are [key value] pairs, as line ${this.#line} shows: every key is judged for itself`;
  }

  /** Key and value of an operation's beginning. */
  splitRequest(operation: ForeignOperation): KeyedDatum {
    const { key, value = null, line } = operation;
    const place = this.place();
    if (key !== undefined && place !== "field") throw this.#mixed(line, "a field key");
    if (place === "none" && isKeyOfRead(operation)) throw this.#mixed(line, "[key nil]");
    if (place === "field") return { key: this.#fieldOf(operation), value };
    return place === "none" ? { key: undefined, value } : this.#pairOf(value, line);
  }

  /** Of an end; one that says nothing of its key is that of its beginning. */
  splitAnswer(operation: ForeignOperation): KeyedDatum | undefined {
    const { key, value = null } = operation;
    const place = this.place();
    if (place !== "pair") return { key: place === "field" ? key : undefined, value };
    if (operation.type === "ok" && value !== null) return this.#pairOf(value, operation.line);
    return isPair(value) ? { key: value.items[0]!, value: value.items[1]! } : undefined;
  }

  #placeFrom({ type, f, value = null, line }: ForeignOperation): KeyPlace | undefined {
    if (type !== "invoke") return undefined;
    if (!isPair(value)) return f === "cas" ? undefined : "none";
    const decided = pairPlace(f, value.items[0]!, value.items[1]!);
    if (decided === undefined) this.#doubtLine ||= line;
    return decided;
  }

  #fieldOf({ key, line }: ForeignOperation): Datum {
    if (key !== undefined) return key;
    throw new HistoryError({ line }, "an operation without key", `a key, as in line ${this.#line}`);
  }

  #pairOf(value: Datum, line: number): KeyedDatum {
    if (isPair(value)) return { key: value.items[0]!, value: value.items[1]! };
    throw new HistoryError({ line }, `the value ${quoted(printEdn(value))}`, "a pair [key value]");
  }

  #mixed(line: number, found: string): HistoryError {
    const since = this.#line === 0 ? "as was told" : `as line ${this.#line} shows`;
    return new HistoryError({ line }, found, `no such key, ${since}`);
  }
}

/** An operation's object, if it names one, and the rest. */
export interface KeyedDatum {
  readonly key: Datum | undefined;
  readonly value: Datum;
}

/** Operations that begin with nil where nobody names a key. */
const UNASKED: ReadonlySet<string> = new Set(["read", "get", "acquire", "release"]);

type Pair = Extract<Datum, { readonly items: readonly Datum[] }>;

function isPair(value: Datum): value is Pair {
  return isSequence(value) && value.items.length === 2;
}

function isKeyOfRead({ f, type, value = null }: ForeignOperation): boolean {
  return type === "invoke" && UNASKED.has(f) && isPair(value) && value.items[1] === null;
}

/** What two items in the place of a value show. */
function pairPlace(f: string, first: Datum, second: Datum): KeyPlace | undefined {
  if (UNASKED.has(f)) return second === null ? "pair" : undefined;
  if (f === "txn") return "none";
  if (f !== "cas" || isGroup(first)) return undefined;
  return isPair(second) ? "pair" : isGroup(second) ? undefined : "none";
}
