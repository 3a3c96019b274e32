/**
 * u64 and u128 as words of a `Uint32Array`, least significant word first: a u64 is 2 words, a u128 is 4.
 * Values are passed as array and index, so nothing is allocated; `bigint` only enters and leaves here.
 */

const WORD = 0x1_0000_0000;

/** Adds two u64 into `sum[at..at+1]`. False past 2^64 - 1, with `sum` untouched. */
export function addU64(
  sum: Uint32Array,
  at: number,
  a: Uint32Array,
  i: number,
  b: Uint32Array,
  j: number,
): boolean {
  const low = a[i]! + b[j]!;
  const high = a[i + 1]! + b[j + 1]! + (low >= WORD ? 1 : 0);
  if (high >= WORD) return false;
  sum[at] = low; // A Uint32Array store keeps the low 32 bits.
  sum[at + 1] = high;
  return true;
}

/** Whether `a + b` leaves the u64 range. */
export function addOverflowsU64(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  const carry = a[i]! + b[j]! >= WORD ? 1 : 0;
  return a[i + 1]! + b[j + 1]! + carry >= WORD;
}

/** Subtracts `b` from `a` into `difference[at..at+1]`. False below zero, with `difference` untouched. */
export function subtractU64(
  difference: Uint32Array,
  at: number,
  a: Uint32Array,
  i: number,
  b: Uint32Array,
  j: number,
): boolean {
  const low = a[i]! - b[j]!;
  const high = a[i + 1]! - b[j + 1]! - (low < 0 ? 1 : 0);
  if (high < 0) return false;
  difference[at] = low;
  difference[at + 1] = high;
  return true;
}

/** Adds a small number to the u64 at `words[at]`, in place. False past 2^64 - 1, with `words` untouched. */
export function bumpU64(words: Uint32Array, at: number, by: number): boolean {
  const low = words[at]! + by;
  const high = words[at + 1]! + (low >= WORD ? 1 : 0);
  if (high >= WORD) return false;
  words[at] = low;
  words[at + 1] = high;
  return true;
}

/** -1, 0 or 1 as `a` is below, equal to or above `b`. */
export function compareU64(a: Uint32Array, i: number, b: Uint32Array, j: number): -1 | 0 | 1 {
  const highA = a[i + 1]!;
  const highB = b[j + 1]!;
  if (highA !== highB) return highA < highB ? -1 : 1;
  const lowA = a[i]!;
  const lowB = b[j]!;
  if (lowA === lowB) return 0;
  return lowA < lowB ? -1 : 1;
}

/** Whether two u64 are equal. */
export function equalU64(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  return a[i] === b[j] && a[i + 1] === b[j + 1];
}

/** Whether a u64 is 0. */
export function isZeroU64(a: Uint32Array, i: number): boolean {
  return a[i] === 0 && a[i + 1] === 0;
}

/** Copies a u64. */
export function copyU64(to: Uint32Array, at: number, from: Uint32Array, i: number): void {
  to[at] = from[i]!;
  to[at + 1] = from[i + 1]!;
}

/** Whether two u128 are equal. */
export function equalU128(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  return a[i] === b[j] && a[i + 1] === b[j + 1] && a[i + 2] === b[j + 2] && a[i + 3] === b[j + 3];
}

/** Copies a u128. */
export function copyU128(to: Uint32Array, at: number, from: Uint32Array, i: number): void {
  to[at] = from[i]!;
  to[at + 1] = from[i + 1]!;
  to[at + 2] = from[i + 2]!;
  to[at + 3] = from[i + 3]!;
}

/**
 * A u64 on its way between a `bigint` and words: one load makes one `bigint` where shifts make four, and one store that
 * cuts bits off costs an eighth of masks and shifts.
 */
const passing = new DataView(new ArrayBuffer(8));

/** Reads the u64 at `[at]` as a `bigint`; for edges, not for the hot path. */
export function readU64(words: Uint32Array, at: number): bigint {
  passing.setUint32(0, words[at]!, true);
  passing.setUint32(4, words[at + 1]!, true);
  return passing.getBigUint64(0, true);
}

/** Writes a `bigint` as a u64; bits above the 64th are dropped. */
export function writeU64(words: Uint32Array, at: number, value: bigint): void {
  passing.setBigUint64(0, value, true);
  words[at] = passing.getUint32(0, true);
  words[at + 1] = passing.getUint32(4, true);
}

/** Reads the u128 at `[at]` as a `bigint`; for edges, not for the hot path. */
export function readU128(words: Uint32Array, at: number): bigint {
  const low = readU64(words, at);
  return isZeroU64(words, at + 2) ? low : (readU64(words, at + 2) << 64n) | low;
}

/** Writes a `bigint` as a u128; bits above the 128th are dropped. */
export function writeU128(words: Uint32Array, at: number, value: bigint): void {
  writeU64(words, at, value);
  writeU64(words, at + 2, value >> 64n);
}
