/** A single node's promise was broken: which, when, and the end of what happened if it was kept in words. */
export class SingleViolation extends Error {
  override readonly name = "SingleViolation";
  /** The promise, and what was seen of it. */
  readonly what: string;
  /** The last lines of the transcript, if there is one. */
  readonly tail: readonly string[];

  /**
   * @param what The promise, and what was seen of it.
   * @param when Seed, time and event.
   * @param words The transcript so far.
   */
  constructor(what: string, when: string, words: readonly string[]) {
    const tail = words.slice(-TAIL_LINES);
    super(`${what} (${when})\n${tail.join("\n")}`);
    this.what = what;
    this.tail = tail;
  }
}

const TAIL_LINES = 120;
