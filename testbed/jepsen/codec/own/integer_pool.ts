/**
 * Large numbers that come again and again are kept once: a history of a million operations names each of its resources and
 * slots hundreds of times. A table without chains: who comes later takes the place, and when that happens often it grows, once or
 * twice, to a size that it keeps.
 */

const PLACES_MIN = 512;
const PLACES_MAX = 1 << 16;
/** By so much it grows. */
const GROWTH = 8;

/** See the top of this file. */
export class IntegerPool {
  #places = PLACES_MIN;
  #numbers = new Float64Array(PLACES_MIN).fill(-1);
  #numberValues: bigint[] = new Array<bigint>(PLACES_MIN).fill(0n);
  /** Four words each, the highest first. */
  #words = new Uint32Array(PLACES_MIN * 4);
  #wordValues: bigint[] = new Array<bigint>(PLACES_MIN).fill(0n);
  #misses = 0;

  /** @param value A safe integer, from 0. */
  ofNumber(value: number): bigint {
    const place = value % this.#places;
    if (this.#numbers[place] === value) return this.#numberValues[place]!;
    this.#numbers[place] = value;
    const made = BigInt(value);
    this.#numberValues[place] = made;
    this.#miss();
    return made;
  }

  /** The number of these four words, the highest first. */
  ofWords(a: number, b: number, c: number, d: number): bigint {
    const words = this.#words;
    const mixed = d ^ Math.imul(c, 0x9e3779b1) ^ Math.imul(a ^ b, 0x85ebca6b);
    const place = mixed & (this.#places - 1);
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
    const made = (high << 64n) | low;
    this.#wordValues[place] = made;
    this.#miss();
    return made;
  }

  /** Grows by starting again: what comes often is soon there. */
  #miss(): void {
    this.#misses++;
    if (this.#misses < this.#places * 2 || this.#places === PLACES_MAX) return;
    const places = Math.min(this.#places * GROWTH, PLACES_MAX);
    this.#places = places;
    this.#misses = 0;
    this.#numbers = new Float64Array(places).fill(-1);
    this.#numberValues = new Array<bigint>(places).fill(0n);
    this.#words = new Uint32Array(places * 4);
    this.#wordValues = new Array<bigint>(places).fill(0n);
  }
}
