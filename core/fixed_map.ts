import { assert } from "./assert.ts";
import { NO_ROW, type Row } from "./ids.ts";

const KEY_WORDS_MAX = 8;

/** The records an index points into: the key of row r starts at word `r * stride + keyAt`. */
interface Keyed {
  readonly words: Uint32Array;
  readonly stride: number;
}

/**
 * Key → row, open addressing with linear probing, fixed size, no tombstones. A bucket is two words: row + 1
 * (0 when free) and the key's hash, so that a probe rarely touches a record that is not the one sought, and
 * a deletion moves its followers without reading their keys.
 */
export interface FixedMap {
  readonly buckets: Int32Array;
  /** Bucket count - 1; the count is a power of two. */
  readonly mask: number;
  /** The records, row after row. */
  readonly words: Uint32Array;
  readonly stride: number;
  readonly keyAt: number;
  readonly keyWords: number;
  /** Secret odd multipliers of the hash. */
  readonly odds: Int32Array;
}

/**
 * Makes an empty index.
 *
 * @param bucketCount A power of two, above the number of rows that will ever be in it.
 * @param records Where keys are.
 * @param keyAt Word offset of the key in a record.
 * @param keyWords Words of a key: 2, 4 or 8.
 * @param seed Perturbs the hash, so that nobody can prepare colliding ids.
 * @returns An index with no rows in it.
 */
export function createFixedMap(
  bucketCount: number,
  records: Keyed,
  keyAt: number,
  keyWords: number,
  seed: number,
): FixedMap {
  const buckets = new Int32Array(bucketCount * 2);
  const { words, stride } = records;
  return { buckets, mask: bucketCount - 1, words, stride, keyAt, keyWords, odds: drawOdds(seed) };
}

/**
 * Hash of a key: every word is mixed by itself alone, so that the multiplications overlap, and the sum is
 * finished as in MurmurHash3. Each word has two secret multipliers with a shift between them: with known ones,
 * or without the shift, ids can be prepared that collide under every seed.
 *
 * @param map Whose multipliers are used.
 * @param key Where the key is.
 * @param at Its first word.
 * @returns A signed 32-bit number: it stays unboxed on its way through calls.
 */
export function hashKey(map: FixedMap, key: Uint32Array, at: number): number {
  const { odds, keyWords } = map;
  let h = (mix(key[at]!, odds[0]!, odds[1]!) + mix(key[at + 1]!, odds[2]!, odds[3]!)) | 0;
  if (keyWords >= 4) {
    h = (h + mix(key[at + 2]!, odds[4]!, odds[5]!) + mix(key[at + 3]!, odds[6]!, odds[7]!)) | 0;
  }
  if (keyWords === 8) {
    h = (h + mix(key[at + 4]!, odds[8]!, odds[9]!) + mix(key[at + 5]!, odds[10]!, odds[11]!)) | 0;
    h = (h + mix(key[at + 6]!, odds[12]!, odds[13]!) + mix(key[at + 7]!, odds[14]!, odds[15]!)) | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function mix(word: number, first: number, second: number): number {
  const product = Math.imul(word, first);
  return Math.imul(product ^ (product >>> 15), second);
}

/** Odd multipliers, two for each word of a key: SplitMix32, so that neighbouring seeds have nothing in common. */
function drawOdds(seed: number): Int32Array {
  return Int32Array.from({ length: 2 * KEY_WORDS_MAX }, (_, at) => {
    let z = (seed + Math.imul(at + 1, 0x9e3779b9)) | 0;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) | 1;
  });
}

/** Row whose key equals `key[at…]`, or {@linkcode NO_ROW}. */
export function findRow(map: FixedMap, key: Uint32Array, at: number, hash: number): Row {
  const { buckets, mask } = map;
  for (let bucket = hash & mask;; bucket = (bucket + 1) & mask) {
    const rowPlusOne = buckets[bucket * 2]!;
    if (rowPlusOne === 0) return NO_ROW;
    if (buckets[bucket * 2 + 1] === hash && keyEquals(map, rowPlusOne - 1, key, at)) {
      return (rowPlusOne - 1) as Row;
    }
  }
}

/** Adds a row whose key is in its record already and in no other row of the index. */
export function insertRow(map: FixedMap, row: Row, hash: number): void {
  const { buckets, mask } = map;
  let bucket = hash & mask;
  while (buckets[bucket * 2] !== 0) bucket = (bucket + 1) & mask;
  buckets[bucket * 2] = row + 1;
  buckets[bucket * 2 + 1] = hash;
}

/** Removes a row; later buckets of its probe chain move up, so no lookup stops short. */
export function removeRow(map: FixedMap, row: Row, hash: number): void {
  const { buckets, mask } = map;
  let hole = hash & mask;
  while (buckets[hole * 2] !== row + 1) {
    assert(buckets[hole * 2] !== 0, "index/row-present");
    hole = (hole + 1) & mask;
  }
  for (let next = (hole + 1) & mask; buckets[next * 2] !== 0; next = (next + 1) & mask) {
    const home = buckets[next * 2 + 1]! & mask;
    // It may move only if the hole is on its way from home; one that sits at home never is.
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    buckets[hole * 2] = buckets[next * 2]!;
    buckets[hole * 2 + 1] = buckets[next * 2 + 1]!;
    hole = next;
  }
  buckets[hole * 2] = 0;
  buckets[hole * 2 + 1] = 0;
}

/** What {@linkcode touchBuckets} read; kept so that the reads are not optimised away. */
let touched = 0;

/**
 * Brings the home buckets of some keys into the cache: independent loads that overlap, unlike the lookups later.
 *
 * @param map The index.
 * @param hashes Hashes of the keys.
 * @param count How many of them.
 */
export function touchBuckets(map: FixedMap, hashes: Int32Array, count: number): void {
  const { buckets, mask } = map;
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + buckets[(hashes[i]! & mask) * 2]!) | 0;
  touched ^= sum;
}

/**
 * Finds what the home buckets of some keys point to: a guess at the keys' rows, right nearly always.
 *
 * @param map The index.
 * @param hashes Hashes of the keys.
 * @param count How many of them.
 * @param rows Receives a row for each, 0 where there is none.
 */
export function guessRows(
  map: FixedMap,
  hashes: Int32Array,
  count: number,
  rows: Int32Array,
): void {
  const { buckets, mask } = map;
  for (let i = 0; i < count; i++) {
    const rowPlusOne = buckets[(hashes[i]! & mask) * 2]!;
    rows[i] = rowPlusOne === 0 ? 0 : rowPlusOne - 1;
  }
}

/**
 * Brings a word of each of some records into the cache, and with it the record.
 *
 * @param words The table.
 * @param stride Words of a record.
 * @param word Which word of the record.
 * @param rows Rows; each is replaced by the word that was read.
 * @param count How many of them.
 */
export function touchRecords(
  words: Uint32Array,
  stride: number,
  word: number,
  rows: Int32Array,
  count: number,
): void {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const value = words[rows[i]! * stride + word]!;
    rows[i] = value;
    sum ^= value;
  }
  touched ^= sum;
}

function keyEquals(map: FixedMap, row: number, key: Uint32Array, at: number): boolean {
  const { words, stride } = map;
  const from = row * stride + map.keyAt;
  for (let i = 0; i < map.keyWords; i++) if (words[from + i] !== key[at + i]) return false;
  return true;
}
