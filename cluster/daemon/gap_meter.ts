/** How late the event loop is: the time between two calls of a timer, which garbage, disks and work stretch. */
export class GapMeter {
  /** Between the latest two beats, in milliseconds. */
  latestMs = 0;
  /** The longest so far. */
  longestMs = 0;
  #beatMs: number | undefined;

  /** The timer went off at `nowMs`, by a monotonic clock. Answers how long ago it had before; 0 the first time. */
  beat(nowMs: number): number {
    this.latestMs = this.#beatMs === undefined ? 0 : nowMs - this.#beatMs;
    this.#beatMs = nowMs;
    this.longestMs = Math.max(this.longestMs, this.latestMs);
    return this.latestMs;
  }
}
