// Batches that stay in memory are what peers that lag and entries that wait for a majority are served from. Their memory
// is used again: too early and somebody reads another batch's bytes, never and the node eats itself up.
import { assert, assertEquals } from "@std/assert";
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { append, flush, openWriter, put } from "../../tests/support/log_driver.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { DiskFault } from "../disk.ts";
import type { LogWriter } from "./store.ts";

function opOf(writer: LogWriter): bigint {
  return readU64(writer.tip, TipWord.op);
}

Deno.test("LogWriter uses two batches in turn when nobody asked it to retain any", () => {
  const writer = openWriter(new MemoryDisk());
  const buffers = new Set<unknown>();
  for (let i = 0; i < 50; i++) {
    append(writer, [2]);
    assertEquals(writer.retained.length, 1);
    buffers.add(writer.flushed.buffer);
  }
  assertEquals(buffers.size, 2);
});

Deno.test("LogWriter uses two batches in turn when each is released before the next flush", () => {
  const writer = openWriter(new MemoryDisk(), { retain: true });
  const buffers = new Set<unknown>();
  for (let i = 0; i < 50; i++) {
    append(writer, [2]);
    buffers.add(writer.flushed.buffer);
    writer.release(opOf(writer));
    assertEquals([writer.retained.length, writer.retainedBytes], [0, 0]);
  }
  assertEquals(buffers.size, 2);
});

Deno.test("LogWriter.retained holds what was flushed, without a gap, until it is released", () => {
  const writer = openWriter(new MemoryDisk(), { retain: true });
  append(writer, [2, 3, 1]);
  put(writer);
  const spans = writer.retained.map(({ firstOp, lastOp }) => [firstOp, lastOp]);
  assertEquals(spans, [[1n, 2n], [3n, 5n], [6n, 6n]]);
  for (const [i, { base, tip, bytes }] of writer.retained.entries()) {
    assertEquals(tip, writer.retained[i + 1]?.base ?? writer.durableTip);
    assertEquals(writer.tipAt(readU64(base, TipWord.op)), base);
    assert(bytes > 0);
  }
  writer.release(4n);
  assertEquals(writer.retained.map(({ firstOp }) => firstOp), [3n, 6n]);
  assertEquals(writer.retainedBytes, writer.retained[0]!.bytes + writer.retained[1]!.bytes);
  writer.release(5n);
  assertEquals(writer.retained.map(({ firstOp }) => firstOp), [6n]);
});

Deno.test("LogWriter.releaseBeyond() lets go of the oldest batches, and of none that is still wanted", () => {
  const writer = openWriter(new MemoryDisk(), { retain: true });
  append(writer, [1, 1, 1, 1, 1]);
  const batch = writer.retained[0]!.buffer.bytes.length;
  const kept = (bytesMax: number, op: bigint): bigint | undefined => {
    writer.releaseBeyond(bytesMax, op);
    return writer.retained[0]?.firstOp;
  };
  assertEquals(kept(5 * batch, 5n), 1n);
  assertEquals(kept(4 * batch, 0n), 1n);
  assertEquals(kept(4 * batch, 5n), 2n);
  assertEquals(kept(2 * batch - 1, 3n), 4n);
  assertEquals(kept(0, 5n), undefined);
});

Deno.test("LogWriter.release() never takes the batch that is being written", () => {
  const disk = new MemoryDisk({ deferred: true });
  const writer = openWriter(disk, { retain: true });
  put(writer);
  let told: DiskFault | undefined | "waiting" = "waiting";
  writer.flush((fault) => told = fault);
  const { buffer, bytes } = writer.flushed;
  const before = buffer.bytes.slice(0, bytes);
  writer.release(opOf(writer));
  writer.releaseBeyond(0, opOf(writer));
  assertEquals(writer.retained.length, 1);
  for (let i = 0; i < 3; i++) put(writer);
  assertEquals(buffer.bytes.slice(0, bytes), before);
  disk.settle();
  assertEquals(told, undefined);
  writer.release(opOf(writer));
  assertEquals(writer.retained.length, 0);
});

Deno.test("LogWriter.whenQuiet() waits for the flush that is under way, and for one begun meanwhile", () => {
  const disk = new MemoryDisk({ deferred: true });
  const writer = openWriter(disk);
  const order: string[] = [];
  writer.whenQuiet(() => order.push("at once"));
  put(writer);
  writer.flush(() => {
    order.push("first flush");
    put(writer);
    writer.flush(() => order.push("second flush"));
  });
  writer.whenQuiet(() => {
    assert(!writer.isFlushing);
    order.push("quiet");
    put(writer);
    writer.flush(() => order.push("third flush"));
  });
  writer.whenQuiet(() => order.push("quiet again"));
  disk.settle();
  assertEquals(order, [
    "at once",
    "first flush",
    "second flush",
    "quiet",
    "third flush",
    "quiet again",
  ]);
  assertEquals(flushEmpty(writer), undefined);
});

function flushEmpty(writer: LogWriter): DiskFault | undefined {
  assertEquals(writer.pendingBytes, 0);
  return flush(writer);
}
