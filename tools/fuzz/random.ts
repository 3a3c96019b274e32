/**
 * The fuzzer's draws. Each case has a generator of its own, seeded by target, seed and number, so that one
 * case is repeated without those before it. Source: splitmix32 and xoshiro128** by Blackman and Vigna.
 */
import { SeededRandom } from "../../testbed/sim/random.ts";

/** Uniform draws that a seed repeats exactly. */
export class FuzzRandom {
  readonly #state = new Uint32Array(4);

  /**
   * @param seed Of the run, any 32-bit number.
   * @param stream Name of the target.
   * @param caseNumber Position of the case in the run, a safe integer from 0.
   */
  constructor(seed: number, stream: string, caseNumber: number) {
    let mixed = mix(seed ^ 0x9e37_79b9);
    for (let i = 0; i < stream.length; i++) mixed = mix(mixed ^ stream.charCodeAt(i));
    mixed = mix(mixed ^ (caseNumber % 0x1_0000_0000));
    mixed = mix(mixed ^ Math.floor(caseNumber / 0x1_0000_0000));
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e37_79b9) >>> 0;
      this.#state[i] = mix(mixed);
    }
    this.#state[3]! |= 1; // The one state that never moves is all zeros.
  }

  /** A uniform 32-bit number. */
  u32(): number {
    const s = this.#state;
    const drawn = Math.imul(rotate(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotate(s[3]!, 11);
    return drawn;
  }

  /** A whole number in [0, bound); `bound` from 1 to 2^32. */
  below(bound: number): number {
    return Math.floor(this.u32() / 0x1_0000_0000 * bound);
  }

  /** A whole number from `min` to `max`. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** True once in `outOf` draws on average. */
  oneIn(outOf: number): boolean {
    return this.below(outOf) === 0;
  }

  /** One of the values. */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** A uniform 64-bit number. */
  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** That many uniform bytes. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.u32() >>> 24;
    return bytes;
  }

  /** A length: mostly short, now and then up to `max`. */
  length(max: number): number {
    const scale = this.pick([4, 16, 64, max, max]);
    return this.below(Math.min(scale, max) + 1);
  }

  /** The generator that the drawing helpers of the tests take, seeded by this one. */
  forTests(): SeededRandom {
    return new SeededRandom(this.u32());
  }
}

function rotate(word: number, by: number): number {
  return ((word << by) | (word >>> (32 - by))) >>> 0;
}

function mix(word: number): number {
  let z = (word + 0x9e37_79b9) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
