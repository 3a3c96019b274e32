// The fingerprint of a bundle decides whether a retry is the same command: our SHA-256 against the platform's.
import { createHash } from "node:crypto";
import { assertEquals } from "@std/assert";
import { SeededRandom } from "../testbed/sim/random.ts";
import { sha256Words } from "./sha256.ts";

function ours(bytes: Uint8Array, at: number, end: number): string {
  const words = new Uint32Array(8);
  sha256Words(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at, end, words);
  return [...words].map((word) => word.toString(16).padStart(8, "0")).join("");
}

function platform(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("sha256Words() agrees with node:crypto for every length around a block, at every alignment", () => {
  const bytes = new SeededRandom(3).fill(new Uint8Array(400));
  for (let length = 0; length <= 260; length++) {
    const at = length % 9;
    assertEquals(ours(bytes, at, at + length), platform(bytes.subarray(at, at + length)));
  }
});

Deno.test("sha256Words() agrees with node:crypto on as much as the largest bundle", () => {
  const bytes = new SeededRandom(4).fill(new Uint8Array(3 + 0xffff * 17 + 17));
  assertEquals(ours(bytes, 0, bytes.length), platform(bytes));
});

Deno.test("sha256Words() gives the vectors of FIPS 180-4", () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const abc = encode("abc");
  assertEquals(
    ours(abc, 0, 3),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assertEquals(
    ours(abc, 0, 0),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  const two = encode("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
  assertEquals(
    ours(two, 0, two.length),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});
