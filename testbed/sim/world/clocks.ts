/**
 * How far the clocks of a world can have gone at most: what judges of time go by. A backup takes over the time of the
 * primary that it hears; what two clocks came to differ by since the last time is between them when it leads. Nobody
 * here knows when that was, so all that they ever came to differ by counts.
 */

interface Leap {
  readonly atMs: number;
  readonly ms: number;
}

/** See the top of this file. */
export class ClockLedger {
  /** The fastest pace that any clock ever had, in its milliseconds in one of the world's. */
  rateMax = 1;
  /** The slowest. */
  rateMin = 1;
  readonly #nowMs: () => number;
  readonly #leaps: Leap[] = [];
  /** Since when clocks differ in pace. */
  #pacedMs = Infinity;

  /**
   * @param nowMs The world's time in milliseconds.
   */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Some clock has another pace from now on. */
  paced(rate: number): void {
    this.rateMax = Math.max(this.rateMax, rate);
    this.rateMin = Math.min(this.rateMin, rate);
    this.#pacedMs = Math.min(this.#pacedMs, this.#nowMs());
  }

  /** Some clock has leapt ahead, or is behind for having stood still. */
  leapt(ms: number): void {
    this.#leaps.push({ atMs: this.#nowMs(), ms });
  }

  /** Milliseconds by which one clock can come to stand above another one's at an earlier moment of the world, at most. */
  elapsedMsMax(fromMs: number, toMs: number): number {
    const driftMs = Math.max(0, fromMs - this.#pacedMs) * (this.rateMax - this.rateMin);
    let ms = (toMs - fromMs) * this.rateMax + driftMs;
    for (const leap of this.#leaps) if (leap.atMs <= toMs) ms += leap.ms;
    return ms;
  }
}
