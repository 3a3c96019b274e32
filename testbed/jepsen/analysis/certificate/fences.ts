/** Which lsns of a partition have happened: whether all up to a fence have. */

/** See the top of this file. */
export class Fences {
  readonly #lsns: readonly bigint[];
  readonly #left: Map<bigint, number>;
  #next = 0;

  /** Of the lsns that will happen. */
  constructor(lsns: readonly bigint[]) {
    this.#lsns = [...lsns].sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
    this.#left = new Map();
    for (const lsn of lsns) this.#left.set(lsn, (this.#left.get(lsn) ?? 0) + 1);
  }

  /** One has happened. */
  pass(lsn: bigint | undefined): void {
    if (lsn === undefined) return;
    this.#left.set(lsn, (this.#left.get(lsn) ?? 1) - 1);
  }

  /** Whether no lsn up to this one is left. */
  isMet(fence: bigint): boolean {
    while (this.#next < this.#lsns.length && this.#left.get(this.#lsns[this.#next]!) === 0) {
      this.#next++;
    }
    const lowest = this.#lsns[this.#next];
    return lowest === undefined || lowest > fence;
  }
}
