// Replacing snapshots must never leave fewer good ones than before: every operation of the writer is made to
// crash, with each sector old or new, and to fail, and whatever is loaded afterwards is one of the
// generations that were there or the new one, whole.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../../core/assert.ts";
import { CrashSignal, MemoryDisk, type PlannedFault } from "../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import {
  blocksOf,
  loadAny,
  snapshotHeader,
  sourceOf,
  writeSnapshot,
} from "../../tests/support/snapshots.ts";
import { DiskFault } from "../disk.ts";
import { BLOCK_BYTES_MAX } from "./format.ts";
import {
  removeSnapshotTemporary,
  SNAPSHOT_FILE,
  SNAPSHOT_PREVIOUS_FILE,
  SNAPSHOT_TEMPORARY_FILE,
  SnapshotWriter,
} from "./store.ts";

const LENGTHS = [100, 700, 40];

Deno.test("SnapshotWriter leaves a loadable generation after a crash at every operation", () => {
  const seen = new Set<string>();
  for (const generations of [0, 1, 2, 3]) {
    const operations = operationsOf(generations);
    for (let nth = 1; nth <= operations; nth++) {
      for (let seed = 0; seed < 25; seed++) {
        const disk = diskWith(generations);
        disk.plan({ nth, effect: "crash" });
        assertThrows(() => writeGeneration(disk, generations + 1), CrashSignal);
        const survival = seed === 0 ? "keep" : seed === 1 ? "lose" : new SeededRandom(seed);
        seen.add(`${generations}: ${assertWhole(disk.crash(survival), generations)}`);
      }
    }
  }
  // Old only, between the two renames, and new must all have been met.
  assertEquals([...seen].sort(), [
    "0: newest 1",
    "0: none",
    "1: newest 1",
    "1: newest 2",
    "1: previous 1",
    "2: newest 2",
    "2: newest 3",
    "2: previous 2",
    "3: newest 3",
    "3: newest 4",
    "3: previous 3",
  ]);
});

Deno.test("SnapshotWriter tells every fault and leaves a loadable generation", () => {
  for (const generations of [0, 1, 2]) {
    const operations = operationsOf(generations);
    for (let nth = 1; nth <= operations; nth++) {
      const disk = diskWith(generations);
      const before = bytesOf(disk);
      const fault = faultOfWriting(disk, { nth, effect: "disk_full", tornBytes: 700 }, generations);
      assertEquals([nth, fault?.kind], [nth, "disk_full"]);
      assertWhole(disk, generations);
      assertWhole(disk.crash("lose"), generations);
      const isBeforeRenames = fault?.action !== "rename" && fault?.action !== "sync_directory";
      if (isBeforeRenames) assertEquals(bytesOf(disk), before);
      assertEquals(disk.size(SNAPSHOT_TEMPORARY_FILE), undefined);
      // The next attempt is as good as a first one.
      writeGeneration(disk, generations + 2);
      assertEquals(describe(disk), `newest ${generations + 2}`);
    }
  }
});

Deno.test("SnapshotWriter.finish() keeps exactly the two newest generations, durably", () => {
  const disk = diskWith(4).crash("lose");
  assertEquals(disk.list().sort(), [SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE]);
  assertEquals(describe(disk), "newest 4");
  disk.uninstall(SNAPSHOT_FILE);
  assertEquals(describe(disk), "previous 3");
});

Deno.test("SnapshotWriter replaces a damaged newest generation instead of the good previous one", () => {
  const disk = diskWith(2);
  disk.contents(SNAPSHOT_FILE)[600]! ^= 1;
  assertEquals(describe(disk), "previous 1");
  writeSnapshot(disk, snapshotHeader(3n), blocksOf(3, LENGTHS), undefined, true);
  assertEquals(describe(disk), "newest 3");
  disk.contents(SNAPSHOT_FILE)[600]! ^= 1;
  assertEquals(describe(disk), "previous 1");
});

Deno.test("SnapshotWriter.step() writes about a MiB at a time and syncs nothing", () => {
  const disk = new MemoryDisk({ deferred: true });
  const lengths = new Array<number>(5).fill(BLOCK_BYTES_MAX);
  const writer = SnapshotWriter.start(disk, snapshotHeader(1n));
  const source = sourceOf(blocksOf(1, lengths));
  const slices: number[] = [];
  for (let more = true; more;) {
    const before = writer.bytesWritten;
    more = writer.step(source) === "more";
    slices.push(writer.bytesWritten - before);
  }
  assert(slices.every((bytes) => bytes > 0 && bytes <= 1.1 * 1024 * 1024), `${slices}`);
  assertEquals(slices.length, 3);
  assertEquals(disk.size(SNAPSHOT_TEMPORARY_FILE), writer.bytesWritten);
  assertEquals(disk.operations, 1 + slices.length);
  let told = 0;
  writer.finish(() => told++);
  assertEquals([told, disk.size(SNAPSHOT_FILE)], [0, undefined]);
  disk.settle();
  assertEquals([told, describe(disk, lengths)], [1, "newest 1"]);
});

Deno.test("SnapshotWriter.pace() leaves no more than a few MiB to one sync", () => {
  const disk = new MemoryDisk({ deferred: true });
  const lengths = new Array<number>(24).fill(BLOCK_BYTES_MAX);
  const writer = SnapshotWriter.start(disk, snapshotHeader(1n));
  const source = sourceOf(blocksOf(1, lengths));
  let unsynced = 0;
  for (let before = 0; writer.step(source) === "more"; before = writer.bytesWritten) {
    unsynced += writer.bytesWritten - before;
    assert(unsynced <= 5.3 * 1024 * 1024, `${unsynced}`);
    let mayGoOn = false;
    writer.pace(() => mayGoOn = true);
    if (mayGoOn) continue;
    assertMisuse(() => writer.step(source), "snapshot/step-before-last-block");
    disk.settle();
    assert(mayGoOn);
    unsynced = 0;
  }
  writer.finish(() => {});
  disk.settle();
  assertEquals(describe(disk, lengths), "newest 1");
});

Deno.test("SnapshotWriter.pace() tells a failed sync and gives up", () => {
  const disk = diskWith(2);
  const before = bytesOf(disk);
  disk.plan({ nth: 1, action: "sync", effect: "io_error" });
  const { writer, told } = writerWithMuchUnsynced(disk);
  assertEquals(told.map((fault) => fault?.kind), ["io_error"]);
  assertEquals(bytesOf(disk), before);
  assertMisuse(() => writer.finish(() => {}), "snapshot/finish-after-last-block");
});

Deno.test("SnapshotWriter.pace() stays silent after abort()", () => {
  const disk = diskWith(1).crash("keep", { deferred: true });
  const { writer, told } = writerWithMuchUnsynced(disk);
  writer.abort();
  disk.settle();
  assertEquals(told, []);
  assertEquals(describe(disk), "newest 1");
});

Deno.test("SnapshotWriter.abort() removes what it wrote and nothing else", () => {
  const disk = diskWith(2);
  const before = bytesOf(disk);
  const writer = SnapshotWriter.start(disk, snapshotHeader(3n));
  writer.step(sourceOf(blocksOf(3, LENGTHS)));
  writer.abort();
  writer.abort();
  assertEquals(bytesOf(disk), before);
  assertMisuse(() => writer.finish(() => {}), "snapshot/finish-after-last-block");
  assertMisuse(() => writer.step(sourceOf([])), "snapshot/step-before-last-block");
  assertMisuse(() => writer.pace(() => {}), "snapshot/pace-between-steps");
});

Deno.test("SnapshotWriter.abort() comes too late once finish() was called", () => {
  const disk = diskWith(1, { deferred: true });
  const writer = SnapshotWriter.start(disk, snapshotHeader(2n));
  assertEquals(writer.step(sourceOf(blocksOf(2, LENGTHS))), "written");
  writer.finish(() => {});
  writer.abort();
  disk.settle();
  assertEquals(describe(disk), "newest 2");
});

Deno.test("SnapshotWriter.abort() survives a disk that cannot remove", () => {
  const disk = diskWith(1);
  const writer = SnapshotWriter.start(disk, snapshotHeader(2n));
  disk.plan({ nth: 1, action: "remove", effect: "io_error" });
  writer.abort();
  assertEquals(describe(disk), "newest 1");
});

Deno.test("SnapshotWriter gives up when its source breaks, and says why", () => {
  const disk = diskWith(1);
  const writer = SnapshotWriter.start(disk, snapshotHeader(2n));
  const tooLong = { next: () => BLOCK_BYTES_MAX + 1 };
  assertMisuse(() => writer.step(tooLong), "snapshot/block-length");
  assertEquals(disk.list(), [SNAPSHOT_FILE]);
});

Deno.test("removeSnapshotTemporary() removes a leftover and is content without one", () => {
  const disk = diskWith(2);
  const before = bytesOf(disk);
  SnapshotWriter.start(disk, snapshotHeader(3n));
  removeSnapshotTemporary(disk);
  removeSnapshotTemporary(disk);
  assertEquals(bytesOf(disk), before);
});

function assertMisuse(call: () => void, fact: string): void {
  assertThrows(call, AssertionFailure, fact);
}

function writeGeneration(
  disk: MemoryDisk,
  generation: number,
  done?: (fault: DiskFault | undefined) => void,
): void {
  writeSnapshot(disk, snapshotHeader(BigInt(generation)), blocksOf(generation, LENGTHS), done);
  disk.settle();
}

function diskWith(generations: number, options = {}): MemoryDisk {
  const disk = new MemoryDisk(options);
  for (let generation = 1; generation <= generations; generation++) {
    writeGeneration(disk, generation);
  }
  return disk;
}

/** How many operations the next generation takes. */
function operationsOf(generations: number): number {
  const disk = diskWith(generations);
  const before = disk.operations;
  writeGeneration(disk, generations + 1);
  return disk.operations - before;
}

/** A writer whose next pace must sync, and what that told. */
function writerWithMuchUnsynced(
  disk: MemoryDisk,
): { writer: SnapshotWriter; told: (DiskFault | undefined)[] } {
  const writer = SnapshotWriter.start(disk, snapshotHeader(9n));
  const source = sourceOf(blocksOf(9, new Array<number>(12).fill(BLOCK_BYTES_MAX)));
  for (let i = 0; i < 5; i++) writer.step(source);
  const told: (DiskFault | undefined)[] = [];
  writer.pace((fault) => told.push(fault));
  return { writer, told };
}

function faultOfWriting(
  disk: MemoryDisk,
  plan: PlannedFault,
  generations: number,
): DiskFault | undefined {
  let told: DiskFault | undefined;
  disk.plan(plan);
  try {
    writeGeneration(disk, generations + 1, (fault) => told = fault);
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    told = error;
  }
  disk.plan(undefined);
  return told;
}

/** What loads is the generation before the one that was cut short, or that one, whole. */
function assertWhole(disk: MemoryDisk, generations: number): string {
  const found = describe(disk);
  const isGood = generations === 0
    ? found === "none" || found === "newest 1"
    : [`newest ${generations}`, `previous ${generations}`, `newest ${generations + 1}`]
      .includes(found);
  assert(isGood, found);
  return found;
}

function describe(disk: MemoryDisk, lengths: readonly number[] = LENGTHS): string {
  const load = loadAny(disk);
  if (load.kind !== "loaded") return load.kind;
  const expected = blocksOf(Number(load.header.op), lengths);
  const isSame = load.sink.blocks.length === expected.length &&
    expected.every((block, i) => isSameBytes(block, load.sink.blocks[i]!));
  return `${load.generation} ${load.header.op}${isSame ? "" : " with other blocks"}`;
}

/** Faster than assertEquals() on large arrays. */
function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function bytesOf(disk: MemoryDisk): Record<string, Uint8Array> {
  return Object.fromEntries(disk.list().sort().map((name) => [name, disk.readAll(name)]));
}
