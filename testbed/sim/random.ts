/** Draws that a seed repeats exactly: every choice a test leaves to chance. Source: sfc32 by Chris Doty-Humphrey. */
export class SeededRandom {
  readonly #state = new Uint32Array(4);

  /**
   * @param seed Any 32-bit number.
   */
  constructor(seed: number) {
    this.#state.set([0x9e3779b9, 0x243f6a88, seed, 1]);
    for (let i = 0; i < 12; i++) this.nextU32();
  }

  /** A uniform 32-bit number. */
  nextU32(): number {
    const s = this.#state;
    const drawn = (s[0]! + s[1]! + s[3]!) >>> 0;
    s[3]!++;
    s[0] = s[1]! ^ (s[1]! >>> 9);
    s[1] = s[2]! + (s[2]! << 3);
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + drawn;
    return drawn;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.nextU32() / 0x1_0000_0000 * bound);
  }

  /** True once in `outOf` draws on average. */
  oneIn(outOf: number): boolean {
    return this.below(outOf) === 0;
  }

  /** Fills `bytes` with uniform bytes. */
  fill(bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.nextU32();
    return bytes;
  }
}
