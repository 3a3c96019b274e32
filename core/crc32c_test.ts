// The checksum stands before every byte that is believed after a restart. Its oracle is hash-wasm.
import { assertEquals } from "@std/assert";
import { crc32 } from "hash-wasm";
import fc from "fast-check";
import { crc32c } from "./crc32c.ts";

/** Castagnoli's, lowest power first. */
const POLYNOMIAL = 0x82f63b78;
const LONG = Uint8Array.from({ length: 300 }, (_, i) => i * 151 + 7);

Deno.test("crc32c() agrees with hash-wasm at every start and length", async () => {
  for (let at = 0; at < 9; at++) {
    for (let end = at; end <= LONG.length; end += end < 40 ? 1 : 13) {
      assertEquals(crc32c(LONG, at, end), await oracle(LONG.subarray(at, end)));
    }
  }
});

Deno.test("crc32c() agrees with hash-wasm on any bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
      assertEquals(crc32c(bytes, 0, bytes.length), await oracle(bytes));
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("crc32c() goes on from the checksum of what came before", () => {
  const whole = crc32c(LONG, 0, LONG.length);
  for (let cut = 0; cut <= LONG.length; cut++) {
    assertEquals(crc32c(LONG, cut, LONG.length, crc32c(LONG, 0, cut)), whole);
  }
});

Deno.test("crc32c() knows the check value of the standard", () => {
  assertEquals(crc32c(new TextEncoder().encode("123456789"), 0, 9), 0xe3069283);
});

async function oracle(bytes: Uint8Array): Promise<number> {
  return parseInt(await crc32(bytes, POLYNOMIAL), 16);
}
