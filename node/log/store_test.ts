// The writer turns "written" into "durable" and must never say so too early, nor go on after a fault. Run on
// the disk in memory, which ends durable work only when told to.
import { viewOf } from "../../tests/support/log_frames.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../../core/assert.ts";
import { FrameCursor, FrameKind } from "../../core/log_frame.ts";
import { SEGMENT_HEADER_BYTES } from "../../core/log_segment.ts";
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import {
  append,
  flush,
  open,
  openWriter,
  put,
  putNext,
  readBack,
  SMALL,
  textOf,
  wordsOf,
} from "../../tests/support/log_driver.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { DiskFault } from "../disk.ts";
import { sealedName } from "./files.ts";
import type { LogWriter } from "./store.ts";

Deno.test("LogWriter.flush() makes a batch durable with one write and one sync", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk, { zeroAheadBytes: 0 });
  for (let i = 0; i < 5; i++) putNext(writer);
  const before = disk.operations;
  assertEquals(flush(writer), undefined);
  assertEquals(disk.operations - before, 2);
  assertEquals(open(disk.crash("lose")).frames.length, 5);
});

Deno.test("LogWriter collects the next batch while one is under way", () => {
  const disk = new MemoryDisk({ deferred: true });
  const writer = openWriter(disk);
  const ends: string[] = [];
  const texts = [put(writer), put(writer)];
  writer.flush(() => ends.push("first"));
  texts.push(put(writer));
  assertEquals([writer.isFlushing, ends, readU64(writer.syncedOp, 0)], [true, [], 0n]);
  assertEquals(open(disk.crash("lose")).frames, []);
  disk.settle();
  assertEquals([writer.isFlushing, ends, readU64(writer.syncedOp, 0)], [false, ["first"], 2n]);
  assertEquals(open(disk.crash("lose")).frames, texts.slice(0, 2));
  writer.flush(() => ends.push("second"));
  disk.settle();
  assertEquals(readU64(writer.syncedOp, 0), 3n);
  assertEquals(open(disk.crash("lose")).frames, texts);
});

Deno.test("LogWriter.flush() seals frames with what is durable then, not when they were put", () => {
  const disk = new MemoryDisk({ deferred: true });
  const writer = openWriter(disk);
  put(writer);
  writer.flush(() => {});
  put(writer);
  disk.settle();
  writer.flush(() => {});
  disk.settle();
  const { recovery } = open(disk.crash("lose"));
  assertEquals(recovery.kind === "recovered" && recovery.facts.framesUncertain, 1);
});

Deno.test("LogWriter.flush() refuses to be called twice and ends at once when nothing waits", () => {
  const disk = new MemoryDisk({ deferred: true });
  const writer = openWriter(disk);
  const before = disk.operations;
  assertEquals(flush(writer), undefined);
  assertEquals(disk.operations, before);
  put(writer);
  writer.flush(() => {});
  assertThrows(() => writer.flush(() => {}), AssertionFailure, "log/one-flush-at-a-time");
});

Deno.test("LogWriter.flushed shows the bytes of the last flush, and durableTip its end", () => {
  const writer = openWriter(new MemoryDisk());
  append(writer, [3]);
  const texts = append(writer, [2]);
  const { buffer, bytes } = writer.flushed;
  const frame = new FrameCursor();
  frame.buffer = buffer;
  const seen: string[] = [];
  for (frame.at = 0; frame.at < bytes; frame.at = frame.end) seen.push(textOf(frame));
  assertEquals(seen, texts);
  assertEquals(readU64(writer.durableTip, TipWord.op), 5n);
});

Deno.test("LogWriter.put() answers false when the batch is full, and takes the frame after a flush", () => {
  const writer = openWriter(new MemoryDisk());
  let count = 0;
  while (putNext(writer) !== undefined) count++;
  assert(count > 5 && writer.pendingBytes <= 1024 && writer.pendingBytes > 1024 - 272);
  assertEquals(readU64(writer.tip, TipWord.op), BigInt(count));
  assertEquals(flush(writer), undefined);
  assert(putNext(writer) !== undefined);
  assertEquals(readU64(writer.tip, TipWord.op), BigInt(count + 1));
});

Deno.test("LogWriter.put() refuses what would break the order, and a payload above its bound", () => {
  const writer = openWriter(new MemoryDisk());
  append(writer, [4]);
  const { tip } = writer;
  const lsn = readU64(tip, TipWord.lsn);
  const slot = readU64(tip, TipWord.slot);
  const putting = (kind: FrameKind, lsn: bigint, slot: bigint, view: bigint, length = 1) => () =>
    writer.put(
      kind,
      wordsOf(lsn),
      wordsOf(slot),
      wordsOf(view),
      viewOf(new Uint8Array(length).fill(1)),
      0,
      length,
    );
  const command = FrameKind.client_command;
  const follows = "log/frame-follows-the-last";
  assertThrows(putting(command, lsn, slot, 1n), AssertionFailure, follows);
  assertThrows(putting(command, lsn + 2n, slot, 1n), AssertionFailure, follows);
  assertThrows(putting(FrameKind.protocol, lsn + 1n, slot, 1n), AssertionFailure, follows);
  assertThrows(putting(command, lsn + 1n, slot - 1n, 1n), AssertionFailure, follows);
  assertThrows(putting(command, lsn + 1n, slot, 0n), AssertionFailure, follows);
  assertThrows(
    putting(command, lsn + 1n, slot, 1n, 201),
    AssertionFailure,
    "log/payload-within-bound",
  );
});

Deno.test("LogWriter starts a new segment when a batch does not fit, and seals the old one by name", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk);
  const texts = append(writer, [5, 5, 5, 5, 5, 5]);
  assert(writer.segments.length >= 3);
  for (const { name, header, end } of writer.segments.slice(0, -1)) {
    assertEquals(name, sealedName(readU64(header.base, TipWord.op) + 1n));
    assertEquals(disk.size(name), SMALL.segmentBytes);
    assert(end > SEGMENT_HEADER_BYTES && end <= SMALL.segmentBytes);
  }
  assertEquals(writer.segments.at(-1)!.name, "state.wal");
  assertEquals(disk.list().sort(), writer.segments.map((segment) => segment.name).sort());
  assertEquals(open(disk.crash("lose")).frames, texts);
});

Deno.test("LogWriter fills a segment to its last byte and goes on in the next", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk, { segmentBytes: 1024, batchBytes: 512 });
  const payload = viewOf(new Uint8Array(60).fill(7));
  for (let op = 1n; op <= 12n; op++) {
    const [slot, view] = [wordsOf(0n), wordsOf(1n)];
    assert(writer.put(FrameKind.client_command, wordsOf(op), slot, view, payload, 0, 60));
    if (op % 4n === 0n) assertEquals(flush(writer), undefined);
  }
  assertEquals(writer.segments.map((segment) => segment.end), [1024, 1024, 1024]);
  assertEquals(open(disk.crash("lose")).frames.length, 12);
});

Deno.test("LogWriter fills each segment with zeros ahead of its end, now and then", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk, { zeroAheadBytes: 1024, segmentBytes: 4096 });
  const operations: number[] = [];
  const payload = viewOf(new Uint8Array(184).fill(7));
  for (let op = 1n; op <= 17n; op++) {
    const before = disk.operations;
    writer.put(FrameKind.client_command, wordsOf(op), wordsOf(0n), wordsOf(1n), payload, 0, 184);
    assertEquals(flush(writer), undefined);
    operations.push(disk.operations - before);
  }
  // A frame is 256 bytes: one more write for every 1,024 + 256 of them, and a rotation behind the 14th.
  assertEquals(operations, [3, 2, 2, 2, 2, 3, 2, 2, 2, 2, 3, 2, 2, 2, 9, 2, 2]);
});

Deno.test("LogWriter.bytesWritten counts durable bytes of frames", () => {
  const disk = new MemoryDisk({ deferred: true });
  const writer = openWriter(disk);
  put(writer);
  const { pendingBytes } = writer;
  writer.flush(() => {});
  assertEquals(writer.bytesWritten, 0);
  disk.settle();
  assertEquals(writer.bytesWritten, pendingBytes);
});

Deno.test("LogWriter: a fault is final, changes nothing afterwards, and costs no acknowledged frame", () => {
  for (const action of ["write", "sync", "create", "rename", "sync_directory"] as const) {
    for (const effect of ["io_error", "disk_full", "read_only"] as const) {
      const disk = new MemoryDisk();
      const writer = openWriter(disk);
      const texts = append(writer, [4, 4]);
      disk.plan({ nth: 1, action, effect, tornBytes: 300 });
      let fault: DiskFault | undefined;
      for (let i = 0; i < 5 && fault === undefined; i++) {
        const batch = [put(writer), put(writer)];
        fault = flush(writer);
        if (fault === undefined) texts.push(...batch);
      }
      assertEquals([fault?.kind, fault?.action], [effect, action]);
      const before = disk.operations;
      assertEquals(putNext(writer), undefined);
      assertEquals([flush(writer), writer.failure], [fault, fault]);
      assertEquals(writer.removeSegmentsThrough(wordsOf(4n)), fault);
      assertEquals(disk.operations, before, "nothing touches the disk any more");
      for (const survival of ["keep", "lose", disk.random] as const) {
        assertEquals(open(disk.crash(survival)).frames.slice(0, texts.length), texts);
      }
    }
  }
});

Deno.test("LogWriter: frames that a failed sync left in memory only are shown once they are durable", () => {
  for (let seed = 0; seed < 30; seed++) {
    const disk = new MemoryDisk({ seed });
    const writer = openWriter(disk, { segmentBytes: 8192 });
    const texts = append(writer, [3, 3]);
    disk.plan({ nth: 1, action: "sync", effect: "io_error" });
    for (let i = 0; i < 6; i++) put(writer);
    assertEquals(flush(writer)?.kind, "io_error");
    // The process restarts, the system does not: its cache still shows every frame.
    const { frames } = open(disk);
    assertEquals([frames.length, frames.slice(0, 6)], [12, texts]);
    assertEquals(open(disk.crash("lose")).frames, frames);
  }
});

Deno.test("LogWriter.removeSegmentsThrough() deletes what is covered as a whole, never the active segment", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk);
  const texts = append(writer, [5, 5, 5, 5, 5, 5]);
  const firstOps = writer.segments.map(({ header }) => readU64(header.base, TipWord.op) + 1n);
  const second = firstOps[1]!;
  for (const [through, first] of [[0n, 1n], [second - 2n, 1n], [second - 1n, second]] as const) {
    assertEquals(writer.removeSegmentsThrough(wordsOf(through)), undefined);
    assertEquals(readU64(writer.segments[0]!.header.base, 0) + 1n, first);
  }
  assertEquals(writer.removeSegmentsThrough(wordsOf(1_000n)), undefined);
  assertEquals(writer.segments.map((segment) => segment.name), ["state.wal"]);
  assertEquals(disk.list(), ["state.wal"]);
  const kept = texts.slice(Number(firstOps.at(-1)! - 1n));
  assertEquals(open(disk.crash("lose")).frames, kept);
  append(writer, [2]);
});

Deno.test("LogWriter.readRange() agrees with what was put, for every range", () => {
  const disk = new MemoryDisk();
  const texts = append(openWriter(disk), [3, 5, 4, 6]);
  const writer = openWriter(disk, { segmentBytes: 4096 });
  texts.push(...append(writer, [5, 5, 5]));
  const last = BigInt(texts.length);
  for (let from = 1n; from <= last + 1n; from++) {
    for (let to = from - 1n; to <= last + 2n; to++) {
      const { frames, kind } = readBack(writer, from, to);
      const expected = to < from ? [] : texts.slice(Number(from) - 1, Number(to));
      assertEquals([kind, frames], ["read", expected], `${from}..${to}`);
    }
  }
});

Deno.test("LogWriter.readRange() shows durable frames only, and says when frames are gone", () => {
  const disk = new MemoryDisk({ deferred: true });
  const writer = openWriter(disk);
  const texts: string[] = [];
  for (let batch = 0; batch < 6; batch++) {
    for (let i = 0; i < 5; i++) texts.push(put(writer));
    writer.flush(() => {});
    disk.settle();
  }
  for (let i = 0; i < 2; i++) texts.push(put(writer));
  writer.flush(() => {});
  put(writer);
  assertEquals(readBack(writer, 1n, 100n), {
    frames: texts.slice(0, 30),
    kind: "read",
  });
  disk.settle();
  assertEquals(readBack(writer, 31n, 100n).frames, texts.slice(30));
  const second = readU64(writer.segments[1]!.header.base, 0) + 1n;
  writer.removeSegmentsThrough(wordsOf(second - 1n));
  assertEquals(readBack(writer, second - 1n, 40n), { frames: [], kind: "removed" });
  assertEquals(readBack(writer, second, 32n).frames, texts.slice(Number(second) - 1));
});

Deno.test("LogWriter.readRange() ends when the visitor has enough", () => {
  const writer = openWriter(new MemoryDisk());
  append(writer, [4, 4]);
  let seen = 0;
  const stop = writer.readRange(wordsOf(2n), wordsOf(8n), () => ++seen < 3);
  assertEquals([seen, stop], [3, { kind: "read", frames: 3 }]);
});

Deno.test("LogWriter.readRange() finds damage and faults, and neither ends writing", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk);
  append(writer, [6]);
  const bytes = disk.contents("state.wal");
  const { end } = writer.segments[0]!;
  for (let bit = SEGMENT_HEADER_BYTES * 8; bit < end * 8; bit += 7) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const { kind, frames } = readBack(writer, 1n, 6n);
    assertEquals([kind, frames.length < 6], ["corruption", true]);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  for (const action of ["open", "read"] as const) {
    disk.plan({ nth: 1, action, effect: "io_error" });
    assertEquals(readBack(writer, 1n, 6n).kind, "disk_fault");
  }
  append(writer, [1]);
});

Deno.test("LogWriter.readRange() reads frames longer than its window, and many short ones", () => {
  const disk = new MemoryDisk();
  const sizes = {
    segmentBytes: 2 * 1024 * 1024,
    maxPayloadBytes: 700_000,
    batchBytes: 1024 * 1024,
  };
  const writer = openWriter(disk, sizes);
  const lengths = [10, 700_000, 262_000, 100, ...new Array<number>(4000).fill(90), 300_000];
  const payload = viewOf(new Uint8Array(700_000).fill(3));
  for (const [i, length] of lengths.entries()) {
    const [lsn, slot, view] = [wordsOf(BigInt(i + 1)), wordsOf(0n), wordsOf(1n)];
    const fits = () => writer.put(FrameKind.client_command, lsn, slot, view, payload, 0, length);
    if (fits()) continue;
    assertEquals(flush(writer), undefined);
    assert(fits());
  }
  assertEquals(flush(writer), undefined);
  const seen: number[] = [];
  writer.readRange(wordsOf(1n), wordsOf(5000n), (frame) => seen.push(frame.payloadBytes) > 0);
  assertEquals(seen, lengths);
  assertEquals(countFrom(writer, 3000n), lengths.length - 2999);
});

Deno.test("LogWriter.close() ends writing", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk);
  const texts = append(writer, [2]);
  writer.close();
  assertEquals([putNext(writer), flush(writer) instanceof DiskFault], [undefined, true]);
  assertEquals(open(disk).frames, texts);
});

function countFrom(writer: LogWriter, from: bigint): number {
  let count = 0;
  writer.readRange(wordsOf(from), wordsOf(1_000_000n), () => ++count > 0);
  return count;
}
