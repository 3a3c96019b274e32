/** How far the clocks of a world can have gone at most: what judges of time go by. */

interface Jump {
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
  readonly #jumps: Jump[] = [];

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
  }

  /** Some clock has leapt ahead. */
  jumped(ms: number): void {
    this.#jumps.push({ atMs: this.#nowMs(), ms });
  }

  /** Milliseconds that clocks can have counted from one moment of the world to a later one, at most. */
  elapsedMsMax(fromMs: number, toMs: number): number {
    let ms = (toMs - fromMs) * this.rateMax;
    for (const jump of this.#jumps) if (jump.atMs >= fromMs && jump.atMs <= toMs) ms += jump.ms;
    return ms;
  }
}
