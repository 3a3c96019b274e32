/**
 * Our text: one record a line, `type field=value field=value ...`, the header first as `allocdb-history version=1 model=...`.
 * Values with spaces stand in quotation marks and are escaped as in JSON; lists have commas, an empty one is `none`.
 * Lines that begin with `#` are comments. People may write it by hand.
 */
import { quoted } from "../../history/history_error.ts";
import type { Value } from "../../history/model.ts";
import type { EventSink, Format, FormatReader } from "../format.ts";
import { type LineHandler, LineReader } from "../lines.ts";
import { headText } from "../sniff.ts";
import { Field, FIELD_NAMES, FIELD_NUMBERS, FORMAT_WORD, isValueField } from "./field.ts";
import { RecordReader } from "./record_reader.ts";
import { type FieldOutput, RecordWriter } from "./record_writer.ts";
import { TextBuffer } from "./text_buffer.ts";
import { parseValue, valueText } from "./value_text.ts";

const HEAD = new RegExp(`^(?:\\s*\n|#[^\\n]*\n)*\\s*${FORMAT_WORD}\\s`);

/** See the top of this file. */
export const TEXT_FORMAT: Format = {
  name: "text",
  describe: "our text, one event a line",
  skippedMax: 0,
  sniff: (head) => HEAD.test(headText(head)),
  read: (sink) => readText(sink),
  write: () => new RecordWriter(new TextFields()),
};

function readText(sink: EventSink): FormatReader {
  return new LineReader(new TextLines(sink), sink);
}

const SPACE = 32;
const QUOTE = 34;
const BACKSLASH = 92;

class TextLines implements LineHandler {
  readonly #records: RecordReader;

  constructor(sink: EventSink) {
    this.#records = new RecordReader(sink);
  }

  line(text: string, at: { readonly line: number }, isCut: boolean): void {
    if (text === "" || text.startsWith("#")) return;
    const { fields } = this.#records;
    fields.begin(at);
    // Half a number is a number too; but the end says how much there has to be.
    if (isCut && !text.startsWith("end ")) {
      throw fields.error("the end of the file in a line", "a newline");
    }
    const space = text.indexOf(" ");
    this.#type(space < 0 ? text : text.slice(0, space));
    for (let from = space < 0 ? text.length : space + 1; from < text.length;) {
      from = text.charCodeAt(from) === SPACE ? from + 1 : this.#field(text, from);
    }
    this.#records.record();
  }

  end(at: { readonly line: number }): void {
    this.#records.end({ line: at.line + 1 });
  }

  #type(word: string): void {
    const { fields } = this.#records;
    if (word !== FORMAT_WORD) return fields.put(Field.type, word);
    fields.put(Field.type, "header");
    fields.put(Field.format, word);
  }

  /** Takes `name=value` that begins there; answers where it ends. */
  #field(text: string, from: number): number {
    const { fields } = this.#records;
    const equals = text.indexOf("=", from);
    const name = text.slice(from, equals < 0 ? text.length : equals);
    const field = FIELD_NUMBERS.get(name);
    if (equals < 0 || field === undefined || field === Field.type || field === Field.format) {
      throw fields.error(quoted(name), "a field that there is, with =");
    }
    const to = this.#valueEnd(text, equals + 1);
    const raw = text.slice(equals + 1, to);
    if (isValueField(field)) fields.put(field, { value: this.#value(raw) });
    else fields.put(field, raw.charCodeAt(0) === QUOTE ? this.#unquoted(raw) : raw);
    return to;
  }

  #valueEnd(text: string, from: number): number {
    if (text.charCodeAt(from) !== QUOTE) {
      const space = text.indexOf(" ", from);
      return space < 0 ? text.length : space;
    }
    for (let at = from + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) return at + 1;
    }
    throw this.#records.fields.error(quoted(text.slice(from)), "a closing quotation mark");
  }

  #unquoted(raw: string): string {
    try {
      return JSON.parse(raw);
    } catch {
      throw this.#records.fields.error(raw.length > 1 ? quoted(raw) : raw, "text as in JSON");
    }
  }

  #value(raw: string): Value {
    const value = parseValue(raw);
    if (value !== undefined) return value;
    throw this.#records.fields.error(quoted(raw), 'a value: nil, true, 12, "text", [1,2]');
  }
}

/** What needs no quotation marks. */
const BARE = /^[A-Za-z0-9_.:,+/@-]+$/;

/** Writes fields as a line. */
class TextFields implements FieldOutput {
  readonly #buffer = new TextBuffer();
  #line = "";

  get pendingBytes(): number {
    return this.#buffer.pendingBytes;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#buffer.take();
  }

  begin(type: string): void {
    this.#line = type === "header" ? FORMAT_WORD : type;
  }

  finish(): void {
    this.#buffer.add(`${this.#line}\n`);
  }

  word(field: Field, text: string): void {
    if (field !== Field.format) this.text(field, text);
  }

  text(field: Field, text: string): void {
    this.#put(field, BARE.test(text) ? text : JSON.stringify(text));
  }

  number(field: Field, value: number): void {
    this.#put(field, `${value}`);
  }

  integer(field: Field, value: bigint): void {
    this.#put(field, value.toString());
  }

  none(field: Field): void {
    this.#put(field, "none");
  }

  numbers(field: Field, values: readonly number[]): void {
    this.#put(field, values.length === 0 ? "none" : values.join(","));
  }

  integers(field: Field, values: readonly bigint[]): void {
    this.#put(field, values.length === 0 ? "none" : values.join(","));
  }

  value(field: Field, value: Value): void {
    this.#put(field, valueText(value));
  }

  #put(field: Field, text: string): void {
    this.#line += ` ${FIELD_NAMES[field]}=${text}`;
  }
}
