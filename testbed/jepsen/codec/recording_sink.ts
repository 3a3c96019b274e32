/** What a reader finds becomes a recording. */
import type { EventClaims } from "../history/claims.ts";
import type { HistoryEvent, HistoryHeader } from "../history/event.ts";
import { HistoryError, type SourcePlace } from "../history/history_error.ts";
import { Pairing } from "../history/pairing.ts";
import type { Recording } from "../history/recording.ts";
import type { EventSink } from "./format.ts";

/** See the top of this file. */
export class RecordingSink implements EventSink {
  readonly #maxSkipped: number;
  readonly #notes: string[] = [];
  #pairing: Pairing | undefined;
  #skipped = 0;

  /** @param maxSkipped Lines that may be skipped. */
  constructor(maxSkipped: number) {
    this.#maxSkipped = maxSkipped;
  }

  header(header: HistoryHeader, hasInvocations = true): void {
    this.#pairing = new Pairing(header, hasInvocations);
  }

  event(event: HistoryEvent, at: SourcePlace, claims?: EventClaims): void {
    this.#begun.add(event, at, claims);
  }

  processName(number: number, name: string): void {
    this.#begun.name(number, name);
  }

  skip(at: SourcePlace, what: string): void {
    this.#skipped++;
    if (this.#skipped <= this.#maxSkipped) return;
    const bound = this.#maxSkipped === 0 ? "an event" : `at most ${this.#maxSkipped} such lines`;
    throw new HistoryError(at, what, bound);
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  finish(): Recording {
    const pairing = this.#begun;
    pairing.skip(this.#skipped);
    for (const note of this.#notes) pairing.note(note);
    return pairing.finish();
  }

  get #begun(): Pairing {
    if (this.#pairing === undefined) throw new RangeError("A reader has to begin with the header");
    return this.#pairing;
  }
}
