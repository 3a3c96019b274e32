/**
 * The course of a life as 64 bits: when each event happened, what each message that arrived said, and what
 * clients were told, in order. Two lives with one hash took the same course.
 */

/** See the top of this file. Two lanes of 32 bits: no `bigint`, no object. */
export class Transcript {
  #high = 0x9e3779b9 | 0;
  #low = 0x243f6a88;

  /** Mixes two numbers of 32 bits; only the low bits of longer ones count. */
  mix(a: number, b: number): void {
    const low = Math.imul(this.#low ^ a, 0x85ebca6b);
    const high = Math.imul(this.#high ^ b ^ (low >>> 15), 0xc2b2ae35);
    this.#low = low ^ (high >>> 13);
    this.#high = high + low | 0;
  }

  /** Mixes a moment in virtual milliseconds, to the microsecond, and a number. */
  mixMoment(atMs: number, number: number): void {
    this.mix(Math.round(atMs * 1_000) | 0, number);
  }

  /** Mixes a number and a word in ASCII. */
  mixWord(number: number, word: string): void {
    let hash = number;
    for (let at = 0; at < word.length; at++) hash = Math.imul(hash, 257) + word.charCodeAt(at) | 0;
    this.mix(hash, word.length);
  }

  /** Mixes the first bytes of a view, and how many they are. */
  mixBytes(view: DataView, length: number): void {
    const whole = length & ~7;
    for (let at = 0; at < whole; at += 8) {
      this.mix(view.getInt32(at, true), view.getInt32(at + 4, true));
    }
    let rest = 0;
    for (let at = whole; at < length; at++) rest = Math.imul(rest, 257) + view.getUint8(at) | 0;
    this.mix(rest, length);
  }

  /** 16 hexadecimal digits. */
  get text(): string {
    return [this.#high, this.#low].map((lane) => (lane >>> 0).toString(16).padStart(8, "0"))
      .join("");
  }
}
