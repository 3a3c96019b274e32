/** How often all clients together may begin something. */

/** What is saved up at most while nobody asks, in milliseconds' worth. */
const BURST_MS = 250;

/** Time as a bucket sees it; tests have their own. */
export interface Pace {
  /** Monotonic, in milliseconds. */
  nowMs(): number;
  /** Resolves after so many milliseconds, or at once when the signal is raised. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** See the top of this file. First come, first served. */
export class TokenBucket {
  readonly #everyMs: number;
  readonly #pace: Pace;
  #nextMs: number;

  /**
   * @param perSecond How often, above 0.
   * @param pace The clock.
   */
  constructor(perSecond: number, pace: Pace) {
    this.#everyMs = 1_000 / perSecond;
    this.#pace = pace;
    this.#nextMs = pace.nowMs();
  }

  /** Resolves when it is somebody's turn. False when the signal was raised before that. */
  async take(signal: AbortSignal): Promise<boolean> {
    const nowMs = this.#pace.nowMs();
    const turnMs = Math.max(this.#nextMs, nowMs - BURST_MS);
    this.#nextMs = turnMs + this.#everyMs;
    if (turnMs > nowMs && !signal.aborted) await this.#pace.wait(turnMs - nowMs, signal);
    return !signal.aborted;
  }
}

/** The real clock. */
export const REAL_PACE: Pace = {
  nowMs: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done, { once: true });
    }),
};
