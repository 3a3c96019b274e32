// Every proof rests on it: held against the vectors of RFC 4231 and against WebCrypto.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { hmacSha256 } from "./hmac.ts";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("hmacSha256() gives the digests of RFC 4231", () => {
  const utf8 = new TextEncoder();
  for (
    const [key, message, digest] of [
      [
        new Uint8Array(20).fill(0x0b),
        utf8.encode("Hi There"),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      ],
      [
        utf8.encode("Jefe"),
        utf8.encode("what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      ],
      [
        new Uint8Array(20).fill(0xaa),
        new Uint8Array(50).fill(0xdd),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      ],
    ] as const
  ) assertEquals(hex(hmacSha256(key, message)), digest);
  assertThrows(() => hmacSha256(new Uint8Array(65)), RangeError);
});

Deno.test("hmacSha256() agrees with WebCrypto for every key of up to a block, however the message is cut", async () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 64 });
  await fc.assert(
    fc.asyncProperty(
      key,
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(300),
      async (bytes, text, cut) => {
        const algorithm = { name: "HMAC", hash: "SHA-256" };
        const raw = Uint8Array.from(bytes);
        const imported = await crypto.subtle.importKey("raw", raw, algorithm, false, ["sign"]);
        const expected = await crypto.subtle.sign("HMAC", imported, Uint8Array.from(text));
        const digest = hmacSha256(bytes, text.subarray(0, cut), text.subarray(cut));
        assertEquals(digest, new Uint8Array(expected));
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});
