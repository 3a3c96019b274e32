// A lookup that stops short forgets a record for good: the index against a Map, with keys that collide on
// purpose, chains that wrap round the end, and removals from every place of a chain.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../testbed/sim/random.ts";
import { AssertionFailure } from "./assert.ts";
import {
  createFixedMap,
  findRow,
  type FixedMap,
  hashKey,
  insertRow,
  removeRow,
} from "./fixed_map.ts";
import { NO_ROW, type Row } from "./ids.ts";

const ROWS = 16;
const STRIDE = 10;
const KEY_AT = 1;

interface Fixture {
  readonly words: Uint32Array;
  readonly map: FixedMap;
  /** Key → row, as it should be. */
  readonly rows: Map<string, number>;
  /** Stands in for the hash, so that tests choose who collides. */
  readonly hash: (key: Uint32Array) => number;
}

function createFixture(
  buckets: number,
  keyWords: number,
  hash?: (key: Uint32Array) => number,
): Fixture {
  const words = new Uint32Array(ROWS * STRIDE);
  const map = createFixedMap(buckets, { words, stride: STRIDE }, KEY_AT, keyWords, 99);
  return { words, map, rows: new Map(), hash: hash ?? ((key) => hashKey(map, key, 0)) };
}

function insert({ words, map, rows, hash }: Fixture, key: Uint32Array): void {
  const taken = new Set(rows.values());
  const row = Array.from({ length: ROWS }, (_, each) => each).find((each) => !taken.has(each))!;
  words.set(key, row * STRIDE + KEY_AT);
  insertRow(map, row as Row, hash(key));
  rows.set(key.join(), row);
}

function remove({ map, rows, hash }: Fixture, key: Uint32Array): void {
  removeRow(map, rows.get(key.join())! as Row, hash(key));
  rows.delete(key.join());
}

function assertFindsExactly({ map, rows, hash }: Fixture, keys: readonly Uint32Array[]): void {
  for (const key of keys) {
    assertEquals(findRow(map, key, 0, hash(key)), (rows.get(key.join()) ?? NO_ROW) as Row);
  }
  const occupied = map.buckets.filter((word, at) => at % 2 === 0 && word !== 0).length;
  assertEquals(occupied, rows.size);
}

function walk(fixture: Fixture, keys: readonly Uint32Array[], seed: number, steps: number): void {
  const random = new SeededRandom(seed);
  for (let i = 0; i < steps; i++) {
    const key = keys[random.below(keys.length)]!;
    if (fixture.rows.has(key.join())) remove(fixture, key);
    else if (fixture.rows.size < ROWS - 1) insert(fixture, key);
    assertFindsExactly(fixture, keys);
  }
}

function keysOf(count: number, keyWords: number): Uint32Array[] {
  return Array.from(
    { length: count },
    (_, i) => Uint32Array.from({ length: keyWords }, (_, word) => word === i % keyWords ? i : 7),
  );
}

Deno.test("an index agrees with a Map, hashing as it does, for keys of 2, 4 and 8 words", () => {
  for (const keyWords of [2, 4, 8]) {
    for (let seed = 0; seed < 5; seed++) {
      walk(createFixture(16, keyWords), keysOf(24, keyWords), seed, 300);
    }
  }
});

Deno.test("table repair: removals keep every chain whole when all keys share one home", () => {
  for (let home = 0; home < 16; home++) {
    walk(createFixture(16, 2, () => home), keysOf(15, 2), home, 120);
  }
});

Deno.test("table repair: removals keep chains whole that wrap round and mix homes", () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new SeededRandom(seed);
    const homes = new Map(keysOf(15, 2).map((key) => [key.join(), 12 + random.below(6)]));
    walk(createFixture(16, 2, (key) => homes.get(key.join())!), keysOf(15, 2), seed, 60);
  }
});

Deno.test("removeRow() keeps scanning past a key at home: one behind it wrapped through the gap", () => {
  const homes = new Map([["1,0", 14], ["2,0", 15], ["3,0", 14]]);
  const [first, atHome, wrapped] = [[1, 0], [2, 0], [3, 0]].map((key) => new Uint32Array(key));
  const fixture = createFixture(16, 2, (key) => homes.get(key.join())!);
  for (const key of [first!, atHome!, wrapped!]) insert(fixture, key);
  assertEquals(fixture.map.buckets[0], 3); // Bucket 0, past the end, holds the third.
  remove(fixture, first!);
  assertFindsExactly(fixture, [first!, atHome!, wrapped!]);
  assertEquals(fixture.map.buckets[14 * 2], 3);
});

Deno.test("findRow() tells keys apart that have the same hash", () => {
  const fixture = createFixture(16, 4, () => -1);
  const keys = keysOf(10, 4);
  for (const key of keys.slice(0, 5)) insert(fixture, key);
  assertFindsExactly(fixture, keys);
});

Deno.test("hashKey() depends on the seed and on every word, and is a signed 32-bit number", () => {
  const words = new Uint32Array(8);
  const hashes = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const map = createFixedMap(2, { words, stride: 8 }, 0, 8, seed);
    for (let word = 0; word < 8; word++) {
      const key = new Uint32Array(8);
      key[word] = 1;
      const hash = hashKey(map, key, 0);
      assertEquals(hash, hash | 0);
      hashes.add(hash);
    }
  }
  assertEquals(hashes.size, 400);
});

Deno.test("removeRow() refuses a row it does not hold: index/row-present", () => {
  const fixture = createFixture(16, 2, () => 5);
  insert(fixture, new Uint32Array([1, 0]));
  assertThrows(() => removeRow(fixture.map, 3 as Row, 5), AssertionFailure, "index/row-present");
  assertThrows(() => removeRow(fixture.map, 0 as Row, 6), AssertionFailure, "index/row-present");
});

/** Keys of 8 words made of the high bits alone, and of what those look like to `word ^ (word >>> 15)`. */
function preparedKeys(undo: (word: number) => number): Uint32Array[] {
  const random = new SeededRandom(9);
  return Array.from(
    { length: 4096 },
    () => Uint32Array.from({ length: 8 }, () => undo((random.below(8) << 29) >>> 0)),
  );
}

Deno.test("hashKey() spreads keys that were prepared to collide, whatever the seed", () => {
  const undoShift = (word: number): number => (word ^ (word >>> 15) ^ (word >>> 30)) >>> 0;
  const families = [preparedKeys((word) => word), preparedKeys(undoShift)];
  for (let seed = 0; seed < 20; seed++) {
    const map = createFixedMap(2, { words: new Uint32Array(8), stride: 8 }, 0, 8, seed);
    for (const keys of families) {
      const hashes = new Set(keys.map((key) => hashKey(map, key, 0)));
      const distinct = new Set(keys.map((key) => key.join())).size;
      assert(hashes.size > distinct * 0.9, `seed ${seed}: ${hashes.size} of ${distinct}`);
    }
  }
});

Deno.test("hashKey() spreads what people use as ids: counters, high words, grids of two counters", () => {
  const shapes: ((i: number) => number[])[] = [
    (i) => [i, 0, 0, 0, 0, 0, 0, 0],
    (i) => [0, 0, 0, i, 0, 0, 0, 0],
    (i) => [i << 20, 0, 0, 0, 7, 0, 0, 0],
    (i) => [i & 255, 0, 0, 0, i >> 8, 0, 0, 0],
    (i) => [i, i, i, i, i, i, i, i],
  ];
  const count = 1 << 14;
  const map = createFixedMap(2 * count, { words: new Uint32Array(8), stride: 8 }, 0, 8, 5);
  for (const [shape, words] of shapes.entries()) {
    const keys = Array.from({ length: count }, (_, i) => Uint32Array.from(words(i)));
    const distinct = new Set(keys.map((key) => key.join())).size;
    const homes = new Set(keys.map((key) => hashKey(map, key, 0) & map.mask));
    // Thrown at random, n keys into at least 2n buckets take 0.78n of them.
    assert(homes.size > 0.7 * distinct, `shape ${shape}: ${homes.size} of ${distinct}`);
  }
});
