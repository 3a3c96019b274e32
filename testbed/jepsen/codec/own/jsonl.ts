/**
 * Our JSON: one object a line with the fields of a record. Ids and whatever else may pass 2^53 are decimal strings, because
 * readers of JSON round; a number beyond that is refused rather than believed.
 */
import { HistoryError, quoted } from "../../history/history_error.ts";
import type { Value } from "../../history/model.ts";
import type { EventSink, Format } from "../format.ts";
import { type LineHandler, LineReader } from "../lines.ts";
import { headText } from "../sniff.ts";
import { type Field, FIELD_NAMES, FIELD_NUMBERS, FORMAT_WORD, isValueField } from "./field.ts";
import { type Fields, NONE, type Slot } from "./fields.ts";
import { RecordReader } from "./record_reader.ts";
import { type FieldOutput, RecordWriter } from "./record_writer.ts";
import { TextBuffer } from "./text_buffer.ts";
import { VALUE_DEPTH_MAX } from "./value_text.ts";

const HEAD = new RegExp(`^\\s*\\{[^\\n]*"format"\\s*:\\s*"${FORMAT_WORD}"`);

/** See the top of this file. */
export const JSONL_FORMAT: Format = {
  name: "jsonl",
  describe: "our JSON, one event a line",
  skippedMax: 0,
  sniff: (head) => HEAD.test(headText(head)),
  read: (sink) => new LineReader(new JsonLines(sink), sink),
  write: () => new RecordWriter(new JsonFields()),
};

class JsonLines implements LineHandler {
  readonly #records: RecordReader;

  constructor(sink: EventSink) {
    this.#records = new RecordReader(sink);
  }

  line(text: string, at: { readonly line: number }): void {
    if (text.trim() === "") return;
    const { fields } = this.#records;
    fields.begin(at);
    for (const [name, member] of Object.entries(parsedObject(text, fields))) {
      const field = FIELD_NUMBERS.get(name);
      if (field === undefined) throw fields.error(quoted(name), "a field that there is");
      const slot = isValueField(field) ? { value: valueOf(member, fields, 0) } : slotOf(member);
      if (slot === undefined) {
        throw fields.error(
          `${name} with a value of another kind`,
          "text, a number, a list or null",
        );
      }
      fields.put(field, slot);
    }
    this.#records.record();
  }

  end(at: { readonly line: number }): void {
    this.#records.end({ line: at.line + 1 });
  }
}

function parsedObject(text: string, fields: Fields): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Not JSON, or nested deeper than a stack.
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw fields.error(quoted(text), "an object of JSON");
}

function slotOf(member: unknown): Slot | undefined {
  if (member === null) return NONE;
  if (typeof member === "string" || typeof member === "number") return member;
  if (typeof member === "boolean") return `${member}`;
  if (!Array.isArray(member)) return undefined;
  const isPlain = member.every((item) => typeof item === "string" || typeof item === "number");
  return isPlain ? { list: member } : undefined;
}

function valueOf(member: unknown, fields: Fields, depth: number): Value {
  if (member === null || typeof member === "string" || typeof member === "boolean") return member;
  if (typeof member === "number") return integerOf(member, fields);
  if (Array.isArray(member)) {
    if (depth < VALUE_DEPTH_MAX) return member.map((item) => valueOf(item, fields, depth + 1));
    throw fields.error("lists in lists", `at most ${VALUE_DEPTH_MAX} of them`);
  }
  const text = (member as { readonly int?: unknown }).int;
  if (typeof text === "string" && /^-?[0-9]+$/.test(text)) return BigInt(text);
  throw fields.error("an object", 'a value: null, true, 12, "text", [1,2], {"int":"12"}');
}

function integerOf(member: number, fields: Fields): bigint {
  if (Number.isSafeInteger(member)) return BigInt(member);
  throw new HistoryError(fields.place, `the number ${member}`, '{"int":"..."} beyond 2^53 - 1');
}

function valueJson(value: Value): string {
  if (typeof value === "bigint") {
    const isSafe = Number.isSafeInteger(Number(value));
    return isSafe ? value.toString() : `{"int":"${value}"}`;
  }
  if (typeof value === "object" && value !== null) return `[${value.map(valueJson).join(",")}]`;
  return JSON.stringify(value);
}

/** Writes fields as an object. */
class JsonFields implements FieldOutput {
  readonly #buffer = new TextBuffer();
  #line = "";

  get pendingBytes(): number {
    return this.#buffer.pendingBytes;
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#buffer.take();
  }

  begin(type: string): void {
    this.#line = `{"type":"${type}"`;
  }

  finish(): void {
    this.#buffer.add(`${this.#line}}\n`);
  }

  word(field: Field, text: string): void {
    this.text(field, text);
  }

  text(field: Field, text: string): void {
    this.#put(field, JSON.stringify(text));
  }

  number(field: Field, value: number): void {
    this.#put(field, `${value}`);
  }

  integer(field: Field, value: bigint): void {
    this.#put(field, `"${value}"`);
  }

  none(field: Field): void {
    this.#put(field, "null");
  }

  numbers(field: Field, values: readonly number[]): void {
    this.#put(field, `[${values.join(",")}]`);
  }

  integers(field: Field, values: readonly bigint[]): void {
    this.#put(field, `[${values.map((value) => `"${value}"`).join(",")}]`);
  }

  value(field: Field, value: Value): void {
    this.#put(field, valueJson(value));
  }

  #put(field: Field, text: string): void {
    this.#line += `,"${FIELD_NAMES[field]}":${text}`;
  }
}
