// Making a data directory must never destroy one: every file that can be there is tried beside every other,
// and making one is made to crash and to fail at every operation, twice in a row.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../core/assert.ts";
import { sampleMetadata } from "../tests/support/metadata.ts";
import { CrashSignal, MemoryDisk } from "../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../testbed/sim/random.ts";
import { PROFILES } from "./config/profiles.ts";
import {
  initDataDirectory,
  type InitOptions,
  type InitResult,
  inspectDataDirectory,
} from "./data_dir.ts";
import { type Disk, DiskFault } from "./disk.ts";
import { createMetadata, loadMetadata, METADATA_FILE } from "./metadata/metadata.ts";
import type { ReplicaMetadata } from "./metadata/codec.ts";

const SEGMENT_BYTES = 2048;
const SEEDS = 12;

Deno.test("initDataDirectory() makes a durable directory with the cluster id it was given", () => {
  const disk = new MemoryDisk();
  disk.install("LOCK", new Uint8Array());
  const result = init(disk, 7);
  assert(result.kind === "initialised");
  assertEquals(result.stored.metadata, {
    ...sampleMetadata(),
    clusterId: new Uint8Array(16).fill(7),
    replicaId: 1n,
    core: PROFILES.local.core,
    configEpoch: 0n,
    view: 0n,
    logView: 0n,
    vote: null,
    role: "recovering",
    commitOpHint: 0n,
    snapshotOpHint: 0n,
  });
  const after = disk.crash("lose");
  assertEquals(inspectDataDirectory(after), { kind: "allocdb", stored: result.stored });
  assertEquals(after.list().sort(), ["LOCK", METADATA_FILE, "state.wal"]);
});

Deno.test("initDataDirectory() can be begun again after a crash at every operation, and again", () => {
  const kinds = new Set<string>();
  for (let nth = 1; nth <= operationsOfInit(); nth++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const first = crashed(new MemoryDisk(), nth, seed);
      kinds.add(inspectDataDirectory(first).kind);
      if (inspectDataDirectory(first).kind === "allocdb") continue;
      for (let again = 1; again <= operationsOfInit(); again += 2) {
        assertCompletes(crashed(copyOf(first), again, seed));
      }
      assertCompletes(first);
    }
  }
  assertEquals([...kinds].sort(), ["allocdb", "empty", "incomplete"]);
});

Deno.test("initDataDirectory() can be begun again after a fault at every operation", () => {
  for (let nth = 1; nth <= operationsOfInit(); nth++) {
    const disk = new MemoryDisk();
    disk.plan({ nth, effect: "disk_full" });
    assertThrows(() => init(disk, 1), DiskFault);
    assertCompletes(disk.crash("lose"));
    assertCompletes(disk);
  }
});

Deno.test("initDataDirectory() touches nothing that is not empty or incomplete", () => {
  for (const files of [["notes.txt"], ["state.wal"], [METADATA_FILE], ["state.snapshot", "LOCK"]]) {
    const disk = diskOf(files);
    const result = init(disk, 1);
    assertEquals(result, { kind: "refused", found: inspectDataDirectory(disk) });
    assertEquals([disk.operations, disk.list().sort()], [0, files.toSorted()]);
  }
});

Deno.test("initDataDirectory() asserts that the bounds were checked", () => {
  const options = { ...optionsFor(new MemoryDisk(), 1), core: { ...PROFILES.local.core } };
  const unchecked = { ...options, core: { ...options.core, maxResources: 0 } };
  assertThrows(
    () => initDataDirectory(new MemoryDisk(), unchecked),
    AssertionFailure,
    "data-dir/bounds-are-checked",
  );
});

Deno.test("inspectDataDirectory() tells directories apart by their files", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [[], "empty"],
    [["LOCK"], "empty"],
    [["notes.txt"], "foreign"],
    [["LOCK", "photo.jpg", "state.wall", "state.wal.12"], "foreign"],
    [["replica.metadata.tmp"], "incomplete"],
    [["replica.metadata.tmp", "LOCK"], "incomplete"],
    [["replica.metadata.tmp", "state.wal"], "incomplete"],
    [["replica.metadata.tmp", "state.wal.next"], "incomplete"],
    [["replica.metadata.tmp", "notes.txt"], "foreign"],
    [["state.wal"], "damaged"],
    [["state.wal", "notes.txt"], "damaged"],
    [["state.wal.next"], "damaged"],
    [["state.wal.00000000000000000001"], "damaged"],
    [["state.snapshot"], "damaged"],
    [["state.snapshot.previous"], "damaged"],
    [["state.snapshot.tmp"], "damaged"],
    [["replica.metadata.prepare"], "damaged"],
    [["replica.metadata.tmp", "state.wal", "notes.txt"], "damaged"],
    [["replica.metadata.tmp", "state.wal", "state.snapshot"], "damaged"],
    [["replica.metadata.tmp", "state.wal.00000000000000000001"], "damaged"],
    [[METADATA_FILE], "damaged"], // Empty.
  ];
  for (const [files, kind] of cases) {
    const disk = diskOf(files);
    assertEquals(inspectDataDirectory(disk).kind, kind, files.join());
    assertEquals(disk.operations, 0);
  }
});

Deno.test("inspectDataDirectory() knows a data directory whatever else lies in it", () => {
  for (const files of [[], ["state.wal"], ["notes.txt"], ["replica.metadata.tmp"]]) {
    const disk = diskOf(files);
    createMetadata(disk, sampleMetadata());
    const found = inspectDataDirectory(disk);
    assert(found.kind === "allocdb");
    assertEquals(found.stored.metadata, sampleMetadata());
  }
});

Deno.test("inspectDataDirectory() takes no log with a frame in it for a leftover", () => {
  for (let at = 512; at < 512 + 64; at += 9) {
    const disk = diskOf(["replica.metadata.tmp", "state.wal"]);
    assertEquals(inspectDataDirectory(disk).kind, "incomplete");
    disk.contents("state.wal")[at] = 1;
    assertEquals(inspectDataDirectory(disk).kind, "damaged", `${at}`);
    assertEquals(init(disk, 1).kind, "refused");
  }
});

Deno.test("inspectDataDirectory() says what is wrong with damaged or missing metadata", () => {
  const missing = inspectDataDirectory(diskOf(["state.wal", "state.snapshot"]));
  assertEquals(missing, {
    kind: "damaged",
    error: {
      kind: "metadata_missing",
      message: "replica.metadata is missing beside state.snapshot, state.wal",
    },
  });
  const disk = new MemoryDisk();
  createMetadata(disk, sampleMetadata());
  disk.contents(METADATA_FILE).fill(0);
  const damaged = inspectDataDirectory(disk);
  assertEquals(damaged.kind === "damaged" && damaged.error.kind, "checksum_mismatch");
});

function init(disk: MemoryDisk, clusterByte: number): InitResult {
  return initDataDirectory(disk, optionsFor(disk, clusterByte));
}

function optionsFor(disk: Disk, clusterByte: number): InitOptions {
  return {
    replicaId: 1n,
    core: PROFILES.local.core,
    createdAt: sampleMetadata().createdAt,
    fillClusterId: (into) => into.fill(clusterByte),
    createLog: (metadata) => createLog(disk, metadata),
  };
}

/** A segment by the log's rules: full length, a header sector with the cluster id, and no frame. */
function createLog(disk: Disk, metadata: ReplicaMetadata): void {
  const file = disk.create("state.wal.next", SEGMENT_BYTES);
  file.write(0, segmentHeader(metadata.clusterId));
  file.sync();
  disk.rename("state.wal.next", "state.wal");
  disk.syncDirectory();
}

function segmentHeader(clusterId: Uint8Array): Uint8Array {
  const sector = new Uint8Array(512).fill(0xee);
  sector.set(clusterId);
  return sector;
}

function operationsOfInit(): number {
  const disk = new MemoryDisk();
  init(disk, 1);
  return disk.operations;
}

/** What a crash in the n-th operation of making the directory leaves. */
function crashed(disk: MemoryDisk, nth: number, seed: number): MemoryDisk {
  disk.plan({ nth, effect: "crash" });
  try {
    init(disk, nth);
  } catch (error) {
    if (!(error instanceof CrashSignal)) throw error;
  }
  return disk.crash(seed === 0 ? "keep" : seed === 1 ? "lose" : new SeededRandom(seed));
}

/** Complete already, or made complete, with metadata and log of one cluster. */
function assertCompletes(disk: MemoryDisk): void {
  const found = inspectDataDirectory(disk);
  if (found.kind !== "allocdb") assertEquals(init(disk, 0x77).kind, "initialised", found.kind);
  const after = disk.crash("keep");
  const loaded = loadMetadata(after);
  assert(loaded.kind === "loaded");
  const header = after.readAll("state.wal").subarray(0, 512);
  assertEquals(header, segmentHeader(loaded.stored.metadata.clusterId));
  assertEquals(after.size("state.wal"), SEGMENT_BYTES);
}

function copyOf(disk: MemoryDisk): MemoryDisk {
  return disk.crash("keep");
}

/** Files that hold nothing, but for a log segment without frames. */
function diskOf(files: readonly string[]): MemoryDisk {
  const disk = new MemoryDisk();
  for (const file of files) {
    const isSegment = file.startsWith("state.wal");
    const bytes = new Uint8Array(isSegment ? SEGMENT_BYTES : 0);
    if (isSegment) bytes.set(segmentHeader(new Uint8Array(16)));
    disk.install(file, bytes);
  }
  return disk;
}
