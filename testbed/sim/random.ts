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

/**
 * A generator of its own for one part of a life: what one part draws does not shift what the others do.
 *
 * @param seed The life's.
 * @param part Its name.
 * @param index Which of several of that name.
 */
export function partRandom(seed: number, part: string, index = 0): SeededRandom {
  return new SeededRandom(partSeed(seed, part, index));
}

/** The seed of {@linkcode partRandom}. */
export function partSeed(seed: number, part: string, index = 0): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  for (let at = 0; at < part.length; at++) {
    hash = Math.imul(hash ^ (hash >>> 13) ^ part.charCodeAt(at), 0x85ebca6b);
  }
  return (hash ^ (hash >>> 16)) >>> 0;
}
