/** A header comes before everything else, but foreign files have none: what is noted before it is known waits for it. */
import type { EventClaims } from "../../history/claims.ts";
import type { HistoryEvent, HistoryHeader } from "../../history/event.ts";
import type { SourcePlace } from "../../history/history_error.ts";
import type { EventSink } from "../format.ts";

/** See the top of this file. Skipped lines go through: they are counted, not written. */
export class HeaderFirst implements EventSink {
  readonly #sink: EventSink;
  #waiting: string[] | undefined = [];

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  header(header: HistoryHeader, hasInvocations?: boolean): void {
    this.#sink.header(header, hasInvocations);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const text of waiting) this.#sink.note(text);
  }

  event(event: HistoryEvent, at: SourcePlace, claims?: EventClaims): void {
    this.#sink.event(event, at, claims);
  }

  processName(number: number, name: string): void {
    this.#sink.processName(number, name);
  }

  skip(at: SourcePlace, what: string): void {
    this.#sink.skip(at, what);
  }

  note(text: string): void {
    if (this.#waiting === undefined) this.#sink.note(text);
    // Every line of a log may note the same.
    else if (!this.#waiting.includes(text)) this.#waiting.push(text);
  }
}
