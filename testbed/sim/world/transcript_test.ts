// Two lives with one hash are taken for one: every bit of what happened and its order must count.
import { assertEquals, assertNotEquals } from "@std/assert";
import { SeededRandom } from "../random.ts";
import { Transcript } from "./transcript.ts";

const BYTES = new SeededRandom(1).fill(new Uint8Array(37));

Deno.test("Transcript.text differs when one bit of a message does, or its length", () => {
  const seen = new Set([hashOf(BYTES)]);
  for (let bit = 0; bit < 8 * BYTES.length; bit++) {
    const other = BYTES.slice();
    other[bit >>> 3]! ^= 1 << (bit & 7);
    seen.add(hashOf(other));
  }
  for (let length = 0; length < BYTES.length; length++) seen.add(hashOf(BYTES.subarray(0, length)));
  seen.add(hashOf(Uint8Array.of(...BYTES, 0)));
  assertEquals(seen.size, 1 + 8 * BYTES.length + BYTES.length + 1);
});

Deno.test("Transcript.text differs when the order does, or a time by a microsecond", () => {
  const [a, b, c] = [new Transcript(), new Transcript(), new Transcript()];
  a.mixMoment(1, 7);
  a.mixMoment(2, 8);
  b.mixMoment(2, 8);
  b.mixMoment(1, 7);
  c.mixMoment(1.001, 7);
  c.mixMoment(2, 8);
  assertNotEquals(a.text, b.text);
  assertNotEquals(a.text, c.text);
});

Deno.test("Transcript.text differs when a word does, or who said it", () => {
  const words = ["ok", "ko", "found", "not_found", "resource_busy", ""];
  const hashes = [0, 1, 2].flatMap((number) =>
    words.map((word) => {
      const transcript = new Transcript();
      transcript.mixWord(number, word);
      return transcript.text;
    })
  );
  assertEquals(new Set(hashes).size, hashes.length);
});

Deno.test("Transcript.text is 16 hexadecimal digits, and spreads over all of them", () => {
  const transcript = new Transcript();
  const digits = Array.from({ length: 16 }, () => new Set<string>());
  for (let i = 0; i < 1_000; i++) {
    transcript.mix(i, 0);
    assertEquals(/^[0-9a-f]{16}$/.test(transcript.text), true);
    for (const [at, digit] of [...transcript.text].entries()) digits[at]!.add(digit);
  }
  assertEquals(digits.map(({ size }) => size), digits.map(() => 16));
});

function hashOf(bytes: Uint8Array): string {
  const transcript = new Transcript();
  transcript.mixBytes(new DataView(bytes.buffer, bytes.byteOffset), bytes.length);
  return transcript.text;
}
