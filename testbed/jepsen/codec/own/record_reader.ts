/** Records of our formats, in the order in which they may stand: a header, what happened, and a mark that nothing is missing. */
import { CUT_OFF } from "../../history/recording.ts";
import { HistoryError, quoted, type SourcePlace } from "../../history/history_error.ts";
import type { EventSink } from "../format.ts";
import { StringPool } from "../string_pool.ts";
import { Field } from "./field.ts";
import { Fields } from "./fields.ts";
import { IntegerPool } from "./integer_pool.ts";
import { readClaims, readCompletion, readFault, readInvocation, readSample } from "./read_event.ts";
import { readHeader } from "./read_header.ts";

const TYPES = [
  "invoke",
  "ok",
  "fail",
  "info",
  "fault",
  "replica",
  "process",
  "note",
  "end",
  "header",
] as const;

/** See the top of this file. Decoders fill {@linkcode RecordReader.fields} and call {@linkcode RecordReader.record}. */
export class RecordReader {
  readonly fields: Fields;
  readonly integers = new IntegerPool();
  readonly #sink: EventSink;
  #hasHeader = false;
  #isEnded = false;
  #events = 0;

  constructor(sink: EventSink) {
    this.#sink = sink;
    this.fields = new Fields(this.integers, new StringPool());
  }

  /** Takes the record that the fields make. */
  record(): void {
    const { fields } = this;
    const type = fields.oneOf(Field.type, TYPES);
    if (this.#hasHeader !== (type !== "header")) {
      throw fields.error(`a record of type ${quoted(type)}`, "one header, before everything else");
    }
    if (this.#isEnded) throw fields.error(`a record of type ${quoted(type)}`, "nothing after end");
    switch (type) {
      case "invoke":
        return this.#invocation();
      case "ok":
      case "fail":
      case "info":
        return this.#completion(type);
      case "fault":
      case "replica":
        return this.#happening(type);
      default:
        this.#about(type);
        fields.finish();
    }
  }

  /** Nothing comes any more. `place` is the end of the file. */
  end(place: SourcePlace): void {
    if (!this.#hasHeader) throw new HistoryError(place, "the end of the file", "a header");
    if (!this.#isEnded) this.#sink.note(CUT_OFF);
  }

  #invocation(): void {
    const { fields } = this;
    const index = fields.optionalNumber(Field.index);
    const event = readInvocation(fields);
    fields.finish();
    this.#events++;
    this.#sink.event(event, fields.place, index === undefined ? undefined : { index });
  }

  #completion(type: "ok" | "fail" | "info"): void {
    const { fields } = this;
    const event = readCompletion(fields, type);
    const claims = fields.isEmpty ? undefined : readClaims(fields);
    fields.finish();
    this.#events++;
    this.#sink.event(event, fields.place, claims);
  }

  #happening(type: "fault" | "replica"): void {
    const { fields } = this;
    const event = type === "fault" ? readFault(fields) : readSample(fields);
    fields.finish();
    this.#events++;
    this.#sink.event(event, fields.place);
  }

  #about(type: "process" | "note" | "end" | "header"): void {
    const { fields } = this;
    switch (type) {
      case "process":
        return this.#sink.processName(fields.number(Field.process), fields.text(Field.name));
      case "note":
        return this.#sink.note(fields.text(Field.text));
      case "end":
        return this.#end(fields.number(Field.events));
      case "header": {
        const { header, hasInvocations } = readHeader(fields);
        this.#hasHeader = true;
        this.#sink.header(header, hasInvocations);
      }
    }
  }

  #end(events: number): void {
    if (events !== this.#events) {
      throw this.fields.error(`the end after ${this.#events} events`, `${events} events before it`);
    }
    this.#isEnded = true;
  }
}
