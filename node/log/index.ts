/** Bytes between two marks: how much a reader skips at most before it reaches the op it wants. */
const MARK_EVERY_BYTES = 65_536;

/** Where in a segment some of its ops are: enough to start reading near any of them. */
export class SegmentIndex {
  /** Ops counted from the segment's first; ascending. */
  readonly #ops: number[] = [];
  readonly #offsets: number[] = [];
  #next = 0;

  /**
   * Offers a frame; kept when the last mark is far enough behind.
   *
   * @param op The frame's op counted from the segment's first.
   * @param at Its first byte in the file.
   */
  note(op: number, at: number): void {
    if (at < this.#next) return;
    this.#ops.push(op);
    this.#offsets.push(at);
    this.#next = at + MARK_EVERY_BYTES;
  }

  /**
   * The last marked frame at or before an op.
   *
   * @param op Counted from the segment's first.
   * @returns Its first byte, or `undefined` when nothing is marked so early.
   */
  find(op: number): number | undefined {
    let low = 0;
    let high = this.#ops.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ops[middle]! <= op) low = middle + 1;
      else high = middle;
    }
    return this.#offsets[low - 1];
  }
}
