/** What is still to happen, by virtual time and, at the same time, in the order in which it was asked for. */
import type { WorldProfile } from "./profile.ts";
import type { Transcript } from "./transcript.ts";

/** What an event is about, for a profile. */
export type EventKind =
  | "message"
  | "dial"
  | "tick"
  | "disk"
  | "turn"
  | "client"
  | "strike"
  | "other";

interface Event {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
  readonly kind: EventKind;
}

/** Virtual time and the events that move it on. */
export class EventQueue {
  /** Virtual milliseconds since the world began. */
  nowMs = 0;
  /** Events that have happened. */
  happened = 0;
  /** Who counts and measures them, if anybody does. */
  profile: WorldProfile | undefined;
  readonly #heap: Event[] = [];
  #sequence = 0;
  readonly #transcript: Transcript;

  /**
   * @param transcript Mixes when each event happened.
   */
  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  /** Lets something happen after a delay in milliseconds; 0 is later in this instant. */
  after(delayMs: number, run: () => void, kind: EventKind = "other"): void {
    const event = { atMs: this.nowMs + delayMs, sequence: this.#sequence++, run, kind };
    this.#rise(this.#heap.push(event) - 1, event);
  }

  /** Lets the next event happen; false when there is none up to `untilMs`. */
  step(untilMs: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > untilMs) {
      this.nowMs = Math.max(this.nowMs, untilMs);
      return false;
    }
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    this.nowMs = first.atMs;
    this.happened++;
    this.#transcript.mixMoment(first.atMs, first.sequence);
    if (this.profile === undefined) first.run();
    else this.profile.measure(first.kind, first.run);
    return true;
  }

  #rise(start: number, event: Event): void {
    const heap = this.#heap;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, event)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = event;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
