/**
 * Bytes become lines: in blocks, so that decoding costs little, and with a bound, so that a file without a newline is no
 * memory leak. Refuses what is no text.
 */
import { HistoryError, shown } from "../history/history_error.ts";
import type { EventSink, FormatReader } from "./format.ts";

/** Longest line, in bytes. */
export const LINE_BYTES_MAX = 16 * 1_048_576;

const NEWLINE = 10;
const BYTE_ORDER_MARK = "\ufeff";

/** What is done with lines. */
export interface LineHandler {
  /**
   * One line without its end; `at.line` is its number, and `isCut` says that the file ended before a newline. An empty one is
   * passed on too.
   * Keep no part of it that you do not copy (see `StringPool`): it holds the whole block.
   */
  line(text: string, at: { readonly line: number }, isCut: boolean): void;
  /** After the last; `isCut` when that one had no newline. */
  end(at: { readonly line: number }, isCut: boolean): void;
}

/** A reader of a format whose events are lines. Notes byte order marks and carriage returns, and takes them away. */
export class LineReader implements FormatReader {
  readonly #handler: LineHandler;
  readonly #sink: EventSink;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #place = { line: 0 };
  /** The beginning of a line whose end has not come. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #isCut = false;

  constructor(handler: LineHandler, sink: EventSink) {
    this.#handler = handler;
    this.#sink = sink;
  }

  push(bytes: Uint8Array): void {
    const last = bytes.lastIndexOf(NEWLINE);
    if (last < 0) return this.#keep(bytes.slice());
    if (this.#restBytes > 0) {
      const first = bytes.indexOf(NEWLINE);
      this.#keep(bytes.slice(0, first));
      this.#lines(this.#takeRest());
      if (first < last) this.#lines(bytes.subarray(first + 1, last));
    } else {
      this.#lines(bytes.subarray(0, last));
    }
    if (last + 1 < bytes.length) this.#keep(bytes.slice(last + 1));
  }

  end(): void {
    const isCut = this.#restBytes > 0;
    this.#isCut = isCut;
    if (isCut) this.#lines(this.#takeRest());
    this.#handler.end(this.#place, isCut);
  }

  #keep(bytes: Uint8Array): void {
    this.#rest.push(bytes);
    this.#restBytes += bytes.length;
    if (this.#restBytes <= LINE_BYTES_MAX) return;
    this.#place.line++;
    throw this.#error(`a line of more than ${LINE_BYTES_MAX} bytes`, "a newline");
  }

  #takeRest(): Uint8Array {
    const whole = new Uint8Array(this.#restBytes);
    let at = 0;
    for (const part of this.#rest) {
      whole.set(part, at);
      at += part.length;
    }
    this.#rest = [];
    this.#restBytes = 0;
    return whole;
  }

  /** Lines between newlines; the block has none at its end. */
  #lines(block: Uint8Array): void {
    const text = this.#decode(block);
    for (let from = 0; from <= text.length;) {
      const found = text.indexOf("\n", from);
      const to = found < 0 ? text.length : found;
      this.#place.line++;
      this.#line(text.slice(from, to));
      from = to + 1;
    }
  }

  #line(text: string): void {
    let line = text;
    if (this.#place.line === 1 && line.startsWith(BYTE_ORDER_MARK)) {
      this.#sink.note("begins with a byte order mark");
      line = line.slice(1);
    }
    if (line.endsWith("\r")) {
      this.#sink.note("lines end with carriage returns");
      line = line.slice(0, -1);
    }
    if (line.includes("\0")) throw this.#error("a NUL byte", "text");
    this.#handler.line(line, this.#place, this.#isCut);
  }

  #decode(block: Uint8Array): string {
    try {
      return this.#decoder.decode(block);
    } catch {
      throw this.#notText(block);
    }
  }

  /** Finds the line that is at fault; those before it may be at fault for another reason, and come first. */
  #notText(block: Uint8Array): HistoryError {
    for (let from = 0; from <= block.length;) {
      const found = block.indexOf(NEWLINE, from);
      const to = found < 0 ? block.length : found;
      this.#place.line++;
      const line = block.subarray(from, to);
      try {
        this.#line(this.#decoder.decode(line));
      } catch (error) {
        if (error instanceof HistoryError) return error;
        const like = new TextDecoder().decode(line.subarray(0, 200));
        return this.#error(`bytes that are not UTF-8 in "${shown(like)}"`, "UTF-8");
      }
      from = to + 1;
    }
    return this.#error("bytes that are not UTF-8", "UTF-8");
  }

  #error(found: string, expected: string): HistoryError {
    return new HistoryError(this.#place, found, expected);
  }
}
