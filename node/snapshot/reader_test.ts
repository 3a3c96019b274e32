// A damaged snapshot that is believed is silent loss of everything in it. So every bit of a small one is
// flipped, it is cut at every byte, its parts are swapped, repeated and mixed with another's: none may load,
// and the generation before it must.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { crc32c } from "../../core/crc32c.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import {
  blocksOf,
  CollectingSink,
  loadAny,
  snapshotHeader,
  writeSnapshot,
} from "../../tests/support/snapshots.ts";
import { DiskFault } from "../disk.ts";
import {
  BLOCK_BYTES_MAX,
  blockSpan,
  FOOTER_BYTES,
  HEADER_BYTES,
  type SnapshotHeader,
  type SnapshotIdentity,
} from "./format.ts";
import { loadSnapshot, type SnapshotLoad } from "./reader.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "./store.ts";

const LENGTHS = [9, 24, 24, 5];
const OLD_BLOCKS = blocksOf(1, [16]);
const NEW_BLOCKS = blocksOf(2, LENGTHS);
const OLD = written(1n, OLD_BLOCKS);
const NEW = written(2n, NEW_BLOCKS);

Deno.test("loadSnapshot() detects every single flipped bit and falls back", () => {
  const disk = generations(NEW, OLD);
  const bytes = disk.contents(SNAPSHOT_FILE);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertFallsBack(loadAny(disk), `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  assertEquals(opOf(loadAny(disk)), 2n);
});

Deno.test("loadSnapshot() detects a cut at every byte, and bytes added behind", () => {
  for (let length = 0; length < NEW.length; length++) {
    assertFallsBack(loadAny(generations(NEW.slice(0, length), OLD)), `cut at ${length}`);
  }
  for (const tail of [new Uint8Array(1), new Uint8Array(8), NEW.slice(-FOOTER_BYTES), NEW]) {
    assertFallsBack(loadAny(generations(concat(NEW, tail), OLD)), `${tail.length} more`);
  }
});

Deno.test("loadSnapshot() detects every run of bytes zeroed or overwritten", () => {
  for (const [length, filler] of [[1, 0], [8, 0], [512, 0], [8, 0xff], [512, 0xff]] as const) {
    for (let at = 0; at < NEW.length; at++) {
      const bytes = NEW.slice();
      bytes.fill(filler, at, at + length);
      if (bytes.every((byte, i) => byte === NEW[i])) continue;
      assertFallsBack(loadAny(generations(bytes, OLD)), `${length} bytes of ${filler} at ${at}`);
    }
  }
});

Deno.test("loadSnapshot() detects blocks swapped, dropped, repeated or taken from another snapshot", () => {
  const parts = partsOf(NEW);
  const other = partsOf(written(2n, blocksOf(3, LENGTHS)));
  const otherHeader = partsOf(written(3n, NEW_BLOCKS))[0]!;
  const [header, a, b, c, d, footer] = parts as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const mixtures = {
    "swapped": [header, a, c, b, d, footer],
    "dropped": [header, a, b, d, footer],
    "dropped at the end": [header, a, b, c, footer],
    "repeated": [header, a, b, b, c, d, footer],
    "empty": [header, footer],
    "a block of another snapshot": [header, a, other[2]!, c, d, footer],
    "the header of another snapshot": [otherHeader, a, b, c, d, footer],
    "the footer of another snapshot": [header, a, b, c, d, other[5]!],
    "the footer first": [header, footer, a, b, c, d],
  };
  assertEquals(opOf(loadAny(generations(concat(...parts), OLD))), 2n);
  for (const [name, mixture] of Object.entries(mixtures)) {
    assertFallsBack(loadAny(generations(concat(...mixture), OLD)), name);
  }
});

Deno.test("loadSnapshot() answers noise around a true header with typed results only", () => {
  const disk = generations(NEW, OLD);
  const edits = fc.array(fc.tuple(fc.nat(NEW.length - 1), fc.uint8Array({ maxLength: 40 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(edits, fc.nat(NEW.length), (patches, length) => {
      const bytes = NEW.slice(0, length);
      for (const [at, patch] of patches) patch.forEach((byte, i) => bytes[at + i] = byte);
      const isWhole = bytes.length === NEW.length && bytes.every((byte, i) => byte === NEW[i]);
      disk.install(SNAPSHOT_FILE, bytes);
      assertEquals(opOf(loadAny(disk)), isWhole ? 2n : 1n);
    }),
    { seed: 4, numRuns: 300 },
  );
});

Deno.test("loadSnapshot() gives what it finds, by generation", () => {
  assertEquals(loadAny(new MemoryDisk()), { kind: "none" });

  const both = loadAny(generations(NEW, OLD));
  assert(both.kind === "loaded");
  assertEquals([both.header, both.generation, both.damaged, both.sink.blocks], [
    snapshotHeader(2n),
    "newest",
    undefined,
    NEW_BLOCKS,
  ]);

  const betweenRenames = generations(undefined, OLD);
  betweenRenames.install("state.snapshot.tmp", NEW);
  const previous = loadAny(betweenRenames);
  assert(previous.kind === "loaded");
  assertEquals([previous.header.op, previous.generation, previous.damaged, previous.sink.blocks], [
    1n,
    "previous",
    undefined,
    OLD_BLOCKS,
  ]);
});

Deno.test("loadSnapshot() fails with every generation's error when none is good", () => {
  const failed = loadAny(generations(NEW.slice(1), OLD.slice(0, 100)));
  assert(failed.kind === "failed");
  assertEquals(failed.errors.map(({ file, kind, at }) => [file, kind, at]), [
    [SNAPSHOT_FILE, "checksum_mismatch", 0],
    [SNAPSHOT_PREVIOUS_FILE, "too_short", 0],
  ]);
  const single = loadAny(generations(undefined, OLD.slice(0, 100)));
  assertEquals(single.kind === "failed" && single.errors.length, 1);
});

Deno.test("loadSnapshot() refuses a stranger's snapshot in either generation and never falls back", () => {
  const header = snapshotHeader(9n);
  const identities: readonly (readonly [string, SnapshotIdentity])[] = [
    ["other_cluster", { ...header, clusterId: new Uint8Array(16) }],
    ["other_shard", { ...header, shardId: 0n }],
    ["other_configuration", { ...header, fingerprint: new Uint8Array(16) }],
  ];
  for (const [kind, identity] of identities) {
    const theirs = writtenBy({ ...header, ...identity });
    const damagedToo = theirs.slice(0, -1);
    for (const disk of [generations(theirs, OLD), generations(damagedToo, OLD)]) {
      assertRefused(loadAny(disk), kind, SNAPSHOT_FILE);
    }
    for (const disk of [generations(undefined, theirs), generations(NEW.slice(1), theirs)]) {
      assertRefused(loadAny(disk), kind, SNAPSHOT_PREVIOUS_FILE);
    }
  }
});

Deno.test("loadSnapshot() refuses a version it does not know instead of falling back", () => {
  const next = NEW.slice();
  const view = new DataView(next.buffer);
  view.setUint32(12, 2, true);
  view.setUint32(0, crc32c(next, 4, HEADER_BYTES), true);
  assertRefused(loadAny(generations(next, OLD)), "unsupported_version", SNAPSHOT_FILE);
});

Deno.test("loadSnapshot() takes the content's own refusal as damage, while reading and at the end", () => {
  const disk = generations(NEW, OLD);
  for (const method of ["accept", "finish"] as const) {
    const loaded = loadSnapshot(disk, snapshotHeader(0n), 1 << 20, ({ op }) => {
      const sink = new CollectingSink();
      if (op === 2n) sink[method] = () => "two holders";
      return sink;
    });
    assert(loaded.kind === "loaded");
    assertEquals([loaded.header.op, loaded.damaged?.kind], [1n, "content_refused"]);
    assert(loaded.damaged?.message.includes("two holders"));
  }
});

Deno.test("loadSnapshot() believes no file above the bound, and takes one that just fits", () => {
  assertEquals(opOf(loadAny(generations(NEW, OLD), NEW.length)), 2n);
  const loaded = loadAny(generations(NEW, OLD), NEW.length - 1);
  assertEquals(loaded.kind === "loaded" && loaded.damaged?.kind, "too_large");
});

Deno.test("loadSnapshot() counts an unreadable file as damaged, and passes other faults on", () => {
  for (let nth = 1; nth <= 2 + 2 * LENGTHS.length; nth++) {
    const disk = generations(NEW, OLD);
    disk.plan({ nth, action: "read", effect: "io_error" });
    const loaded = loadAny(disk);
    assertEquals(opOf(loaded), 1n);
    assertEquals(loaded.kind === "loaded" && loaded.damaged?.kind, "unreadable");
  }
  const disk = generations(NEW, OLD);
  disk.plan({ nth: 1, action: "open", effect: "permission_denied" });
  assertThrows(() => loadAny(disk), DiskFault);
});

Deno.test("loadSnapshot() changes nothing on the disk", () => {
  for (const disk of [generations(NEW, OLD), generations(NEW.slice(1), OLD)]) {
    disk.install("state.snapshot.tmp", OLD);
    loadAny(disk);
    assertEquals(disk.operations, 0);
  }
});

Deno.test("loadSnapshot() reads blocks of every length up to the largest", () => {
  const lengths = [1, BLOCK_BYTES_MAX, 8, BLOCK_BYTES_MAX - 1, BLOCK_BYTES_MAX - 8];
  const blocks = blocksOf(4, lengths);
  const loaded = loadAny(generations(written(2n, blocks), OLD));
  assert(loaded.kind === "loaded" && loaded.header.op === 2n);
  assertEquals(loaded.sink.blocks.map((block) => block.length), lengths);
  assert(
    loaded.sink.blocks.every((block, i) => block.every((byte, at) => byte === blocks[i]![at])),
  );
});

Deno.test("loadSnapshot() reads a snapshot without blocks", () => {
  const loaded = loadAny(generations(written(2n, []), OLD));
  assertEquals(loaded.kind === "loaded" && [loaded.header.op, loaded.sink.blocks], [2n, []]);
});

function written(op: bigint, blocks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const disk = new MemoryDisk();
  writeSnapshot(disk, snapshotHeader(op), blocks);
  return Uint8Array.from(disk.readAll(SNAPSHOT_FILE));
}

function writtenBy(header: SnapshotHeader): Uint8Array {
  const disk = new MemoryDisk();
  writeSnapshot(disk, header, OLD_BLOCKS);
  return disk.readAll(SNAPSHOT_FILE);
}

function generations(newest: Uint8Array | undefined, previous: Uint8Array): MemoryDisk {
  const disk = new MemoryDisk();
  if (newest !== undefined) disk.install(SNAPSHOT_FILE, newest);
  disk.install(SNAPSHOT_PREVIOUS_FILE, previous);
  return disk;
}

/** Header, blocks, footer. */
function partsOf(bytes: Uint8Array): Uint8Array[] {
  const parts = [bytes.slice(0, HEADER_BYTES)];
  let at = HEADER_BYTES;
  for (const length of LENGTHS) {
    parts.push(bytes.slice(at, at + blockSpan(length)));
    at += blockSpan(length);
  }
  return [...parts, bytes.slice(at)];
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function opOf(load: SnapshotLoad<CollectingSink>): bigint | undefined {
  return load.kind === "loaded" ? load.header.op : undefined;
}

function assertFallsBack(load: SnapshotLoad<CollectingSink>, what: string): void {
  assert(load.kind === "loaded", `${what}: ${load.kind}`);
  assertEquals([load.header.op, load.generation], [1n, "previous"], what);
  assert(load.damaged?.file === SNAPSHOT_FILE, what);
}

function assertRefused(load: SnapshotLoad<CollectingSink>, kind: string, file: string): void {
  assert(load.kind === "refused", load.kind);
  assertEquals([load.refusal.kind, load.refusal.file], [kind, file]);
}
