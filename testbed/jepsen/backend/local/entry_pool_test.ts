// What replicas have in common comes out of the pool as it went in, whatever its length.
import { assertEquals, assertStrictEquals } from "@std/assert";
import { append, openWriter } from "../../../../tests/support/log_driver.ts";
import { frameRun, IDENTITY, segmentImage } from "../../../../tests/support/log_frames.ts";
import { MemoryDisk } from "../../../sim/disk/memory_disk.ts";
import type { LogPiece } from "../../evidence/evidence.ts";
import { EntryPool } from "./entry_pool.ts";
import { LogCollector } from "./log_collector.ts";

/** All of one replica's log, which has one piece. */
function collected(pool: EntryPool, id: number, disk: MemoryDisk, upTo: bigint): LogPiece {
  const collector = new LogCollector(id, disk, IDENTITY, pool);
  collector.collect(upTo);
  const [piece, ...others] = collector.pieces();
  assertEquals(others, []);
  return piece!;
}

Deno.test("EntryPool keeps what replicas have in common once, and what they differ in for each", () => {
  const pool = new EntryPool();
  const disks = [new MemoryDisk(), new MemoryDisk(), new MemoryDisk()];
  const pieces = disks.map((disk, i) => {
    append(openWriter(disk), [2], i === 2 ? 1 : 0);
    return collected(pool, i + 1, disk, 2n);
  });
  const [one, same, other] = pieces.map(({ entries }) => [...entries]);
  assertEquals(one, same);
  assertStrictEquals(one![1]!.payload.buffer, same![1]!.payload.buffer);
  assertEquals(one!.map(({ view }) => view), [1n, 1n]);
  assertEquals(other!.map(({ view }) => view), [2n, 2n]);
});

Deno.test("EntryPool gives back payloads of every length, across chunks and slabs", () => {
  const lengths = (i: number): number => i % 1_000 === 7 ? 65_530 + i % 20 : i % 90;
  const frames = frameRun(Array.from({ length: 900 }, () => 10), lengths);
  const bytes = frames.reduce((sum, { payload }) => sum + payload.length + 128, 4_096);
  const disk = new MemoryDisk();
  disk.install("state.wal", segmentImage(1n, undefined, frames, (bytes + 4_095) & ~4_095));
  const pool = new EntryPool();
  const pieces = [1, 2].map((id) => collected(pool, id, disk, 9_000n));
  for (const { entries } of pieces) {
    assertEquals(entries.length, frames.length);
    for (const [i, { op, lsn, slot, view, previousHash, payload }] of [...entries].entries()) {
      const wanted = frames[i]!;
      assertEquals([BigInt(op), BigInt(lsn), slot], [wanted.op, wanted.lsn, wanted.slot]);
      assertEquals([view, previousHash], [wanted.view, wanted.previousHash]);
      assertEquals(payload, wanted.payload);
    }
    assertEquals(entries.at(-1)!.op, 9_000);
    assertEquals([entries.at(9_000), entries.at(-9_001)], [undefined, undefined]);
  }
});
