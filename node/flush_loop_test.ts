// Group commit stands on this loop: one batch on its way at a time, the next as soon as it is over, and a failure told once and
// never followed by another write.
import { assert, assertEquals } from "@std/assert";
import { open, putNext, SMALL } from "../tests/support/log_driver.ts";
import { MemoryDisk } from "../testbed/sim/disk/memory_disk.ts";
import { FlushLoop } from "./flush_loop.ts";

/** A loop over a real log, with turns and disk under the test's control. */
class Room {
  readonly disk = new MemoryDisk({ deferred: true });
  readonly writer = openWriter(this.disk);
  readonly told: string[] = [];
  readonly waits: number[] = [];
  nowMs = 0;
  isHolding = false;
  turns: (() => void)[] = [];
  readonly loop = new FlushLoop({
    writer: this.writer,
    nowMs: () => this.nowMs,
    atEndOfTurn: (task) => void this.turns.push(task),
    onSync: (ms) => void this.waits.push(ms),
  });

  constructor() {
    this.disk.settle();
    this.loop.listen({
      holds: () => this.isHolding,
      sealed: () => void this.told.push(`sealed ${this.writer.sealedOp}`),
      durable: () => void this.told.push("durable"),
      failed: (fault) => void this.told.push(`failed ${fault.kind}`),
    });
  }

  put(): void {
    assert(putNext(this.writer) !== undefined);
    this.loop.request();
  }

  turn(): void {
    for (const task of this.turns.splice(0)) task();
  }
}

function openWriter(disk: MemoryDisk) {
  const { recovery } = open(disk, SMALL);
  assert(recovery.kind === "recovered");
  return recovery.writer;
}

Deno.test("FlushLoop.request() flushes all of a turn together, at its end", () => {
  const room = new Room();
  assertEquals(room.loop.request(), true);
  for (let i = 0; i < 3; i++) {
    assert(putNext(room.writer) !== undefined);
    assertEquals(room.loop.request(), false);
  }
  assertEquals([room.turns.length, room.told], [1, []]);
  room.turn();
  assertEquals(room.told, ["sealed 3"]);
  room.nowMs = 7;
  room.disk.settle();
  assertEquals(room.told, ["sealed 3", "durable"]);
  assertEquals([room.loop.syncs, room.waits], [{ count: 1, lastMs: 7 }, [7]]);
});

Deno.test("FlushLoop flushes nothing when there is nothing", () => {
  const room = new Room();
  room.loop.request();
  room.turn();
  room.disk.settle();
  assertEquals([room.told, room.turns.length, room.loop.syncs.count], [[], 0, 0]);
});

Deno.test("FlushLoop has one batch under way at a time, and begins with the next when it is over", () => {
  const room = new Room();
  room.put();
  room.turn();
  room.put();
  room.turn();
  room.put();
  room.turn();
  assertEquals(room.told, ["sealed 1"]);
  room.disk.settle();
  assertEquals(room.told, ["sealed 1", "durable"]);
  assertEquals(room.turns.length, 1, "asked for by the loop itself");
  room.turn();
  room.disk.settle();
  assertEquals(room.told, ["sealed 1", "durable", "sealed 3", "durable"]);
  assertEquals([room.turns.length, room.loop.syncs.count], [0, 2]);
});

Deno.test("FlushLoop lets a batch gather as long as its listener wants, and flushes it when it is asked again", () => {
  const room = new Room();
  room.isHolding = true;
  for (let i = 0; i < 3; i++) {
    room.put();
    room.turn();
  }
  assertEquals([room.told, room.turns.length], [[], 0]);
  room.isHolding = false;
  room.loop.request();
  room.turn();
  room.disk.settle();
  assertEquals(room.told, ["sealed 3", "durable"]);
});

Deno.test("FlushLoop tells a failure once, and writes nothing behind it", () => {
  for (const action of ["write", "sync"] as const) {
    const room = new Room();
    room.put();
    room.disk.plan({ nth: 1, action, effect: "io_error" });
    room.turn();
    assert(putNext(room.writer) === undefined || action === "sync");
    room.loop.request();
    room.turn();
    room.disk.settle();
    assertEquals(room.told.filter((text) => text.startsWith("failed")), ["failed io_error"]);
    const { operations } = room.disk;
    room.loop.request();
    room.turn();
    room.disk.settle();
    assertEquals(room.told.filter((text) => text.startsWith("failed")), ["failed io_error"]);
    assertEquals([room.disk.operations, room.turns.length], [operations, 0]);
  }
});

Deno.test("FlushLoop.stop() writes nothing more, and nobody hears of what was under way", () => {
  const before = new Room();
  before.put();
  before.loop.stop();
  const { operations } = before.disk;
  before.turn();
  assertEquals([before.told, before.disk.operations], [[], operations]);
  const during = new Room();
  during.put();
  during.turn();
  during.put();
  during.loop.stop();
  during.disk.settle();
  during.turn();
  assertEquals(during.told, ["sealed 1"]);
  assertEquals([during.loop.syncs.count, during.waits], [0, []]);
});
