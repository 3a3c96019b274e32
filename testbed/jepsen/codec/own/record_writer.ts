/** Writes the records of our formats, through whatever writes their fields. */
import type { HistoryEvent, HistoryHeader } from "../../history/event.ts";
import type { SourcePlace } from "../../history/history_error.ts";
import type { HistoryWriter, Losses } from "../format.ts";
import { Field } from "./field.ts";
import type { FieldWriter } from "./field_writer.ts";
import { writeEvent } from "./write_event.ts";
import { writeHeader } from "./write_header.ts";

/** A field writer that keeps what it wrote until it is taken. */
export interface FieldOutput extends FieldWriter {
  readonly pendingBytes: number;
  take(): Uint8Array<ArrayBuffer>;
}

/** See the top of this file. */
export class RecordWriter implements HistoryWriter {
  readonly #out: FieldOutput;
  readonly #losses = new Map<string, number>();
  #events = 0;

  constructor(out: FieldOutput) {
    this.#out = out;
  }

  get losses(): Losses {
    return this.#losses;
  }

  get pendingBytes(): number {
    return this.#out.pendingBytes;
  }

  header(header: HistoryHeader, hasInvocations = true): void {
    writeHeader(this.#out, header, hasInvocations);
  }

  event(event: HistoryEvent): void {
    writeEvent(this.#out, event);
    this.#events++;
  }

  processName(number: number, name: string): void {
    this.#out.begin("process");
    this.#out.number(Field.process, number);
    this.#out.text(Field.name, name);
    this.#out.finish();
  }

  note(text: string): void {
    this.#out.begin("note");
    this.#out.text(Field.text, text);
    this.#out.finish();
  }

  skip(_at: SourcePlace, what: string): void {
    this.#losses.set(what, (this.#losses.get(what) ?? 0) + 1);
  }

  end(): void {
    this.#out.begin("end");
    this.#out.number(Field.events, this.#events);
    this.#out.finish();
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#out.take();
  }
}
