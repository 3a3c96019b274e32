// A backup's log is what its primary sent: whatever arrives, it takes frames that follow its own, all or none, and says of
// them only what is durable here.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../../core/assert.ts";
import { FrameWord } from "../../core/log_frame.ts";
import { createTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { append, flush, open, openWriter, put, readBack } from "../../tests/support/log_driver.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { LogWriter } from "./store.ts";

function framesOf(writer: LogWriter, from: bigint, bytesMax = 10_000): Uint8Array {
  const read = writer.readFrames(from, bytesMax);
  assert(read.kind === "frames", Deno.inspect(read));
  return read.frames.slice();
}

/** A primary with one batch of four frames behind two that its backup has, too. */
function pair(): { primary: LogWriter; backup: LogWriter; frames: Uint8Array; texts: string[] } {
  const disk = new MemoryDisk();
  const texts = append(openWriter(disk, { retain: true }), [2]);
  const primary = openWriter(disk.crash("keep"), { retain: true });
  const backup = openWriter(disk.crash("keep"), { retain: true });
  texts.push(...append(primary, [4]));
  return { primary, backup, frames: framesOf(primary, 3n), texts };
}

Deno.test("LogWriter.putFrames() takes frames at any offset and seals them with its own synced op", () => {
  for (let odd = 0; odd < 8; odd++) {
    const { primary, backup, frames, texts } = pair();
    const memory = new Uint8Array(frames.length + odd);
    memory.set(frames, odd);
    assertEquals(backup.putFrames(memory.subarray(odd)), undefined);
    memory.fill(0);
    assertEquals(backup.tip, primary.tip);
    assertEquals(readU64(backup.durableTip, TipWord.op), 2n);
    assertEquals(flush(backup), undefined);
    assertEquals(readBack(backup, 1n, 9n).frames, texts);
    assertEquals(readU64(backup.flushed.buffer.words, FrameWord.synced), 2n);
  }
});

Deno.test("LogWriter.putFrames() takes nothing of a run with any bit flipped, and takes it whole afterwards", () => {
  const { primary, backup, frames, texts } = pair();
  assertEquals(backup.putFrames(framesOf(primary, 3n, 0)), undefined);
  const rest = frames.subarray(framesOf(primary, 3n, 0).length);
  const [tip, pending] = [backup.tip.slice(), backup.pendingBytes];
  for (let bit = 0; bit < rest.length * 8; bit++) {
    rest[bit >> 3]! ^= 1 << (bit & 7);
    const error = backup.putFrames(rest);
    assert(error?.kind === "invalid" && error.at <= bit >> 3, `bit ${bit}`);
    assertEquals([backup.tip, backup.pendingBytes], [tip, pending]);
    rest[bit >> 3]! ^= 1 << (bit & 7);
  }
  for (const length of [1, 8, 64, rest.length - 8, rest.length - 1]) {
    assertEquals(backup.putFrames(rest.subarray(0, length))?.kind, "invalid");
  }
  assertEquals(backup.putFrames(rest), undefined);
  assertEquals(flush(backup), undefined);
  assertEquals(readBack(backup, 1n, 9n).frames, texts);
});

Deno.test("LogWriter.putFrames() refuses frames that do not follow: again, too early, of another history", () => {
  const { primary, backup, frames } = pair();
  const error = (frames: Uint8Array): unknown => {
    const error = backup.putFrames(frames);
    return error?.kind === "invalid" ? error.error : error;
  };
  assertEquals(error(framesOf(primary, 4n)), "non_contiguous_op");
  put(backup, 3);
  assertEquals(error(frames), "non_contiguous_op");
  assertEquals(error(framesOf(primary, 4n)), "rewound_view");
  assertEquals(backup.cutAfter(2n), undefined);
  assertEquals(error(frames), undefined);
  assertEquals(error(frames), "non_contiguous_op");
});

Deno.test("LogWriter.putFrames() says when the batch has no room, and after a fault that nothing is taken", () => {
  const { backup, frames } = pair();
  const [first] = [frames.length];
  assert(first * 3 > backup.batchBytesMax);
  assertEquals(backup.putFrames(frames), undefined);
  const filler = new Uint8Array(backup.batchBytesMax - first + 8);
  assertEquals(backup.putFrames(filler), { kind: "no_room" });
  assertEquals(backup.putFrames(new Uint8Array()), undefined);
  backup.close();
  assertEquals(backup.putFrames(frames)?.kind, "failed");
});

Deno.test("LogWriter.readFrames() says when frames are gone, and when they cannot be read", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk);
  append(writer, [3, 3, 3, 3, 3, 3, 3]);
  const sealed = writer.segments[1]!;
  writer.removeSegmentsThrough(sealed.header.base.subarray(TipWord.op, TipWord.op + 2));
  const { firstOp } = writer;
  assert(firstOp > 1n);
  assertEquals(writer.readFrames(firstOp - 1n, 100), { kind: "removed", firstOp });
  assertEquals(writer.hashAt(firstOp - 2n), undefined);
  assertEquals(writer.visit(1n, 2n, () => true), { kind: "removed", firstOp });
  disk.contents(sealed.name)[600]! ^= 1;
  const read = writer.readFrames(firstOp, 100);
  assert(read.kind === "unreadable" && read.why.startsWith(sealed.name), Deno.inspect(read));
  assertEquals(writer.tipAt(firstOp), undefined);
  disk.plan({ nth: 1, action: "open", effect: "io_error" });
  assertEquals(writer.readFrames(firstOp, 100).kind, "unreadable");
  assertEquals(writer.failure, undefined);
});

Deno.test("LogWriter.cutAfter() and restartAt() refuse a place outside of the log, and to interrupt a flush", () => {
  const disk = new MemoryDisk({ deferred: true });
  const writer = openWriter(disk);
  put(writer);
  assertThrows(() => writer.cutAfter(2n), AssertionFailure, "log/cut-inside");
  writer.flush(() => {});
  assertThrows(() => writer.cutAfter(0n), AssertionFailure, "log/cut-when-quiet");
  assertThrows(() => writer.restartAt(createTip()), AssertionFailure, "log/cut-when-quiet");
  disk.settle();
  assertEquals(writer.cutAfter(0n), undefined);
  assertEquals(writer.restartAt(tipAt(9n)), undefined);
  assertThrows(() => writer.cutAfter(7n), AssertionFailure, "log/cut-inside");
});

function tipAt(op: bigint): Tip {
  return createTip().with(TipWord.op, Number(op)).with(TipWord.hash, 1);
}

Deno.test("LogWriter.cutAfter() and restartAt() end writing when the disk fails, and change nothing that was durable", () => {
  for (
    const act of [
      (writer: LogWriter) => writer.cutAfter(4n),
      (writer: LogWriter) => writer.restartAt(tipAt(9n)),
    ]
  ) {
    for (let nth = 1;; nth++) {
      const disk = new MemoryDisk();
      const writer = openWriter(disk);
      const texts = append(writer, [3, 3]);
      disk.plan({ nth, effect: "io_error" });
      const fault = act(writer);
      disk.plan(undefined);
      if (fault === undefined) break;
      assertEquals(writer.failure, fault);
      assertEquals(act(writer), fault);
      const { recovery, frames } = open(disk.crash("lose"));
      assertEquals(recovery.kind, "recovered");
      assert([6, 4, 0].includes(frames.length));
      assertEquals(frames, texts.slice(0, frames.length));
    }
  }
});
