/** One form of a foreign history becomes one operation's beginning or end, with nothing said yet of what it means. */
import { HistoryError, quoted } from "../../history/history_error.ts";
import { type Datum, describeKind, type Group, isGroup, isSequence, isWord } from "./datum.ts";
import { printEdn } from "./edn_print.ts";

/** What is read: keys and names are keywords in EDN and strings in JSON. */
export type Dialect = "edn" | "json";

/** See the top of this file. */
export interface ForeignOperation {
  readonly line: number;
  /** A number, or a name such as `nemesis`. */
  readonly process: number | string;
  readonly type: "invoke" | "ok" | "fail" | "info";
  /** Empty for one that has none, which only a nemesis may. */
  readonly f: string;
  /** Undefined when it has none, which is not the same as nil. */
  readonly value: Datum | undefined;
  /** Of histories that name their object beside the value. */
  readonly key: Datum | undefined;
  readonly index: number | undefined;
  /** Undefined when it is not said in whole nanoseconds. */
  readonly timeNs: number | undefined;
  /** Whether a time stands there at all. */
  readonly hasTime: boolean;
  readonly error: Datum | undefined;
}

const FIELDS = ["process", "type", "f", "value", "key", "index", "time", "error"] as const;
type Field = (typeof FIELDS)[number];
type Fields = Map<Field, Datum>;
const FIELD_NAMES: ReadonlySet<string> = new Set(FIELDS);
const TYPES: ReadonlySet<string> = new Set(["invoke", "ok", "fail", "info"]);

/** Numbers of processes end here; those beyond are given to processes that have names. */
export const PROCESS_NUMBER_MAX = 2 ** 40;

/**
 * Takes a map, a record (a map with a tag), or in EDN a tuple `[process type f value]`.
 *
 * @throws {HistoryError} for anything else, and for fields that are missing, double or of the wrong kind
 */
export function readOperation(form: Datum, line: number, dialect: Dialect): ForeignOperation {
  const fields = fieldsOf(form, line, dialect);
  const process = readProcess(fields.get("process"), line, dialect);
  const error = fields.get("error");
  return {
    line,
    process,
    type: readType(fields.get("type"), line, dialect),
    f: readName(fields.get("f"), typeof process === "string", line, dialect),
    value: fields.get("value"),
    key: fields.get("key"),
    index: readIndex(fields.get("index"), line),
    timeNs: readTime(fields.get("time")),
    hasTime: (fields.get("time") ?? null) !== null,
    error: error === null ? undefined : error,
  };
}

function fieldsOf(form: Datum, line: number, dialect: Dialect): Fields {
  const inner = typeof form === "object" && form?.kind === "tagged" ? form.form : form;
  if (isGroup(inner) && inner.kind === "map") return mapFields(inner, line, dialect);
  if (dialect === "edn" && isSequence(inner)) return tupleFields(inner, line);
  throw new HistoryError({ line }, describeKind(form), "an operation, which is a map");
}

function mapFields(map: Group, line: number, dialect: Dialect): Fields {
  const fields: Fields = new Map();
  for (let at = 0; at < map.items.length; at += 2) {
    const name = fieldName(map.items[at]!, dialect);
    if (name === undefined) continue;
    if (fields.has(name)) throw new HistoryError({ line }, `two fields ${name}`, "one");
    fields.set(name, map.items[at + 1]!);
  }
  return fields;
}

function fieldName(key: Datum, dialect: Dialect): Field | undefined {
  const text = nameOf(key, dialect);
  return text !== undefined && FIELD_NAMES.has(text) ? text as Field : undefined;
}

function tupleFields(tuple: Group, line: number): Fields {
  if (tuple.items.length !== 4) {
    throw new HistoryError({ line }, `${tuple.items.length} items`, "[process type f value]");
  }
  const [process, type, f, value] = tuple.items;
  return new Map<Field, Datum>([["process", process!], ["type", type!], ["f", f!], [
    "value",
    value!,
  ]]);
}

/** Text of a keyword in EDN, of a string in JSON. */
function nameOf(datum: Datum, dialect: Dialect): string | undefined {
  if (dialect === "json") return typeof datum === "string" ? datum : undefined;
  return isWord(datum, "keyword") ? datum.text : undefined;
}

function readProcess(process: Datum | undefined, line: number, dialect: Dialect): number | string {
  if (process === undefined) throw missing("process", line);
  if (typeof process === "bigint") {
    if (process >= 0n && process < BigInt(PROCESS_NUMBER_MAX)) return Number(process);
    throw new HistoryError(
      { line },
      `process ${quoted(String(process))}`,
      `0 to ${PROCESS_NUMBER_MAX - 1}`,
    );
  }
  const name = nameOf(process, dialect);
  if (name !== undefined && name !== "") return name;
  throw new HistoryError({ line }, `${describeKind(process)} as process`, "a number or a name");
}

function readType(
  type: Datum | undefined,
  line: number,
  dialect: Dialect,
): ForeignOperation["type"] {
  if (type === undefined) throw missing("type", line);
  const name = nameOf(type, dialect);
  if (name !== undefined && TYPES.has(name)) return name as ForeignOperation["type"];
  throw new HistoryError({ line }, `type ${quoted(printEdn(type))}`, "invoke, ok, fail or info");
}

function readName(f: Datum | undefined, mayLack: boolean, line: number, dialect: Dialect): string {
  if (f === undefined || f === null) {
    if (mayLack) return "";
    throw missing("f", line);
  }
  const name = nameOf(f, dialect);
  if (name !== undefined && name !== "") return name;
  throw new HistoryError({ line }, `${describeKind(f)} as f`, "the name of an operation");
}

function readIndex(index: Datum | undefined, line: number): number | undefined {
  if (index === undefined || index === null) return undefined;
  const isNumber = typeof index === "bigint" && index >= 0n && index <= Number.MAX_SAFE_INTEGER;
  if (isNumber) return Number(index);
  throw new HistoryError({ line }, `index ${quoted(printEdn(index))}`, "a number from 0 on");
}

/** Times are for pictures: one that is odd is left out, and people are told. */
function readTime(time: Datum | undefined): number | undefined {
  const isNumber = typeof time === "bigint" && time >= 0n && time <= Number.MAX_SAFE_INTEGER;
  return isNumber ? Number(time) : undefined;
}

function missing(field: Field, line: number): HistoryError {
  return new HistoryError({ line }, `an operation without ${field}`, `the field ${field}`);
}
