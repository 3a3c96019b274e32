/**
 * Large numbers that come again and again are kept once: a history of a million operations names each of its resources and
 * slots hundreds of times. A table without chains, so that it never grows: who comes later takes the place.
 */

const PLACES = 1 << 16;

/** See the top of this file. */
export class IntegerPool {
  readonly #small = new Float64Array(PLACES).fill(-1);
  readonly #smallValues: bigint[] = new Array<bigint>(PLACES).fill(0n);
  /** Four words each, the highest first. */
  readonly #words = new Uint32Array(PLACES * 4);
  readonly #wordValues: bigint[] = new Array<bigint>(PLACES).fill(0n);

  /** @param value A safe integer, from 0. */
  ofNumber(value: number): bigint {
    const place = value % PLACES;
    if (this.#small[place] !== value) {
      this.#small[place] = value;
      this.#smallValues[place] = BigInt(value);
    }
    return this.#smallValues[place]!;
  }

  /** The number of these four words, the highest first. */
  ofWords(a: number, b: number, c: number, d: number): bigint {
    const words = this.#words;
    const place = (d ^ Math.imul(c, 0x9e3779b1) ^ Math.imul(a ^ b, 0x85ebca6b)) & (PLACES - 1);
    const at = place * 4;
    const isThere = words[at] === a && words[at + 1] === b && words[at + 2] === c &&
      words[at + 3] === d;
    if (isThere) return this.#wordValues[place]!;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    const high = (BigInt(a) << 32n) | BigInt(b);
    const low = (BigInt(c) << 32n) | BigInt(d);
    return this.#wordValues[place] = (high << 64n) | low;
  }
}
