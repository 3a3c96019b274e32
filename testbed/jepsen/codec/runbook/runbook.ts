/**
 * The text history of the runbook: `version=1`, then one line for each operation when it ended. Beginnings are not in it, so
 * real time cannot be checked; docs/jepsen.md has its keys.
 */
import { HistoryError, quoted } from "../../history/history_error.ts";
import type { HistoryHeader } from "../../history/event.ts";
import type { EventSink, Format } from "../format.ts";
import { type LineHandler, LineReader } from "../lines.ts";
import { headText } from "../sniff.ts";
import { StringPool } from "../string_pool.ts";
import { readLine } from "./read_line.ts";
import { RunbookWriter } from "./runbook_writer.ts";
import { Tokens } from "./tokens.ts";

const HEAD = /^\s*version=[^\s]*[ \t]*(?:\r?\n|$)/;
const HEADER: HistoryHeader = { model: "reservation" };
const NS_PER_MS = 1_000_000;

/** See the top of this file. */
export const RUNBOOK_FORMAT: Format = {
  name: "runbook",
  describe: "the runbook's history, one line for each end of an operation",
  skippedMax: 0,
  sniff: (head) => HEAD.test(headText(head)),
  read: (sink) => new LineReader(new RunbookLines(sink), sink),
  write: () => new RunbookWriter(),
};

class RunbookLines implements LineHandler {
  readonly #sink: EventSink;
  readonly #strings = new StringPool();
  readonly #processes = new Map<string, number>();
  readonly #revoked = new Set<bigint>();
  #isVersionSeen = false;
  #startedAtMillis: number | undefined;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  line(text: string, at: { readonly line: number }): void {
    const line = text.trim();
    if (line === "") return;
    if (!this.#isVersionSeen) {
      if (line !== "version=1") throw new HistoryError(at, quoted(line), "version=1");
      this.#isVersionSeen = true;
      return;
    }
    this.#operation(new Tokens(line, at));
  }

  end(at: { readonly line: number }, isCut: boolean): void {
    if (!this.#isVersionSeen) throw new HistoryError(at, "the end of the file", "version=1");
    if (this.#startedAtMillis === undefined) this.#sink.header(HEADER, false);
    if (isCut) this.#sink.note("the last line has no newline: it may have been cut");
  }

  #operation(tokens: Tokens): void {
    tokens.u64("sequence");
    const millis = tokens.number("time_millis");
    if (this.#startedAtMillis === undefined) {
      this.#startedAtMillis = millis;
      this.#sink.header({ ...HEADER, startedAtMillis: millis }, false);
    }
    const process = this.#process(tokens.text("process"));
    const { invocation, completion } = readLine(tokens, this.#revoked);
    const timeNs = this.#timeNs(millis - this.#startedAtMillis);
    this.#sink.event({ type: "invoke", process, timeNs: NaN, ...invocation }, tokens.place);
    const { reason } = completion;
    const owned = reason === undefined ? {} : { reason: this.#strings.own(reason) };
    this.#sink.event({ ...completion, ...owned, process, timeNs }, tokens.place);
  }

  /** A hundred days of nanoseconds are no safe integer; nobody measures a latency there. */
  #timeNs(elapsedMs: number): number {
    const timeNs = elapsedMs * NS_PER_MS;
    if (Number.isSafeInteger(timeNs)) return timeNs;
    this.#sink.note("times that lie a hundred days apart are left out");
    return NaN;
  }

  #process(name: string): number {
    const known = this.#processes.get(name);
    if (known !== undefined) return known;
    const number = this.#processes.size;
    const owned = this.#strings.own(name);
    this.#processes.set(owned, number);
    this.#sink.processName(number, owned);
    return number;
  }
}
