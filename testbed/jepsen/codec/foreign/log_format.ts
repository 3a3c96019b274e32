/**
 * What Jepsen writes into its log: `INFO  jepsen.util - 3 :invoke :write 4`, with tabs or blanks between the columns. Other lines
 * are counted and left out; one that begins like an operation and is none is an error.
 */
import { HistoryError, quoted } from "../../history/history_error.ts";
import type { EventSink, Format, FormatReader } from "../format.ts";
import { type LineHandler, LineReader } from "../lines.ts";
import type { Datum, Word } from "./datum.ts";
import { EdnReader } from "./edn_reader.ts";
import { ForeignHistory, type ForeignOptions } from "./foreign_history.ts";
import { HeaderFirst } from "./header_first.ts";
import { readOperation } from "./operation.ts";
import { headText } from "../sniff.ts";

/** See the top of this file. */
export const LOG: Format = {
  name: "log",
  describe: "Jepsen's log text: INFO  jepsen.util - process :type :f value",
  skippedMax: Infinity,
  sniff: (head) => headText(head).split("\n").some((line) => saidByJepsen(line) !== undefined),
  read: (sink, options: ForeignOptions) => readLog(sink, options),
};

const PLACES = ["jepsen.util", "jepsen.core"];
const COLUMN_NAMES = "process, :type, :f and a value";
const COLUMNS = /^(?:\d+|:[\w.-]+)\s+:/;

function readLog(sink: EventSink, options: ForeignOptions): FormatReader {
  const ordered = new HeaderFirst(sink);
  return new LineReader(new LogLines(ordered, options), ordered);
}

class LogLines implements LineHandler {
  readonly #sink: EventSink;
  readonly #history: ForeignHistory;
  /** Whether the last line was no operation though it began like one. */
  #isDoubtful = false;

  constructor(sink: EventSink, options: ForeignOptions) {
    this.#sink = sink;
    this.#history = new ForeignHistory(sink, options, "edn");
  }

  line(text: string, { line }: { readonly line: number }): void {
    const said = saidByJepsen(text);
    const columns = said !== undefined && COLUMNS.test(said) ? said : undefined;
    this.#isDoubtful = columns === undefined && said !== undefined;
    if (columns !== undefined) {
      this.#history.add(readOperation(tupleOf(columns, line), line, "edn"));
    } else if (text.trim() !== "") this.#sink.skip({ line }, "no operation");
  }

  end({ line }: { readonly line: number }, isCut: boolean): void {
    if (isCut && this.#isDoubtful) {
      throw new HistoryError({ line }, "a last line that is cut", "an operation");
    }
    if (isCut) this.#sink.note("the last line has no newline: it may be cut");
    this.#history.end();
  }
}

/** What follows `INFO ... jepsen.util` and a dash or colon. By hand: an expression for it could take very long. */
function saidByJepsen(text: string): string | undefined {
  const level = text.indexOf("INFO");
  if (level < 0) return undefined;
  const starts = PLACES.map((place) => text.indexOf(place, level)).filter((start) => start >= 0);
  if (starts.length === 0) return undefined;
  const rest = text.slice(Math.min(...starts) + PLACES[0]!.length).trimStart();
  return /^[-:]\s/.test(rest) ? rest.slice(1).trimStart() : rest;
}

/** Columns are EDN: process, type, f and a value. After a fourth tab the text of an error may stand, which is anything. */
function tupleOf(columns: string, line: number): Datum {
  const tabs = columns.split("\t");
  const items = formsOf(tabs.slice(0, 4).join("\t"), line);
  const error = tabs.slice(4).join(" ").trim();
  if (items.length === 3) items.push(null);
  if (error === "" || items.length !== 4) return { kind: "vector", items };
  return {
    kind: "map",
    items: [...FIELDS.flatMap((field, at) => [field, items[at]!]), ERROR, error],
  };
}

const FIELDS: readonly Word[] = ["process", "type", "f", "value"].map((text) => ({
  kind: "keyword",
  text,
}));
const ERROR: Word = { kind: "keyword", text: "error" };

function formsOf(columns: string, line: number): Datum[] {
  const items: Datum[] = [];
  // An empty vector first makes it a history, whose items are handed on.
  const reader = new EdnReader((form) => items.push(form));
  try {
    reader.push(`[[] ${columns}\n]`);
    reader.end();
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new HistoryError({ line }, `${error.found} in ${quoted(columns)}`, COLUMN_NAMES);
  }
  return items.slice(1);
}
