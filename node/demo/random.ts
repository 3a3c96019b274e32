/** Draws that a seed repeats. Source: sfc32 by Chris Doty-Humphrey. */
export class Random {
  readonly #state = new Uint32Array(4);

  /**
   * @param seed Any 32-bit number.
   * @param stream Tells the draws of several users of one seed apart.
   */
  constructor(seed: number, stream: number) {
    this.#state.set([seed, stream, 0x9e3779b9, 1]);
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.#next() / 0x1_0000_0000;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** True that often, from 0 (never) to 1. */
  chance(share: number): boolean {
    return this.fraction() < share;
  }

  #next(): number {
    const s = this.#state;
    const drawn = (s[0]! + s[1]! + s[3]!) >>> 0;
    s[3]!++;
    s[0] = s[1]! ^ (s[1]! >>> 9);
    s[1] = s[2]! + (s[2]! << 3);
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + drawn;
    return drawn;
  }
}
