/**
 * What goes to standard output. A command hands over one record; the reader chose how it looks. Keys of
 * `json`, `ndjson` and `kv` are only ever added, `table` may change. Source: docs/cli.md#output.
 */
import { formatId, type IdStyle } from "./ids.ts";
import type { CliIo } from "./io.ts";
import { printable } from "./text.ts";

/** Names for `--output`. */
export const FORMATS = ["table", "json", "ndjson", "kv"] as const;

/** One of {@linkcode FORMATS}. */
export type Format = typeof FORMATS[number];

/** A number that `--ids hex` shows in hex. */
export class Id {
  readonly value: bigint;

  /** @param value The id. */
  constructor(value: bigint) {
    this.value = value;
  }
}

/** One thing to show; `undefined` is shown as absent, never left out. */
export type Value = string | number | bigint | boolean | undefined | Id | readonly Value[];

/** A record to show, in order of its keys, which are snake_case. */
export interface Data {
  readonly [key: string]: Value | Data;
}

/** How to show. */
export interface Style {
  readonly format: Format;
  /** Only the one value that matters. */
  readonly quiet: boolean;
  readonly ids: IdStyle;
}

/** What a command has to say. */
export interface Report {
  readonly data: Data;
  /** The line of `--quiet`; absent for silence. */
  readonly quiet?: Value;
}

/**
 * The text of one report, ended by a line feed unless it is empty.
 *
 * @param report What to show.
 * @param style How.
 * @returns Text for standard output.
 */
export async function renderReport(report: Report, style: Style): Promise<string> {
  if (style.quiet) return report.quiet === undefined ? "" : `${cell(report.quiet, style.ids)}\n`;
  switch (style.format) {
    case "json":
      return jsonText(toJson(report.data), 2);
    case "ndjson":
      return jsonText(toJson(report.data), 0);
    case "kv":
      return flatten(report.data).map(([key, value]) => `${key}=${cell(value, style.ids)}\n`)
        .join("");
    case "table": {
      const { renderTable } = await import("./table.ts");
      const rows = flatten(report.data);
      return renderTable(rows.map(([key, value]) => [key, cell(value, style.ids)]));
    }
  }
}

/** Shows a report on standard output. */
export async function show(io: CliIo, report: Report, style: Style): Promise<void> {
  const text = await renderReport(report, style);
  if (text !== "") io.out.write(text);
}

/** One JSON document with a line feed; control characters that JSON would let through are escaped, too. */
export function jsonText(value: unknown, indent: number): string {
  const text = JSON.stringify(value, null, indent);
  return `${
    text.replace(
      /[\u007f-\u009f\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )
  }\n`;
}

/** A value as JSON: every u64 and u128 is a decimal string, what is absent is null. */
export function toJson(value: Value | Data): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Id) return value.value.toString();
  if (isList(value)) return value.map(toJson);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJson(entry)]));
}

/** A value as one line of text: `none` when absent, lists separated by commas. */
export function cell(value: Value, ids: IdStyle): string {
  if (value === undefined) return "none";
  if (value instanceof Id) return formatId(value.value, ids);
  if (isList(value)) return value.map((entry) => cell(entry, ids)).join(",");
  return printable(String(value));
}

/** The leaves of a record under dotted keys. */
export function flatten(data: Data, prefix = ""): [string, Value][] {
  return Object.entries(data).flatMap(([key, value]): [string, Value][] =>
    isRecord(value) ? flatten(value, `${prefix}${key}.`) : [[prefix + key, value]]
  );
}

function isList(value: Value | Data): value is readonly Value[] {
  return Array.isArray(value);
}

function isRecord(value: Value | Data): value is Data {
  return typeof value === "object" && !(value instanceof Id) && !isList(value);
}
