// Fault injection must strike what its table says and nothing else: a verb that silently does nothing
// would make every test with it pass.
import { assertEquals, assertThrows } from "@std/assert";
import { DiskFault } from "../disk.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { type FaultTable, FaultyDisk } from "./faulty_disk.ts";

const NINE = new Uint8Array(4).fill(9);

Deno.test("FaultyDisk fails the operations of its table after those it skips, as often as told", () => {
  const table: FaultTable = { write: { fault: "disk_full", skip: 1, times: 2 } };
  const file = new FaultyDisk(new MemoryDisk(), table).create("a", 8);
  file.write(0, NINE);
  for (let i = 0; i < 2; i++) assertThrows(() => file.write(0, NINE), DiskFault, "Cannot write a");
  file.write(4, NINE);
});

Deno.test("FaultyDisk tears a failing write behind a whole sector and follows changes of its table", () => {
  const inner = new MemoryDisk();
  const table: FaultTable = {};
  const file = new FaultyDisk(inner, table).create("a", 2000);
  table.write = { fault: "io_error", tornBytes: 1100 };
  let told: DiskFault | undefined;
  file.writeDurably(100, new Uint8Array(1500).fill(9), (fault) => told = fault);
  assertEquals([told?.kind, told?.action], ["io_error", "write"]);
  const written = inner.readAll("a");
  assertEquals([written.indexOf(9), written.lastIndexOf(9)], [100, 1023]);
});

Deno.test("FaultyDisk fails a durable write at its sync: written, not durable", () => {
  const inner = new MemoryDisk();
  const file = new FaultyDisk(inner, { sync: { fault: "io_error" } }).create("a", 4);
  inner.open("a").sync();
  inner.syncDirectory();
  let told: DiskFault | undefined;
  file.writeDurably(0, NINE, (fault) => told = fault);
  assertEquals([told?.kind, told?.action], ["io_error", "sync"]);
  assertEquals(inner.readAll("a"), NINE);
  assertEquals(inner.crash("lose").readAll("a"), new Uint8Array(4));
});

Deno.test("FaultyDisk tells the end of durable work as late as its table says", () => {
  const waiting: (readonly [number, () => void])[] = [];
  const table: FaultTable = { sync: { delayMs: 40 } };
  const disk = new FaultyDisk(new MemoryDisk(), table, (ms, run) => waiting.push([ms, run]));
  const file = disk.create("a", 4);
  const told: string[] = [];
  file.writeDurably(0, NINE, () => told.push("write"));
  file.syncLater(() => told.push("sync"));
  assertEquals([told, waiting.map(([ms]) => ms)], [[], [40, 40]]);
  for (const [, run] of waiting) run();
  assertEquals(told, ["write", "sync"]);
});

Deno.test("FaultyDisk fails each kind of operation by its own rule", () => {
  const table: FaultTable = {};
  const disk = new FaultyDisk(new MemoryDisk(), table);
  disk.create("a", 4);
  const calls = {
    create: () => disk.create("b", 1),
    open: () => disk.open("a"),
    read: () => disk.readAll("a"),
    rename: () => disk.rename("a", "b"),
    remove: () => disk.remove("a"),
    sync_directory: () => disk.syncDirectory(),
  } as const;
  for (const action of Object.keys(calls) as (keyof typeof calls)[]) {
    table[action] = { fault: "read_only", times: 1 };
    assertThrows(calls[action], DiskFault);
    calls[action]();
    delete table[action];
    if (action === "rename") disk.rename("b", "a");
  }
});
