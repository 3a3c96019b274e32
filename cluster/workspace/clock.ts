/** A clock that is wrong on purpose. */
import type { Clock } from "../../node/slot_clock.ts";
import type { ClockFault } from "./faults.ts";

const RIGHT: ClockFault = { skewMs: 0, rate: 1 };

/** Another clock, ahead or behind and faster or slower as told; it stands still rather than go back. */
export class SkewedClock implements Clock {
  readonly #inner: Clock;
  #fault = RIGHT;
  /** From here the rate counts; what the rate added before stays. */
  #sinceMs: number;
  #gainedMs = 0;
  #lastMs = -Infinity;

  /** @param inner The right time, monotonic. */
  constructor(inner: Clock) {
    this.#inner = inner;
    this.#sinceMs = inner.nowMs();
  }

  /** Makes it wrong in another way; `undefined` ends the fault, and the clock waits for the right time. */
  set(fault: ClockFault | undefined): void {
    const now = this.#inner.nowMs();
    this.#gainedMs = fault === undefined ? 0 : this.#gain(now);
    this.#sinceMs = now;
    this.#fault = fault ?? RIGHT;
  }

  nowMs(): number {
    const now = this.#inner.nowMs();
    const wrong = now + this.#gain(now) + this.#fault.skewMs;
    this.#lastMs = Math.max(this.#lastMs, wrong);
    return this.#lastMs;
  }

  #gain(now: number): number {
    return this.#gainedMs + (now - this.#sinceMs) * (this.#fault.rate - 1);
  }
}
