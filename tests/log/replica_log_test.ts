// A replica's log takes frames from clients and from its primary, keeps batches in memory, gives up suffixes and starts
// anew. Random lives against a list of texts and hashes: after every step the log must show that list and nothing else,
// from memory, from its files, and after the next start.
import { assert, assertEquals } from "@std/assert";
import { FrameCursor } from "../../core/log_frame.ts";
import { createTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import { salvageLog } from "../../node/log/recovery.ts";
import type { LogWriter } from "../../node/log/store.ts";
import { flush, open, put, SMALL, textOf, wordsOf } from "../support/log_driver.ts";
import { IDENTITY } from "../support/log_frames.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const OPTIONS = { ...SMALL, retain: true };

/** What a log should hold: the tip before the first entry, then each entry's text and the tip behind it. */
interface Model {
  tips: Tip[];
  texts: string[];
  /** Entries that were flushed. */
  durable: number;
  author: number;
}

function opOf(tip: Tip): bigint {
  return readU64(tip, TipWord.op);
}

function openLog(disk: MemoryDisk): LogWriter {
  const { recovery } = open(disk, OPTIONS);
  assert(recovery.kind === "recovered", Deno.inspect(recovery));
  return recovery.writer;
}

function lastTip(model: Model): Tip {
  return model.tips[model.tips.length - 1]!;
}

/** Appends as a primary does. */
function append(writer: LogWriter, model: Model, count: number): void {
  for (let i = 0; i < count; i++) {
    model.texts.push(put(writer, model.author));
    model.tips.push(writer.tip.slice());
  }
}

/** Appends what another replica with the same log has appended, in the pieces that it reads back. */
function replicate(writer: LogWriter, disk: MemoryDisk, model: Model, random: SeededRandom): void {
  const primary = openLog(disk.crash("keep"));
  const from = opOf(primary.tip) + 1n;
  const source: Model = { ...model, texts: [], tips: [] };
  for (let batches = random.below(3); batches >= 0; batches--) {
    append(primary, source, 1 + random.below(2));
    assertEquals(flush(primary), undefined);
  }
  if (random.oneIn(2)) primary.release(opOf(primary.tip));
  for (let op = from; op <= opOf(primary.tip);) {
    const read = primary.readFrames(op, 1 + random.below(300));
    assert(read.kind === "frames");
    const unaligned = new Uint8Array(read.frames.length + 3).subarray(3);
    unaligned.set(read.frames);
    assertEquals(writer.putFrames(unaligned), undefined);
    op = read.lastOp + 1n;
  }
  model.texts.push(...source.texts);
  model.tips.push(...source.tips);
}

function check(writer: LogWriter, model: Model): void {
  assertEquals(writer.tip, lastTip(model));
  assertEquals(writer.durableTip, model.tips[model.durable]);
  const first = opOf(model.tips[0]!);
  for (const [i, tip] of model.tips.entries()) {
    if (first + BigInt(i) < writer.firstOp - 1n) continue;
    assertEquals(writer.tipAt(opOf(tip)), tip, `tip ${opOf(tip)}`);
    assertEquals(writer.hashAt(opOf(tip)), readU64(tip, TipWord.hash));
  }
  assertEquals(writer.hashAt(opOf(writer.tip) + 1n), undefined);
  const bytes = writer.retained.map((batch) => batch.bytes);
  assertEquals(writer.retainedBytes, bytes.reduce((sum, next) => sum + next, 0));
}

/** Every range reads back as the list says, in runs and in messages. */
function checkRange(writer: LogWriter, model: Model, random: SeededRandom): void {
  const base = opOf(model.tips[0]!);
  const kept = Number(writer.firstOp - base) - 1;
  const from = kept + random.below(model.durable - kept + 1);
  const to = from + random.below(model.durable - from + 1);
  const [fromOp, toOp] = [base + BigInt(from) + 1n, base + BigInt(to)];
  const seen: string[] = [];
  const cursor = new FrameCursor();
  const stop = writer.visit(fromOp, toOp, (buffer, at, end) => {
    cursor.buffer = buffer;
    for (cursor.at = at; cursor.at < end; cursor.at = cursor.end) seen.push(textOf(cursor));
    return true;
  });
  assertEquals(stop, { kind: "read", frames: to - from });
  assertEquals(seen, model.texts.slice(from, to));
  checkMessages(writer, model, from, random);
}

function checkMessages(writer: LogWriter, model: Model, from: number, random: SeededRandom): void {
  const base = opOf(model.tips[0]!);
  const cursor = new FrameCursor();
  let next = from;
  while (next < model.durable) {
    const bytesMax = random.below(600);
    const read = writer.readFrames(base + BigInt(next) + 1n, bytesMax);
    assert(read.kind === "frames" && read.frames.length > 0, Deno.inspect(read));
    const bytes = read.frames.slice();
    const words = new Uint32Array(bytes.buffer);
    cursor.buffer = { bytes, words, data: new DataView(bytes.buffer) };
    let count = 0;
    for (cursor.at = 0; cursor.at < bytes.length; cursor.at = cursor.end, count++) {
      assertEquals(textOf(cursor), model.texts[next + count]);
    }
    assert(count === 1 || bytes.length <= bytesMax);
    next += count;
    assertEquals(read.lastOp, base + BigInt(next));
  }
  const end = opOf(writer.tip) + 1n;
  const last = writer.readFrames(end, 100);
  assertEquals(last, { kind: "frames", frames: new Uint8Array(), lastOp: end - 1n });
}

/** Gives up what is behind an entry. */
function cut(writer: LogWriter, model: Model, random: SeededRandom): void {
  const base = opOf(model.tips[0]!);
  const least = Number(writer.firstOp - 1n - base);
  const kept = least + random.below(model.texts.length - least + 1);
  assertEquals(writer.cutAfter(base + BigInt(kept)), undefined);
  model.texts.length = kept;
  model.tips.length = kept + 1;
  model.durable = Math.min(model.durable, kept);
}

/** Goes on behind a place in another history, ahead of the log or behind it. */
function restart(writer: LogWriter, model: Model, random: SeededRandom): void {
  const tip = createTip();
  const op = opOf(writer.tip) + BigInt(random.below(8)) - 3n;
  writeU64(tip, TipWord.op, op < 1n ? 1n : op);
  writeU64(tip, TipWord.lsn, op < 1n ? 1n : op);
  writeU64(tip, TipWord.slot, readU64(writer.tip, TipWord.slot));
  writeU64(tip, TipWord.view, BigInt(model.author));
  writeU64(tip, TipWord.hash, 1n + BigInt(random.nextU32()));
  assertEquals(writer.restartAt(tip), undefined);
  model.texts = [];
  model.tips = [tip];
  model.durable = 0;
}

function step(writer: LogWriter, disk: MemoryDisk, model: Model, random: SeededRandom): void {
  const kind = random.below(12);
  if (kind < 4) append(writer, model, 1 + random.below(3));
  else if (kind < 6 && model.durable === model.texts.length) replicate(writer, disk, model, random);
  else if (kind === 6) {
    model.author++;
    cut(writer, model, random);
  } else if (kind === 7 && random.oneIn(3)) {
    model.author++;
    restart(writer, model, random);
  } else if (kind === 8) {
    writer.release(opOf(model.tips[0]!) + BigInt(random.below(model.durable + 1)));
  } else if (kind === 9) writer.releaseBeyond(random.below(2) * 1024, opOf(writer.durableTip));
  else if (kind === 10) {
    writer.removeSegmentsThrough(wordsOf(opOf(model.tips[random.below(model.durable + 1)]!)));
  }
  if (kind < 6 || random.oneIn(2)) {
    assertEquals(flush(writer), undefined);
    model.durable = model.texts.length;
  }
}

/** Entries that the log has deleted are not asked for again. */
function forget(model: Model, firstOp: bigint): void {
  const gone = Number(firstOp - 1n - opOf(model.tips[0]!));
  model.tips.splice(0, gone);
  model.texts.splice(0, gone);
  model.durable -= gone;
}

Deno.test("a replica's log shows what it should through appends, copies, cuts, restarts and starts", () => {
  for (let seed = 0; seed < 120; seed++) {
    const random = new SeededRandom(seed);
    const disk = new MemoryDisk({ seed });
    let writer = openLog(disk);
    const model: Model = { tips: [writer.tip.slice()], texts: [], durable: 0, author: 1 };
    for (let i = 0; i < 40; i++) {
      step(writer, disk, model, random);
      forget(model, writer.firstOp);
      check(writer, model);
      checkRange(writer, model, random);
      if (!random.oneIn(10)) continue;
      assertEquals(flush(writer), undefined);
      model.durable = model.texts.length;
      const { recovery, frames } = open(disk, OPTIONS);
      assert(recovery.kind === "recovered", Deno.inspect(recovery));
      assertEquals(frames, model.texts);
      assertEquals(recovery.facts.base, model.tips[0]);
      writer = recovery.writer;
    }
  }
});

Deno.test("a start deletes what a log that begins anew has superseded, and never its own file of that name", () => {
  for (const isBroken of [false, true]) {
    const disk = new MemoryDisk();
    const writer = openLog(disk);
    appendBatches(writer, 14);
    const older = writer.segments.slice(1, -1).map(({ name }) => ({
      name,
      bytes: disk.readAll(name),
    }));
    assert(older.length > 0);
    const base = writer.segments[1]!.header.base;
    assertEquals(writer.restartAt(base), undefined);
    const texts = appendBatches(writer, 2);
    for (const { name, bytes } of older) disk.install(name, isBroken ? bytes.fill(1) : bytes);
    const frames: string[] = [];
    const options = { ...OPTIONS, expectFresh: false };
    const recovery = salvageLog(disk, IDENTITY, options, {
      begin: (tip) => void assertEquals(tip, base),
      frame: (frame) => void frames.push(textOf(frame)),
    });
    assert(recovery.kind === "recovered", Deno.inspect(recovery));
    assertEquals(frames, texts);
    const names = recovery.writer.segments.map((segment) => segment.name);
    assertEquals(disk.list().sort(), names.sort());
    assertEquals(open(disk, OPTIONS).frames, texts);
  }
});

function appendBatches(writer: LogWriter, count: number): string[] {
  const texts: string[] = [];
  for (let batch = 0; batch < count; batch++) {
    for (let i = 0; i < 3; i++) texts.push(put(writer, 1));
    assertEquals(flush(writer), undefined);
  }
  return texts;
}
