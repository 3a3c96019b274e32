// The header says whose log a file is. A file that is believed to be ours and is not replays another
// history, so every field of it must be proved and compared.
import { assert, assertEquals } from "@std/assert";
import { assertGolden } from "../tests/support/golden.ts";
import { IDENTITY } from "../tests/support/log_frames.ts";
import { crc32c } from "./crc32c.ts";
import {
  baseOp,
  checkIdentity,
  decodeSegmentHeader,
  encodeSegmentHeader,
  genesisTip,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "./log_segment.ts";
import { createTip, TipWord } from "./log_tip.ts";
import { U64_MAX } from "./config.ts";
import { writeU64 } from "./words.ts";

const LATER: SegmentHeader = {
  identity: IDENTITY,
  generation: 0x0102030405060708n,
  base: tip(0x1112131415161717n, 0x2122232425262728n, 0x3132333435363738n, 7n, 0x4142434445464748n),
  bytes: 64 * 1024 * 1024,
};
const FIRST: SegmentHeader = {
  identity: IDENTITY,
  generation: 1n,
  base: genesisTip(IDENTITY),
  bytes: 4096,
};

Deno.test("encodeSegmentHeader() writes the bytes of version 1", () => {
  const both = new Uint8Array(2 * SEGMENT_HEADER_BYTES);
  both.set(encodeSegmentHeader(FIRST));
  both.set(encodeSegmentHeader(LATER), SEGMENT_HEADER_BYTES);
  assertGolden("log_segment_v1", both);
});

Deno.test("decodeSegmentHeader() gives back what was encoded and ignores what follows", () => {
  for (const header of [FIRST, LATER]) {
    const bytes = new Uint8Array(600).fill(0x55);
    bytes.set(encodeSegmentHeader(header));
    assertEquals(decodeSegmentHeader(bytes), header);
  }
  assertEquals(baseOp(FIRST), 1n);
  assertEquals(baseOp(LATER), 0x1112131415161718n);
});

Deno.test("decodeSegmentHeader() tells that a log starts here, and refuses flags that it does not know", () => {
  const header: SegmentHeader = { ...LATER, startsLog: true };
  const bytes = encodeSegmentHeader(header);
  assertEquals(decodeSegmentHeader(bytes), header);
  assertEquals(bytes.findIndex((byte, i) => i >= 4 && byte !== encodeSegmentHeader(LATER)[i]), 112);
  for (const flags of [2, 3, 0x80]) {
    bytes[112] = flags;
    assertEquals(decodeSegmentHeader(sealed(bytes)), "invalid_version");
  }
});

Deno.test("decodeSegmentHeader() refuses a flip of any bit and a cut at any byte", () => {
  const bytes = encodeSegmentHeader(LATER);
  for (let bit = 0; bit < SEGMENT_HEADER_BYTES * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const inMagic = bit >> 3 >= 4 && bit >> 3 < 12;
    assertEquals(decodeSegmentHeader(bytes), inMagic ? "invalid_magic" : "invalid_header_checksum");
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  for (let length = 0; length < SEGMENT_HEADER_BYTES; length++) {
    assertEquals(decodeSegmentHeader(bytes.subarray(0, length)), "segment_cut");
  }
});

Deno.test("decodeSegmentHeader() refuses another version by name", () => {
  const bytes = encodeSegmentHeader(LATER);
  bytes[12] = 2;
  assertEquals(decodeSegmentHeader(sealed(bytes)), "invalid_version");
});

Deno.test("decodeSegmentHeader() refuses a base that cannot be", () => {
  const wrong: readonly SegmentHeader[] = [
    { ...LATER, generation: 0n },
    { ...LATER, base: tip(5n, 5n, 0n, 1n, 0n) },
    { ...FIRST, base: tip(0n, 0n, 0n, 0n, 77n) },
    { ...FIRST, base: tip(0n, 1n, 0n, 0n, new BigUint64Array(FIRST.base.buffer)[4]!) },
  ];
  for (const header of wrong) {
    assertEquals(decodeSegmentHeader(encodeSegmentHeader(header)), "wrong_base");
  }
  const beforeFirst = encodeSegmentHeader(LATER);
  beforeFirst.fill(0, 24, 32);
  assertEquals(decodeSegmentHeader(sealed(beforeFirst)), "wrong_base");
});

Deno.test("decodeSegmentHeader() accepts the last op there can be", () => {
  const header = { ...LATER, base: tip(U64_MAX - 1n, 1n, 1n, 1n, 1n) };
  assertEquals(decodeSegmentHeader(encodeSegmentHeader(header)), header);
  assertEquals(baseOp(header), U64_MAX);
});

Deno.test("checkIdentity() names the first difference, whichever byte differs", () => {
  assertEquals(checkIdentity(LATER, IDENTITY), undefined);
  for (let i = 0; i < 16; i++) {
    const clusterId = IDENTITY.clusterId.slice();
    clusterId[i]! ^= 1;
    assertEquals(checkIdentity(LATER, { ...IDENTITY, clusterId }), "foreign_cluster");
    const configFingerprint = IDENTITY.configFingerprint.slice();
    configFingerprint[i]! ^= 1;
    assertEquals(
      checkIdentity(LATER, { ...IDENTITY, configFingerprint }),
      "configuration_mismatch",
    );
  }
  for (const word of [0, 1]) {
    const shardId = IDENTITY.shardId.slice();
    shardId[word]! ^= 1;
    assertEquals(checkIdentity(LATER, { ...IDENTITY, shardId }), "foreign_shard");
  }
});

Deno.test("genesisTip() is nothing but a hash of its own", () => {
  const base = genesisTip(IDENTITY);
  assert(base.subarray(0, TipWord.hash).every((word) => word === 0));
  assert(base[TipWord.hash] !== 0 || base[TipWord.hash + 1] !== 0);
});

function tip(op: bigint, lsn: bigint, slot: bigint, view: bigint, hash: bigint): Uint32Array {
  const words = createTip();
  for (const [i, value] of [op, lsn, slot, view, hash].entries()) writeU64(words, i * 2, value);
  return words;
}

/** With a fresh checksum, as a mad writer would leave it. */
function sealed(bytes: Uint8Array): Uint8Array {
  new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4, SEGMENT_HEADER_BYTES), true);
  return bytes;
}
