/** How an operation is spelled in EDN and in JSON. */
import type { Value } from "../../history/model.ts";
import { type Datum, isSequence } from "./datum.ts";
import { printEdn } from "./edn_print.ts";
import { printString } from "./edn_text.ts";
import { toDatum } from "./values.ts";

/** What a foreign event says, as far as foreign formats can say it. */
export interface ForeignLine {
  readonly process: number | string;
  readonly type: "invoke" | "ok" | "fail" | "info";
  readonly f: string;
  /** A field of its own; only where the notation puts keys there. */
  readonly key: Value | undefined;
  /** Undefined: no such field. */
  readonly value: Value | undefined;
  /** Not a number: none was recorded. */
  readonly timeNs: number;
  readonly index: number;
  readonly error: string | undefined;
}

/** Spells one event. */
export interface Notation {
  /** Whether keys are a field, instead of standing before the value. */
  readonly hasKeyField: boolean;
  /** One line, without its end. */
  line(line: ForeignLine): string;
  /** A line that says nothing; absent where there are none. */
  readonly comment?: (text: string) => string;
}

/** Jepsen's, and with a field for keys Porcupine's. */
export function ednNotation(hasKeyField: boolean): Notation {
  return {
    hasKeyField,
    line: (line) => `{${ednFields(line).join(", ")}}`,
    comment: (text) => `; ${text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ")}`,
  };
}

function ednFields({ process, type, f, key, value, timeNs, index, error }: ForeignLine): string[] {
  const spell = (it: Value): string => printEdn(f === "txn" ? toTransaction(it) : toDatum(it));
  return [
    `:process ${typeof process === "number" ? process : `:${process}`}`,
    `:type :${type}`,
    `:f :${f}`,
    ...(key === undefined ? [] : [`:key ${spell(key)}`]),
    ...(value === undefined ? [] : [`:value ${spell(value)}`]),
    ...(error === undefined ? [] : [`:error ${printString(error)}`]),
    ...(Number.isNaN(timeNs) ? [] : [`:time ${timeNs}`]),
    `:index ${index}`,
  ];
}

/** The parts of a transaction begin with a keyword, or Knossos does not know them. */
function toTransaction(value: Value): Datum {
  const datum = toDatum(value);
  return isSequence(datum) ? { kind: "vector", items: datum.items.map(toPart) } : datum;
}

function toPart(part: Datum): Datum {
  if (!isSequence(part) || typeof part.items[0] !== "string") return part;
  const name: Datum = { kind: "keyword", text: part.items[0] };
  return { kind: "vector", items: [name, ...part.items.slice(1)] };
}

/** Objects, one a line. Whole numbers are written out, however large. */
export const JSON_NOTATION: Notation = {
  hasKeyField: false,
  line: ({ process, type, f, value, timeNs, index, error }) =>
    `{${
      [
        `"index":${index}`,
        `"type":"${type}"`,
        `"process":${typeof process === "number" ? process : JSON.stringify(process)}`,
        ...(Number.isNaN(timeNs) ? [] : [`"time":${timeNs}`]),
        `"f":${JSON.stringify(f)}`,
        ...(value === undefined ? [] : [`"value":${spellJson(value)}`]),
        ...(error === undefined ? [] : [`"error":${JSON.stringify(error)}`]),
      ].join(",")
    }}`,
};

function spellJson(value: Value): string {
  if (Array.isArray(value)) return `[${value.map((item: Value) => spellJson(item)).join(",")}]`;
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}
