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

/** Fields that are looked at, and their places. */
const FIELDS = ["process", "type", "f", "value", "key", "index", "time", "error"] as const;
type Field = (typeof FIELDS)[number];
const PLACES = new Map<string, number>(FIELDS.map((field, place) => [field, place]));
/** What stands in each field, at its place. */
type Fields = readonly (Datum | undefined)[];
const TYPES: ReadonlySet<string> = new Set(["invoke", "ok", "fail", "info"]);

/** Numbers of processes end here; those beyond are given to processes that have names. */
export const PROCESS_NUMBER_MAX = 2 ** 40;

/**
 * Takes a map, a record (a map with a tag), or in EDN a tuple `[process type f value]`.
 *
 * @throws {HistoryError} for anything else, and for fields that are missing, double or of the wrong kind
 */
export function readOperation(form: Datum, line: number, dialect: Dialect): ForeignOperation {
  const [process, type, f, value, key, index, time, error] = fieldsOf(form, line, dialect);
  const client = readProcess(process, line, dialect);
  return {
    line,
    process: client,
    type: readType(type, line, dialect),
    f: readName(f, typeof client === "string", line, dialect),
    value,
    key,
    index: readIndex(index, line),
    timeNs: readTime(time),
    hasTime: (time ?? null) !== null,
    error: error === null ? undefined : error,
  };
}

function fieldsOf(form: Datum, line: number, dialect: Dialect): Fields {
  const inner = typeof form === "object" && form?.kind === "tagged" ? form.form : form;
  if (isGroup(inner) && inner.kind === "map") return mapFields(inner, line, dialect);
  if (dialect === "edn" && isSequence(inner)) return tupleFields(inner, line);
  throw new HistoryError({ line }, describeKind(form), "an operation, which is a map");
}

function mapFields({ items }: Group, line: number, dialect: Dialect): Fields {
  const fields: (Datum | undefined)[] = new Array(FIELDS.length).fill(undefined);
  for (let at = 0; at < items.length; at += 2) {
    const place = PLACES.get(nameOf(items[at]!, dialect) ?? "");
    if (place === undefined) continue;
    if (fields[place] !== undefined) {
      throw new HistoryError({ line }, `two fields ${FIELDS[place]}`, "one");
    }
    fields[place] = items[at + 1]!;
  }
  return fields;
}

function tupleFields({ items }: Group, line: number): Fields {
  if (items.length === 4) return items;
  throw new HistoryError({ line }, `${items.length} items`, "[process type f value]");
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
