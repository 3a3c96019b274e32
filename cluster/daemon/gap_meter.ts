/** How late the event loop is: how much longer a timer takes than it was set for, because of garbage, disks and work. */
export class GapMeter {
  /** The latest, in milliseconds. */
  latestMs = 0;
  /** The longest so far. */
  longestMs = 0;
  #dueMs = Infinity;

  /** The timer is set to go off at `dueMs`, by a monotonic clock. */
  expect(dueMs: number): void {
    this.#dueMs = dueMs;
  }

  /** It went off. Answers how late that was. */
  beat(nowMs: number): number {
    this.latestMs = Math.max(0, nowMs - this.#dueMs);
    this.longestMs = Math.max(this.longestMs, this.latestMs);
    return this.latestMs;
  }
}
