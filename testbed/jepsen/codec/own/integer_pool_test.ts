// A pool that mixed two numbers up would change a history, silently. So: whatever was asked before, and however often the table
// has grown, the answer is the number.
import { assertEquals } from "@std/assert";
import { SeededRandom } from "../../../sim/random.ts";
import { IntegerPool } from "./integer_pool.ts";

Deno.test("IntegerPool gives each number back, those of the same place too", () => {
  const pool = new IntegerPool();
  const random = new SeededRandom(7);
  for (let i = 0; i < 200_000; i++) {
    const value = random.below(1_000) * 65_536 * random.below(100_000) + random.below(3_000);
    assertEquals(pool.ofNumber(value), BigInt(value));
    const [a, b, c, d] = [
      random.below(2),
      random.below(3),
      random.below(900),
      random.below(2 ** 32),
    ];
    const expected = (BigInt(a!) << 96n) | (BigInt(b!) << 64n) | (BigInt(c!) << 32n) | BigInt(d!);
    assertEquals(pool.ofWords(a!, b!, c!, d!), expected);
  }
  assertEquals(pool.ofWords(0, 0, 0, 0), 0n);
});
