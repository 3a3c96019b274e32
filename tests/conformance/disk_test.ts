// Every implementation of the disk port keeps the same promises, so that what is proved on the one in
// memory holds on the real one. Each test runs against each implementation.
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { type Disk, DiskFault, type DiskFile } from "../../node/disk.ts";
import { DenoDisk } from "../../node/io/deno_disk.ts";
import { FaultyDisk } from "../../node/io/faulty_disk.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";

type WithDisk = (body: (disk: Disk) => void | Promise<void>) => Promise<void>;

const IMPLEMENTATIONS: readonly (readonly [string, WithDisk])[] = [
  ["DenoDisk", async (body) => {
    const directory = await Deno.makeTempDir({ prefix: "allocdb-disk-" });
    try {
      await body(new DenoDisk(directory));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }],
  ["MemoryDisk", async (body) => await body(new MemoryDisk())],
  ["FaultyDisk", async (body) => await body(new FaultyDisk(new MemoryDisk(), {}))],
];

const SOME = new Uint8Array([1, 2, 3, 4, 5]);

for (const [name, withDisk] of IMPLEMENTATIONS) {
  const promise = (text: string, body: (disk: Disk) => void | Promise<void>) =>
    Deno.test(`${name}: ${text}`, () => withDisk(body));

  promise("create() makes a file of exactly the length, all zero", (disk) => {
    using file = opened(disk.create("a", 70_000));
    assertEquals(disk.size("a"), 70_000);
    assertEquals(file.name, "a");
    assert(disk.readAll("a").every((byte) => byte === 0));
    assertEquals(disk.readAll("a").length, 70_000);
  });

  promise("create() empties a file that was there", (disk) => {
    disk.create("a", 10).close();
    using before = opened(disk.open("a"));
    before.write(0, SOME);
    disk.create("a", 3).close();
    assertEquals(disk.readAll("a"), new Uint8Array(3));
  });

  promise("write() puts bytes at their place and nowhere else", (disk) => {
    using file = opened(disk.create("a", 12));
    file.write(6, SOME);
    file.write(1, SOME.subarray(0, 2));
    file.write(3, new Uint8Array());
    file.sync();
    assertEquals([...disk.readAll("a")], [0, 1, 2, 0, 0, 0, 1, 2, 3, 4, 5, 0]);
  });

  promise("write() behind the end makes the file longer", (disk) => {
    using file = opened(disk.create("a", 2));
    file.write(4, SOME);
    assertEquals([...disk.readAll("a")], [0, 0, 0, 0, 1, 2, 3, 4, 5]);
  });

  promise("write() takes a part of a larger buffer", (disk) => {
    using file = opened(disk.create("a", 4));
    file.write(1, SOME.subarray(2, 4));
    assertEquals([...disk.readAll("a")], [0, 3, 4, 0]);
  });

  promise("read() fills what there is and says how much", (disk) => {
    using file = opened(disk.create("a", 8));
    file.write(3, SOME);
    const into = new Uint8Array(4).fill(9);
    assertEquals([file.read(2, into), ...into], [4, 0, 1, 2, 3]);
    assertEquals([file.read(6, into), ...into], [2, 4, 5, 2, 3]);
    assertEquals(file.read(8, into), 0);
    assertEquals(file.read(100, into), 0);
  });

  promise("reads and writes at different places do not disturb each other", (disk) => {
    using file = opened(disk.create("a", 16));
    using other = opened(disk.open("a"));
    file.write(0, SOME);
    other.write(8, SOME);
    const into = new Uint8Array(2);
    file.read(9, into);
    file.write(14, into);
    assertEquals([...disk.readAll("a")], [1, 2, 3, 4, 5, 0, 0, 0, 1, 2, 3, 4, 5, 0, 2, 3]);
  });

  promise("writeDurably() writes all and tells its end once", async (disk) => {
    using file = opened(disk.create("a", 5));
    assertEquals(await ended((done) => file.writeDurably(0, SOME, done)), undefined);
    assertEquals(disk.readAll("a"), SOME);
  });

  promise("syncLater() tells its end once", async (disk) => {
    using file = opened(disk.create("a", 5));
    file.write(0, SOME);
    assertEquals(await ended((done) => file.syncLater(done)), undefined);
  });

  promise("list() and size() know the files and no others", (disk) => {
    assertEquals(disk.list(), []);
    disk.create("b", 1).close();
    disk.create("a", 2).close();
    assertEquals(disk.list().sort(), ["a", "b"]);
    assertEquals(disk.size("b"), 1);
    assertEquals(disk.size("c"), undefined);
  });

  promise("rename() replaces the target and takes open files along", (disk) => {
    disk.create("b", 1).close();
    using file = opened(disk.create("a", 5));
    disk.rename("a", "b");
    file.write(0, SOME);
    disk.syncDirectory();
    assertEquals(disk.list(), ["b"]);
    assertEquals(disk.readAll("b"), SOME);
  });

  promise("remove() removes a file and minds none that is missing", (disk) => {
    disk.create("a", 1).close();
    disk.remove("a");
    disk.remove("a");
    disk.syncDirectory();
    assertEquals(disk.list(), []);
  });

  promise("a missing file is a not_found fault that names action and file", (disk) => {
    for (
      const [action, call] of [
        ["open", () => disk.open("none")],
        ["read", () => disk.readAll("none")],
        ["rename", () => disk.rename("none", "other")],
      ] as const
    ) {
      const fault = assertThrows(call);
      assertInstanceOf(fault, DiskFault);
      assertEquals([fault.kind, fault.action, fault.file], ["not_found", action, "none"]);
    }
  });
}

Deno.test("DenoDisk: a missing directory is a not_found fault", () => {
  const disk = new DenoDisk("/nonexistent-allocdb");
  for (const call of [() => disk.list(), () => disk.create("a", 1), () => disk.syncDirectory()]) {
    const fault = assertThrows(call);
    assertInstanceOf(fault, DiskFault);
    assertEquals(fault.kind, "not_found");
  }
});

Deno.test({
  name: "DenoDisk: a full device is a disk_full fault, thrown or told",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using file = opened(new DenoDisk("/dev").open("full"));
    const thrown = assertThrows(() => file.write(0, SOME));
    assertInstanceOf(thrown, DiskFault);
    const told = await ended((done) => file.writeDurably(0, SOME, done));
    assertEquals([thrown.kind, told?.kind, told?.action], ["disk_full", "disk_full", "write"]);
  },
});

/** The file, closed at the end of the block. */
function opened(file: DiskFile): DiskFile & Disposable {
  return Object.assign(file, { [Symbol.dispose]: () => file.close() });
}

/** How durable work ended; waits for it, and lets a second call fail the test. */
async function ended(
  start: (done: (fault: DiskFault | undefined) => void) => void,
): Promise<DiskFault | undefined> {
  let calls = 0;
  const fault = await new Promise<DiskFault | undefined>((resolve) =>
    start((fault) => {
      calls++;
      resolve(fault);
    })
  );
  await Promise.resolve();
  assertEquals(calls, 1);
  return fault;
}
