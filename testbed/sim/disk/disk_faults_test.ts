// Each way in which a disk in memory does worse than the port promises can be seen through the port, and is gone when
// the disk is healed: what a judge calls damage is damage, and nothing else is.
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { DiskFault } from "../../../node/disk.ts";
import { SeededRandom } from "../random.ts";
import { MemoryDisk } from "./memory_disk.ts";

/** Two files of three pages, 1 and 2 everywhere. */
function twoFiles(): MemoryDisk {
  const disk = new MemoryDisk();
  for (const [name, byte] of [["a", 1], ["b", 2]] as const) {
    const file = disk.create(name, 12_288);
    file.write(0, new Uint8Array(12_288).fill(byte));
    file.sync();
  }
  disk.syncDirectory();
  return disk;
}

/** The first byte of each sector. */
function sectors(disk: MemoryDisk, name: string): string {
  return disk.readAll(name).filter((_, i) => i % 512 === 0).join("");
}

const whole = (digit: string): string => digit.repeat(24);

Deno.test("MemoryDisk.rot() flips bits for every reader, crash or not, until it heals", () => {
  const disk = twoFiles();
  disk.rot("a", 700, 5);
  const into = new Uint8Array(1);
  disk.open("a").read(700, into);
  assertEquals([into[0], disk.readAll("a")[700], disk.contents("a")[700]], [4, 4, 1]);
  const after = disk.crash("lose");
  assertEquals([after.readAll("a")[700], after.readAll("a")[701]], [4, 1]);
  assertEquals([disk.damagedSectors("a"), disk.damagedSectors("b")], [[512], []]);
  disk.rot("a", 700, 5);
  assertEquals(disk.readAll("a")[700], 1, "the same bit again");
  disk.heal();
  after.heal();
  assertEquals([disk.readAll("a")[700], after.readAll("a")[700]], [1, 1]);
  assertEquals(disk.damagedSectors("a"), []);
});

Deno.test("MemoryDisk.makeUnreadable() fails reads that touch the sectors, and no others, until they are written", () => {
  const disk = twoFiles();
  disk.makeUnreadable("a", 1_000, 1_100);
  const file = disk.open("a");
  const read = (at: number, bytes: number): number => file.read(at, new Uint8Array(bytes));
  assertEquals([read(0, 512), read(1_536, 4_096)], [512, 4_096]);
  for (const [at, bytes] of [[0, 513], [600, 1], [1_500, 100]] as const) {
    const fault = assertThrows(() => read(at, bytes)) as DiskFault;
    assertEquals([fault.kind, fault.action, fault.file], ["io_error", "read", "a"]);
  }
  assertThrows(() => disk.readAll("a"));
  assertThrows(() => disk.crash("keep").readAll("a"));
  file.write(512, new Uint8Array(1_024).fill(3));
  assertEquals(sectors(disk, "a"), "133" + "1".repeat(21));
  assertEquals(disk.visible("b"), disk.contents("b"));
});

Deno.test("MemoryDisk.divert() loses one write that it reports, through syncs and crashes", () => {
  const disk = twoFiles();
  disk.divert({ file: "a", from: 4_096, to: 8_192 });
  const file = disk.open("a");
  file.write(0, new Uint8Array(512).fill(3));
  assert(disk.isDiverting, "another place");
  file.write(4_096, new Uint8Array(1_024).fill(4));
  assert(!disk.isDiverting);
  file.write(8_192, new Uint8Array(512).fill(5));
  file.sync();
  const found = "3" + "1".repeat(15) + "5" + "1".repeat(7);
  assertEquals([sectors(disk, "a"), sectors(disk.crash("lose"), "a")], [found, found]);
  disk.heal();
  assertEquals(
    sectors(disk, "a"),
    "3" + "1".repeat(7) + "44" + "1".repeat(6) + "5" + "1".repeat(7),
  );
});

Deno.test("MemoryDisk.divert() lands a write on the same place of another page, of this file or another", () => {
  for (const landing of ["a", "b"]) {
    const disk = twoFiles();
    disk.divert({ file: "a", landing: { file: landing, page: 2 } });
    disk.open("a").writeDurably(
      4_608,
      new Uint8Array(1_024).fill(7),
      (fault) => assertEquals(fault, undefined),
    );
    const old = landing === "a" ? "1" : "2";
    const struck = old.repeat(17) + "77" + old.repeat(5);
    assertEquals(sectors(disk, landing), struck);
    assertEquals(sectors(disk, "a"), landing === "a" ? struck : whole("1"));
    assertEquals(sectors(disk.crash(new SeededRandom(1)), landing), struck);
    disk.heal();
    assertEquals(sectors(disk, "b"), whole("2"));
    assertEquals(sectors(disk, "a"), "1".repeat(9) + "77" + "1".repeat(13));
  }
});

Deno.test("MemoryDisk.landOn() and loseWritten() do the same to what was written long ago", () => {
  const disk = twoFiles();
  disk.loseWritten("a", 4_096, 8_192);
  disk.landOn("b", 8_192, disk.contents("a").subarray(4_096, 8_192));
  assertEquals(sectors(disk, "a"), "1".repeat(8) + "0".repeat(8) + "1".repeat(8));
  assertEquals(sectors(disk, "b"), "2".repeat(16) + "1".repeat(8));
  disk.landOn("b", 12_288 - 512, new Uint8Array(4_096).fill(9));
  assertEquals(disk.size("b"), 12_288, "nothing lands behind the end");
  disk.heal();
  assertEquals([sectors(disk, "a"), sectors(disk, "b")], [whole("1"), whole("2")]);
});

Deno.test("MemoryDisk.capacityBytes lets a write go as far as there is room, counts pages, and gives room back", () => {
  const disk = twoFiles();
  assertEquals(disk.usedBytes, 24_576);
  disk.capacityBytes = 24_576 + 8_192;
  const file = disk.create("c", 1 << 20);
  assertEquals(disk.usedBytes, 24_576, "zeros take no room");
  const fault = assertThrows(() => file.write(5_000, new Uint8Array(20_000).fill(7))) as DiskFault;
  assertEquals([fault.kind, fault.action, fault.file], ["disk_full", "write", "c"]);
  const found = disk.readAll("c");
  assertEquals([found.indexOf(7), found.lastIndexOf(7)], [5_000, 12_287]);
  file.write(4_096, new Uint8Array(8_192).fill(8));
  assertEquals((assertThrows(() => disk.create("d", 1)) as DiskFault).kind, "disk_full");
  disk.remove("a");
  assertEquals(disk.usedBytes, 12_288 + 8_192);
  file.write(12_288, new Uint8Array(4_096).fill(9));
  assertEquals(disk.crash("keep").usedBytes, disk.usedBytes);
  disk.relieve();
  disk.create("d", 1);
});

Deno.test("MemoryDisk.failing strikes everything that changes the disk, or one kind of it", () => {
  const disk = twoFiles();
  const changes = [
    () => disk.create("c", 1),
    () => disk.open("a").write(0, new Uint8Array(1)),
    () => disk.open("a").sync(),
    () => disk.rename("a", "c"),
    () => disk.remove("a"),
    () => disk.syncDirectory(),
  ];
  disk.failing = "read_only";
  for (const change of changes) {
    assertEquals((assertThrows(change) as DiskFault).kind, "read_only");
  }
  disk.failing = "io_error";
  disk.failingAction = "rename";
  disk.open("a").write(0, new Uint8Array(1));
  assertEquals((assertThrows(() => disk.rename("a", "c")) as DiskFault).action, "rename");
  assertEquals(disk.list().sort(), ["a", "b"]);
  disk.relieve();
  for (const change of changes) change();
});

Deno.test("MemoryDisk.relieve() leaves damage alone", () => {
  const disk = twoFiles();
  disk.rot("a", 0, 1);
  disk.plan({ nth: 1, effect: "crash" });
  disk.divert({ file: "a" });
  disk.relieve();
  disk.open("b").write(0, new Uint8Array(512));
  assertEquals([disk.isDiverting, disk.damagedSectors("a")], [false, [0]]);
});
