// A replica that forgets a vote may vote twice. Every operation of making, storing and settling the metadata
// is made to crash and to fail, and every single damaged sector is tried: what was told to be durable is
// found again, and never an older state in its place.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../../core/assert.ts";
import { crc32c } from "../../core/crc32c.ts";
import { sampleMetadata } from "../../tests/support/metadata.ts";
import { CrashSignal, MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { DiskFault } from "../disk.ts";
import {
  createMetadata,
  loadMetadata,
  METADATA_FILE,
  METADATA_TEMPORARY_FILE,
  settleMetadata,
  type StoredMetadata,
  storeMetadata,
} from "./metadata.ts";
import { COPY_BYTES, encodeCopy } from "./codec.ts";

const STORE_OPERATIONS = 4;
const SEEDS = 20;

Deno.test("createMetadata() is durable when it returns, and whole or absent after any crash", () => {
  const found = new Set<string>();
  for (let nth = 1; nth <= 6; nth++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const disk = new MemoryDisk();
      disk.plan({ nth, effect: "crash" });
      assertThrows(() => createMetadata(disk, sampleMetadata()), CrashSignal);
      const after = loadMetadata(disk.crash(new SeededRandom(seed)));
      if (after.kind === "loaded") assertEquals(after.stored.metadata, sampleMetadata());
      found.add(after.kind);
    }
  }
  assertEquals([...found].sort(), ["loaded", "missing"]);
  const disk = new MemoryDisk();
  const stored = createMetadata(disk, sampleMetadata());
  assertEquals(loadMetadata(disk.crash("lose")), { kind: "loaded", stored });
  assertEquals(disk.list(), [METADATA_FILE]);
  assertEquals(disk.operations, 6);
});

Deno.test("storeMetadata() keeps what it told to be durable, through every crash after it", () => {
  const disk = diskAt(9n);
  const stored = load(disk);
  let told: unknown = "nothing";
  storeMetadata(disk, stored, sampleMetadata({ view: 10n }), (fault) => told = fault);
  assertEquals([told, stored.metadata.view, stored.sequence], [undefined, 10n, 4n]);
  assertEquals(load(disk.crash("lose")), stored);
});

Deno.test("storeMetadata() leaves the old or the new metadata after a crash at every operation", () => {
  for (const deferred of [false, true]) {
    const views = new Set<bigint>();
    for (let nth = 1; nth <= STORE_OPERATIONS; nth++) {
      for (let seed = 0; seed < SEEDS; seed++) {
        const disk = diskAt(9n).crash("keep", { deferred });
        disk.plan({ nth, effect: "crash" });
        assertThrows(() => {
          store(disk, load(disk), 10n);
          disk.settle();
        }, CrashSignal);
        const after = disk.crash(new SeededRandom(seed));
        const stored = load(after);
        views.add(stored.metadata.view);
        // What was found once stays found, whatever is lost next.
        settleMetadata(after, stored);
        assertEquals(load(after.crash("lose")), stored);
      }
    }
    assertEquals([...views].sort(), [10n, 9n]);
  }
});

Deno.test("storeMetadata() tells every fault, leaves old or new, and then answers the same for good", () => {
  for (let nth = 1; nth <= STORE_OPERATIONS; nth++) {
    const disk = diskAt(9n);
    const stored = load(disk);
    disk.plan({ nth, effect: "io_error", tornBytes: 700 });
    const fault = store(disk, stored, 10n);
    assertEquals([fault?.kind, stored.metadata.view], ["io_error", 9n]);
    const operations = disk.operations;
    assert(store(disk, stored, 11n) === fault);
    assertEquals(disk.operations, operations);
    for (let seed = 0; seed < SEEDS; seed++) {
      const { view } = load(disk.crash(new SeededRandom(seed))).metadata;
      assert(view === 9n || view === 10n, `${view}`);
    }
  }
});

Deno.test("storeMetadata() tells a file that cannot be opened", () => {
  const disk = diskAt(9n);
  disk.plan({ nth: 1, action: "open", effect: "permission_denied" });
  assertEquals(store(disk, load(disk), 10n)?.kind, "permission_denied");
});

Deno.test("loadMetadata() finds the newest metadata with any one copy damaged", () => {
  const disk = diskAt(9n);
  const bytes = disk.contents(METADATA_FILE);
  for (let sector = 0; sector < bytes.length / 512; sector++) {
    for (const damage of [(b: Uint8Array) => b.fill(0xdb), (b: Uint8Array) => b[3]! ^= 4]) {
      const before = bytes.slice(sector * 512, sector * 512 + 512);
      damage(bytes.subarray(sector * 512, sector * 512 + 512));
      const stored = load(disk);
      assertEquals([stored.metadata.view, stored.isIntact], [9n, false]);
      assertEquals(stored.staleCopy, sector < 8 ? 0 : 1);
      bytes.set(before, sector * 512);
    }
  }
  assertEquals(load(disk).isIntact, true);
});

Deno.test("storeMetadata() and settleMetadata() never write over the only good copy first", () => {
  for (const copy of [0, 1]) {
    for (let tornBytes = 1; tornBytes < COPY_BYTES; tornBytes += 97) {
      for (const write of [storeNext, settleMetadata]) {
        const disk = diskAt(9n);
        disk.contents(METADATA_FILE)[copy * COPY_BYTES + 40]! ^= 1;
        const stored = load(disk);
        disk.plan({ nth: 1, action: "write", effect: "io_error", tornBytes });
        assertThrows(() => write(disk, stored), DiskFault);
        // Torn behind its last byte, the new copy is whole.
        const { view } = load(disk.crash("keep")).metadata;
        assert(view === 9n || view === 10n);
      }
    }
  }
});

Deno.test("settleMetadata() makes both copies good again, and writes nothing when they are", () => {
  const disk = diskAt(9n);
  disk.contents(METADATA_FILE)[40]! ^= 1;
  const stored = load(disk);
  settleMetadata(disk, stored);
  assertEquals([stored.isIntact, stored.sequence], [true, 4n]);
  assertEquals(load(disk.crash("lose")), stored);
  const operations = disk.operations;
  settleMetadata(disk, stored);
  assertEquals(disk.operations, operations + 1); // The directory sync.
});

Deno.test("settleMetadata() makes the rename of a process that died durable", () => {
  const disk = new MemoryDisk();
  disk.plan({ nth: 1, action: "rename", effect: "crash" });
  assertThrows(() => createMetadata(disk, sampleMetadata()), CrashSignal);
  const restarted = new MemoryDisk();
  restarted.create(METADATA_TEMPORARY_FILE, 0);
  restarted.install(METADATA_TEMPORARY_FILE, disk.crash("keep").readAll(METADATA_FILE));
  restarted.rename(METADATA_TEMPORARY_FILE, METADATA_FILE);
  settleMetadata(restarted, load(restarted));
  assertEquals(load(restarted.crash("lose")).metadata, sampleMetadata());
});

Deno.test("loadMetadata() names what is wrong when nothing can be believed", () => {
  const one = encodeCopy(sampleMetadata(), 5n);
  const otherBody = encodeCopy(sampleMetadata({ view: 8n }), 5n);
  const otherReplica = encodeCopy(sampleMetadata({ replicaId: 1n }), 4n);
  const otherCluster = encodeCopy(sampleMetadata({ clusterId: new Uint8Array(16) }), 4n);
  const torn = one.slice();
  torn[100]! ^= 1;
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["wrong_length", new Uint8Array()],
    ["wrong_length", one],
    ["wrong_length", joined(one, one).slice(1)],
    ["checksum_mismatch", joined(torn, torn)],
    ["checksum_mismatch", new Uint8Array(2 * COPY_BYTES)],
    ["copies_disagree", joined(one, otherBody)],
    ["copies_disagree", joined(one, otherReplica)],
    ["copies_disagree", joined(otherCluster, one)],
  ];
  for (const [kind, bytes] of cases) assertDamaged(diskOf(bytes), kind);
  const unreadable = diskOf(joined(one, one));
  unreadable.makeUnreadable(METADATA_FILE, 0, 2 * COPY_BYTES);
  assertDamaged(unreadable, "unreadable");
  for (const at of [0, COPY_BYTES]) {
    const half = diskOf(at === 0 ? joined(one, torn) : joined(torn, one));
    half.makeUnreadable(METADATA_FILE, at + 600, at + 601);
    assertDamaged(half, "unreadable");
  }
  const forbidden = diskOf(joined(one, one));
  forbidden.plan({ nth: 1, action: "read", effect: "permission_denied" });
  assertThrows(() => loadMetadata(forbidden), DiskFault);
  assertEquals(loadMetadata(new MemoryDisk()), { kind: "missing" });
});

Deno.test("loadMetadata() does with one copy when the other cannot be read, and settling makes it readable", () => {
  const [older, newer] = [encodeCopy(sampleMetadata(), 4n), encodeCopy(sampleMetadata(), 5n)];
  for (
    const [at, copies] of [[0, joined(older, newer)], [COPY_BYTES, joined(newer, older)]] as const
  ) {
    const disk = diskOf(copies);
    disk.makeUnreadable(METADATA_FILE, at + 600, at + 601);
    const load = loadMetadata(disk);
    assert(load.kind === "loaded", Deno.inspect(load));
    assertEquals([load.stored.sequence, load.stored.isIntact], [5n, false]);
    assertEquals(load.stored.staleCopy, at === 0 ? 0 : 1);
    settleMetadata(disk, load.stored);
    assertEquals(disk.damagedSectors(METADATA_FILE), []);
    const again = loadMetadata(disk);
    assert(again.kind === "loaded" && again.stored.isIntact && again.stored.sequence === 6n);
  }
});

Deno.test("loadMetadata() refuses a version it does not know in either copy", () => {
  const known = encodeCopy(sampleMetadata(), 5n);
  const unknown = encodeCopy(sampleMetadata(), 6n);
  const view = new DataView(unknown.buffer);
  view.setUint32(12, 2, true);
  view.setUint32(0, crc32c(unknown, 4, COPY_BYTES), true);
  for (const bytes of [joined(known, unknown), joined(unknown, known)]) {
    assertDamaged(diskOf(bytes), "unsupported_version");
  }
});

Deno.test("storeMetadata() asserts one write at a time, a fixed identity and a view that never falls", () => {
  const disk = diskAt(9n).crash("keep", { deferred: true });
  const cases = {
    "metadata/identity-is-fixed": [
      sampleMetadata({ view: 9n, replicaId: 1n }),
      sampleMetadata({ view: 9n, clusterId: new Uint8Array(16) }),
    ],
    "metadata/view-never-decreases": [sampleMetadata({ view: 8n })],
  };
  for (const [fact, nexts] of Object.entries(cases)) {
    for (const next of nexts) {
      assertThrows(() => storeMetadata(disk, load(disk), next, () => {}), AssertionFailure, fact);
    }
  }
  const stored = load(disk);
  store(disk, stored, 9n);
  assertThrows(() => store(disk, stored, 10n), AssertionFailure, "metadata/one-write-at-a-time");
  disk.settle();
  assertEquals(store(disk, stored, 10n), undefined);
});

/** Metadata stored a few times, the last time with this view. */
function diskAt(view: bigint): MemoryDisk {
  const disk = new MemoryDisk();
  const stored = createMetadata(disk, sampleMetadata());
  store(disk, stored, view - 1n);
  store(disk, stored, view);
  return disk;
}

function store(disk: MemoryDisk, stored: StoredMetadata, view: bigint): DiskFault | undefined {
  let told: DiskFault | undefined;
  storeMetadata(disk, stored, sampleMetadata({ view }), (fault) => told = fault);
  return told;
}

function storeNext(disk: MemoryDisk, stored: StoredMetadata): void {
  const fault = store(disk, stored, stored.metadata.view + 1n);
  if (fault !== undefined) throw fault;
}

function load(disk: MemoryDisk): StoredMetadata {
  const found = loadMetadata(disk);
  assert(found.kind === "loaded", found.kind);
  return found.stored;
}

function assertDamaged(disk: MemoryDisk, kind: string): void {
  const found = loadMetadata(disk);
  assert(found.kind === "damaged", found.kind);
  assertEquals(found.error.kind, kind);
}

function diskOf(bytes: Uint8Array): MemoryDisk {
  const disk = new MemoryDisk();
  disk.install(METADATA_FILE, bytes);
  return disk;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  return Uint8Array.from([...first, ...second]);
}
