// A snapshot stands in for log segments that are gone, so its bytes must mean the same in every later
// version and no damaged part may pass: golden bytes, and decoders fed with noise and with single flips.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionFailure } from "../../core/assert.ts";
import { assertGolden, readGolden } from "../../tests/support/golden.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { blocksOf, loadAny, snapshotHeader, writeSnapshot } from "../../tests/support/snapshots.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  blockSpan,
  checkBlock,
  decodeBlockHeader,
  decodeFooter,
  decodeHeader,
  encodeFooter,
  encodeHeader,
  FOOTER_BYTES,
  HEADER_BYTES,
  sealBlock,
} from "./format.ts";
import { SNAPSHOT_FILE } from "./store.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const headers = fc.record({
  clusterId: bytes16,
  shardId: u64,
  fingerprint: bytes16,
  op: u64,
  lsn: u64,
  requestSlot: u64,
  view: u64,
  chainHash: u64,
});

Deno.test("SnapshotWriter writes the golden bytes of version 1, and loadSnapshot() reads them", () => {
  const disk = new MemoryDisk();
  const blocks = blocksOf(1, [9, 8, 40]);
  writeSnapshot(disk, snapshotHeader(77n), blocks);
  assertGolden("snapshot_v1", disk.readAll(SNAPSHOT_FILE));

  const other = new MemoryDisk();
  other.install(SNAPSHOT_FILE, readGolden("snapshot_v1"));
  const loaded = loadAny(other);
  assertEquals(loaded.kind === "loaded" && [loaded.header, loaded.sink.blocks], [
    snapshotHeader(77n),
    blocks,
  ]);
});

Deno.test("decodeHeader() gives back every header that encodeHeader() wrote", () => {
  fc.assert(
    fc.property(headers, (header) => {
      const sector = new Uint8Array(HEADER_BYTES).fill(0xee);
      const crc = encodeHeader(header, sector);
      assertEquals(decodeHeader(sector), { kind: "decoded", value: { header, crc } });
    }),
    { seed: 1 },
  );
});

Deno.test("decodeFooter() gives back every footer that encodeFooter() wrote", () => {
  const footers = fc.record({
    blockCount: u32,
    fileBytes: fc.integer({ min: FOOTER_BYTES, max: Number.MAX_SAFE_INTEGER }),
    runningCrc: u32,
  });
  fc.assert(
    fc.property(footers, (footer) => {
      const bytes = new Uint8Array(FOOTER_BYTES).fill(0xee);
      encodeFooter(footer, bytes, 0);
      assertEquals(decodeFooter(bytes, footer.fileBytes), { kind: "decoded", value: footer });
    }),
    { seed: 2 },
  );
});

Deno.test("decodeHeader() and decodeFooter() refuse every single flipped bit", () => {
  const sector = new Uint8Array(HEADER_BYTES);
  encodeHeader(snapshotHeader(5n), sector);
  forEachFlip(sector, () => assertEquals(decodeHeader(sector).kind, "defect"));
  const footer = new Uint8Array(FOOTER_BYTES);
  encodeFooter({ blockCount: 1, fileBytes: 999, runningCrc: 7 }, footer, 0);
  forEachFlip(footer, () => assertEquals(decodeFooter(footer, 999).kind, "defect"));
});

Deno.test("a block passes as it was sealed, and in no other place, length or bits", () => {
  for (const length of [1, 7, 8, 9]) {
    const bytes = new Uint8Array(blockSpan(length)).fill(0xee);
    sealBlock(bytes, 0, 3, length);
    assertEquals(decodeBlockHeader(bytes, 3, 0), { kind: "decoded", value: length });
    assertEquals(checkBlock(bytes, length, 0).kind, "decoded");
    assertEquals(decodeBlockHeader(bytes, 2, 64), {
      kind: "defect",
      defect: { kind: "block_out_of_order", at: 64 },
    });
    forEachFlip(bytes, () => {
      const header = decodeBlockHeader(bytes, 3, 0);
      const isSound = header.kind === "decoded" && blockSpan(header.value) <= bytes.length;
      if (isSound) assertEquals(checkBlock(bytes, header.value, 0).kind, "defect");
    });
  }
});

Deno.test("decodeBlockHeader() believes no length outside 1 to BLOCK_BYTES_MAX", () => {
  const bytes = new Uint8Array(blockSpan(8));
  for (const length of [0, BLOCK_BYTES_MAX + 1, 0xffff_ffff]) {
    sealBlock(bytes, 0, 0, 8);
    new DataView(bytes.buffer).setUint32(12, length, true);
    const defect = { kind: "block_length_out_of_range" as const, at: 0 };
    assertEquals(decodeBlockHeader(bytes, 0, 0), { kind: "defect", defect });
  }
});

Deno.test("the decoders of parts answer noise with a defect and nothing else", () => {
  const noise = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const parts = fc.tuple(noise(HEADER_BYTES), noise(FOOTER_BYTES), noise(BLOCK_HEADER_BYTES));
  fc.assert(
    fc.property(parts, ([header, footer, block]) => {
      assertEquals(decodeHeader(header).kind, "defect");
      assertEquals(decodeFooter(footer, FOOTER_BYTES).kind, "defect");
      assertEquals(decodeBlockHeader(block, 0, 0).kind, "defect");
    }),
    { seed: 3 },
  );
});

Deno.test("the encoders and decoders of parts assert their lengths", () => {
  const header = snapshotHeader(1n);
  const sector = new Uint8Array(HEADER_BYTES);
  const short = new Uint8Array(15);
  const cases: readonly (readonly [string, () => unknown])[] = [
    ["snapshot/cluster-id-length", () => encodeHeader({ ...header, clusterId: short }, sector)],
    ["snapshot/fingerprint-length", () => encodeHeader({ ...header, fingerprint: short }, sector)],
    ["snapshot/header-length", () => decodeHeader(sector.subarray(1))],
    ["snapshot/footer-length", () => decodeFooter(sector, HEADER_BYTES)],
    ["snapshot/block-length", () => sealBlock(sector, 0, 0, 0)],
  ];
  for (const [fact, call] of cases) assertThrows(call, AssertionFailure, fact);
});

/** Runs `check` with each bit flipped in turn, and leaves the bytes as they were. */
function forEachFlip(bytes: Uint8Array, check: () => void): void {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    check();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
}
