/** A column of u64 that only grows: eight bytes each, in pieces of a fixed size that are never copied. */

const PIECE = 8_192;

/** See the top of this file. */
export class HashColumn {
  /** How many there are. */
  length = 0;
  readonly #pieces: BigUint64Array[] = [];

  /** Adds one at the end. */
  push(hash: bigint): void {
    const at = this.length % PIECE;
    if (at === 0) this.#pieces.push(new BigUint64Array(PIECE));
    this.#pieces.at(-1)![at] = hash;
    this.length++;
  }

  /** The one at a place from 0; `undefined` outside. */
  at(place: number): bigint | undefined {
    if (place < 0 || place >= this.length) return undefined;
    return this.#pieces[Math.floor(place / PIECE)]![place % PIECE];
  }
}
