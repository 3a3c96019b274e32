/** A history as a reader tells it, kept for looking at: what the tests of formats compare. */
import type { HistoryEvent, HistoryHeader } from "../../testbed/jepsen/history/event.ts";
import type { EventClaims } from "../../testbed/jepsen/history/claims.ts";
import type { SourcePlace } from "../../testbed/jepsen/history/history_error.ts";
import {
  type EventSink,
  type Format,
  type FormatReader,
  READ_DEFAULTS,
} from "../../testbed/jepsen/codec/format.ts";
import type { ForeignOptions } from "../../testbed/jepsen/codec/foreign/foreign_history.ts";

/** See the top of this file. */
export class Collected implements EventSink {
  headers: HistoryHeader[] = [];
  events: HistoryEvent[] = [];
  /** Line and claims of each event. */
  claims: (EventClaims & { at: SourcePlace })[] = [];
  names = new Map<number, string>();
  notes: string[] = [];
  skipped: string[] = [];

  header(header: HistoryHeader): void {
    this.headers.push(header);
  }

  event(event: HistoryEvent, at: SourcePlace, claims: EventClaims = {}): void {
    this.events.push(event);
    this.claims.push({ ...claims, at: { ...at } });
  }

  processName(number: number, name: string): void {
    this.names.set(number, name);
  }

  skip(_at: SourcePlace, what: string): void {
    this.skipped.push(what);
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }
}

/** Reads bytes or text in pieces of the given lengths; what is left is the last piece. */
export function collect(
  format: Format,
  source: string | Uint8Array,
  options: Partial<ForeignOptions> = {},
  pieces: readonly number[] = [],
): Collected {
  const bytes = typeof source === "string" ? new TextEncoder().encode(source) : source;
  const collected = new Collected();
  const reader = format.read(collected, { ...READ_DEFAULTS, ...options });
  pushPieces(reader, bytes, pieces);
  reader.end();
  return collected;
}

/** Every piece is overwritten after it was pushed: a reader may not hold on to it. */
function pushPieces(reader: FormatReader, bytes: Uint8Array, pieces: readonly number[]): void {
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    const piece = bytes.slice(at, at + length);
    reader.push(piece);
    piece.fill(0xff);
    at += length;
  }
}
