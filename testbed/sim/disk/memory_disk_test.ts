// The disk that crash tests trust must itself forget, tear and lie exactly as a real one may: too kind a
// model would prove nothing.
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { DiskFault } from "../../../node/disk.ts";
import { CrashSignal, type DiskAction, MemoryDisk } from "./memory_disk.ts";
import { SeededRandom } from "../random.ts";

const SECTORS = 16;

Deno.test("MemoryDisk.crash() mixes old and new by sector, never inside one", () => {
  const mixtures = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const disk = written(1, 2);
    const bytes = disk.crash(new SeededRandom(seed)).readAll("a");
    for (let s = 0; s < SECTORS; s++) {
      const sector = bytes.subarray(s * 512, s * 512 + 512);
      assert(sector.every((byte) => byte === sector[0]) && (sector[0] === 1 || sector[0] === 2));
    }
    mixtures.add(bytes.filter((_, i) => i % 512 === 0).join(""));
  }
  assert(mixtures.size > 40);
  assert(mixtures.has("1".repeat(8) + "2".repeat(8)), "pages are lost or kept as a whole, too");
});

Deno.test("MemoryDisk.crash() keeps or loses everything unsynced when told so", () => {
  assert(written(1, 2).crash("keep").readAll("a").every((byte) => byte === 2));
  assert(written(1, 2).crash("lose").readAll("a").every((byte) => byte === 1));
});

Deno.test("MemoryDisk.crash() keeps what a sync covered, whatever the draw", () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = written(1, 2);
    disk.open("a").sync();
    assert(disk.crash(new SeededRandom(seed)).readAll("a").every((byte) => byte === 2));
  }
});

Deno.test("MemoryDisk.crash() lets a prefix of unsynced directory changes happen", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const disk = new MemoryDisk();
    disk.create("a", 1).sync();
    disk.syncDirectory();
    disk.create("b", 1).sync();
    disk.rename("a", "c");
    disk.rename("b", "a");
    disk.remove("c");
    seen.add(disk.crash(new SeededRandom(seed)).list().sort().join());
  }
  assertEquals([...seen].sort(), ["a", "a,b", "a,c", "b,c"]);
});

Deno.test("MemoryDisk.crash() may leave a file that was never synced empty", () => {
  const sizes = new Set<number | undefined>();
  for (let seed = 0; seed < 30; seed++) {
    const disk = new MemoryDisk();
    disk.create("a", 600);
    disk.syncDirectory();
    sizes.add(disk.crash(new SeededRandom(seed)).size("a"));
  }
  assertEquals([...sizes].sort(), [0, 600]);
});

Deno.test("MemoryDisk.crash() keeps lengths apart from bytes: what a file has grown by may be zeros", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const disk = new MemoryDisk();
    const file = disk.create("a", 512);
    file.write(0, new Uint8Array(512).fill(1));
    file.sync();
    disk.syncDirectory();
    file.write(512, new Uint8Array(512).fill(2));
    file.write(1024, new Uint8Array(512).fill(3));
    seen.add(
      disk.crash(new SeededRandom(seed)).readAll("a").filter((_, i) => i % 512 === 0).join(""),
    );
  }
  const lost = ["1", "12", "123", "10", "103", "100", "120"];
  assertEquals([...seen].sort(), lost.sort());
});

Deno.test("MemoryDisk: after a failed sync a later one succeeds and makes nothing durable", () => {
  let lost = 0;
  for (let seed = 0; seed < 20; seed++) {
    const disk = written(1, 2, seed);
    const file = disk.open("a");
    disk.plan({ nth: 1, action: "sync", effect: "io_error" });
    assertThrows(() => file.sync(), "planned");
    file.sync();
    assert(disk.readAll("a").every((byte) => byte === 2), "the cache still shows the write");
    lost += disk.crash("keep").readAll("a").filter((byte) => byte === 1).length / 512;
    file.write(0, new Uint8Array(SECTORS * 512).fill(3));
    file.sync();
    assert(disk.crash("lose").readAll("a").every((byte) => byte === 3), "written again, it lasts");
  }
  assert(lost > 20 * SECTORS / 4 && lost < 20 * SECTORS * 3 / 4);
});

Deno.test("MemoryDisk.plan() strikes each operation once and a failing one changes nothing", () => {
  const actions: readonly (readonly [DiskAction, (disk: MemoryDisk) => void])[] = [
    ["create", (disk) => disk.create("b", 1)],
    ["open", (disk) => disk.open("a")],
    ["read", (disk) => disk.readAll("a")],
    ["write", (disk) => disk.open("a").write(0, new Uint8Array(9).fill(7))],
    ["sync", (disk) => disk.open("a").sync()],
    ["rename", (disk) => disk.rename("a", "b")],
    ["remove", (disk) => disk.remove("a")],
    ["sync_directory", (disk) => disk.syncDirectory()],
  ];
  for (const [action, call] of actions) {
    const disk = written(1, 1);
    disk.plan({ nth: 1, action, effect: "disk_full" });
    const fault = assertThrows(() => call(disk)) as DiskFault;
    assertEquals([fault.kind, fault.action], ["disk_full", action]);
    assertEquals(disk.list(), ["a"]);
    assert(disk.readAll("a").every((byte) => byte === 1));
    call(disk);
  }
});

Deno.test("MemoryDisk.plan() tears a write behind the last whole sector it was told", () => {
  const disk = written(1, 1);
  disk.plan({ nth: 1, action: "write", effect: "io_error", tornBytes: 1000 });
  let told: DiskFault | undefined;
  disk.open("a").writeDurably(2, new Uint8Array(3000).fill(7), (fault) => told = fault);
  assertEquals(told?.kind, "io_error");
  const bytes = disk.readAll("a");
  assertEquals([bytes.indexOf(7), bytes.lastIndexOf(7)], [2, 511]);
});

Deno.test("MemoryDisk.plan() crashes for good, with the operation's effect left to chance", () => {
  const disk = written(1, 1);
  disk.plan({ nth: 1, effect: "crash" });
  assertThrows(() => disk.rename("a", "b"), CrashSignal);
  assertThrows(() => disk.list(), CrashSignal);
  assertThrows(() => disk.readAll("a"), CrashSignal);
  assertEquals([disk.crash("keep").list(), disk.crash("lose").list()], [["b"], ["a"]]);
});

Deno.test("MemoryDisk.settle() ends deferred work in order, and not before", () => {
  const disk = new MemoryDisk({ deferred: true });
  const file = disk.create("a", 4);
  disk.syncDirectory();
  const told: string[] = [];
  file.writeDurably(0, new Uint8Array([1]), () => told.push("first"));
  file.syncLater(() => told.push("second"));
  assertEquals(told, []);
  assertEquals(disk.crash("lose").size("a"), 0);
  disk.settle();
  assertEquals(told, ["first", "second"]);
  assertEquals([...disk.crash("lose").readAll("a")], [1, 0, 0, 0]);
});

/** A disk whose file `a` holds `synced` everywhere, and unsynced `unsynced` everywhere on top. */
function written(synced: number, unsynced: number, seed = 0): MemoryDisk {
  const disk = new MemoryDisk({ seed });
  const file = disk.create("a", SECTORS * 512);
  disk.syncDirectory();
  file.write(0, new Uint8Array(SECTORS * 512).fill(synced));
  file.sync();
  if (unsynced !== synced) file.write(0, new Uint8Array(SECTORS * 512).fill(unsynced));
  return disk;
}

Deno.test("a power failure in an operation that had no room is a power failure", () => {
  const disk = new MemoryDisk();
  disk.capacityBytes = 0;
  disk.plan({ nth: 1, effect: "crash" });
  assertThrows(() => disk.create("a", 4_096), CrashSignal);
});
