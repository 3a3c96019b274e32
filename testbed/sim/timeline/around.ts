/** The items nearest to a moment, of more than can be kept; they come in the order of time. */

/** See the top of this file. */
export class Around<T> {
  /** Items that were there. */
  seen = 0;
  readonly #max: number;
  readonly #atMs: number;
  #items: T[] = [];
  #later = 0;

  /**
   * @param max Items that are kept.
   * @param atMs Around when; the end unless told.
   */
  constructor(max: number, atMs = Infinity) {
    this.#max = max;
    this.#atMs = atMs;
  }

  /** Adds an item, or does not. */
  add(atMs: number, item: T): void {
    this.seen++;
    if (atMs > this.#atMs && ++this.#later > this.#max / 2) {
      if (this.#items.length >= this.#max) return;
    }
    this.#items.push(item);
    if (this.#items.length >= 2 * this.#max) this.#items = this.#items.slice(-this.#max);
  }

  /** What is kept. */
  get items(): readonly T[] {
    return this.#items.slice(-this.#max);
  }
}
