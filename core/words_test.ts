// Word arithmetic against bigint, which is slow and obviously right, at every carry boundary.
import { assertEquals } from "@std/assert";
import { SeededRandom } from "../testbed/sim/random.ts";
import {
  addOverflowsU64,
  addU64,
  bumpU64,
  compareU64,
  copyU128,
  copyU64,
  equalU128,
  equalU64,
  isZeroU64,
  readU128,
  readU64,
  subtractU64,
  writeU128,
  writeU64,
} from "./words.ts";

const U64_MAX = 2n ** 64n - 1n;
const U128_MAX = 2n ** 128n - 1n;

/** Around every power of two a carry or a sign can hide behind, and some in between. */
const EDGES: bigint[] = [0n, 1n, 31n, 32n, 52n, 53n, 62n, 63n, 64n]
  .flatMap((bits) => [2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n])
  .filter((value) => value <= U64_MAX);
EDGES.push(...randomU64s(20));

const WIDE_EDGES: bigint[] = EDGES.flatMap((low) => [low, low << 32n, low << 64n, U128_MAX - low]);

function randomU64s(count: number): bigint[] {
  const random = new SeededRandom(1);
  return Array.from(
    { length: count },
    () => (BigInt(random.nextU32()) << 32n) | BigInt(random.nextU32()),
  );
}

function forEachPair(check: (a: bigint, b: bigint, lanes: BigUint64Array) => void): void {
  for (const a of EDGES) {
    for (const b of EDGES) check(a, b, new BigUint64Array([a, b, 7n]));
  }
}

Deno.test("addU64() agrees with bigint and leaves the sum alone on overflow", () => {
  forEachPair((a, b, lanes) => {
    const words = new Uint32Array(lanes.buffer);
    const fits = addU64(words, 4, words, 0, words, 2);
    assertEquals([fits, lanes[2]], a + b <= U64_MAX ? [true, a + b] : [false, 7n]);
  });
});

Deno.test("addU64() and subtractU64() may write over their own operand", () => {
  forEachPair((a, b, lanes) => {
    const words = new Uint32Array(lanes.buffer);
    const fits = addU64(words, 0, words, 0, words, 2);
    assertEquals([fits, lanes[0]], a + b <= U64_MAX ? [true, a + b] : [false, a]);
    if (!fits) return;
    assertEquals([subtractU64(words, 2, words, 0, words, 2), lanes[1]], [true, a]);
  });
});

Deno.test("addOverflowsU64() is true exactly past 2^64 - 1", () => {
  forEachPair((a, b, lanes) => {
    const words = new Uint32Array(lanes.buffer);
    assertEquals(addOverflowsU64(words, 0, words, 2), a + b > U64_MAX);
  });
});

Deno.test("subtractU64() agrees with bigint and leaves the difference alone below zero", () => {
  forEachPair((a, b, lanes) => {
    const words = new Uint32Array(lanes.buffer);
    const fits = subtractU64(words, 4, words, 0, words, 2);
    assertEquals([fits, lanes[2]], a >= b ? [true, a - b] : [false, 7n]);
  });
});

Deno.test("bumpU64() agrees with bigint and leaves the words alone on overflow", () => {
  for (const a of EDGES) {
    for (const by of [0, 1, 2, 0x7fff_ffff, 0xffff_ffff]) {
      const lanes = new BigUint64Array([a]);
      const sum = a + BigInt(by);
      const fits = bumpU64(new Uint32Array(lanes.buffer), 0, by);
      assertEquals([fits, lanes[0]], sum <= U64_MAX ? [true, sum] : [false, a]);
    }
  }
});

Deno.test("compareU64() and equalU64() order like bigint", () => {
  forEachPair((a, b, lanes) => {
    const words = new Uint32Array(lanes.buffer);
    assertEquals(compareU64(words, 0, words, 2), a < b ? -1 : a > b ? 1 : 0);
    assertEquals(equalU64(words, 0, words, 2), a === b);
  });
});

Deno.test("isZeroU64() is true for 0 alone", () => {
  for (const a of EDGES) {
    assertEquals(isZeroU64(new Uint32Array(new BigUint64Array([a]).buffer), 0), a === 0n);
  }
});

Deno.test("writeU64() and writeU128() are what their readers read, words least significant first", () => {
  for (const value of WIDE_EDGES) {
    const words = new Uint32Array(6).fill(0xaaaa_aaaa);
    writeU128(words, 1, value);
    assertEquals(readU128(words, 1), value);
    assertEquals(words[1], Number(value & 0xffff_ffffn));
    assertEquals(words[4], Number(value >> 96n));
    assertEquals([words[0], words[5]], [0xaaaa_aaaa, 0xaaaa_aaaa]);
    writeU64(words, 1, value);
    assertEquals(readU64(words, 1), value & U64_MAX);
  }
});

Deno.test("copyU64(), copyU128() and equalU128() look at every word and no other", () => {
  const from = new Uint32Array([9, 1, 2, 3, 4, 9]);
  const to = new Uint32Array(6);
  copyU128(to, 2, from, 1);
  assertEquals([...to], [0, 0, 1, 2, 3, 4]);
  assertEquals(equalU128(to, 2, from, 1), true);
  for (let i = 0; i < 4; i++) {
    const other = from.slice();
    other[1 + i]! += 1;
    assertEquals(equalU128(to, 2, other, 1), false);
  }
  copyU64(to, 0, from, 4);
  assertEquals([...to], [4, 9, 1, 2, 3, 4]);
});
