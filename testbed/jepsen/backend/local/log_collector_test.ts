// A log is written, cut, rotated, trimmed, crashed and begun anew by the product's own writer, and looked at in between.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { FrameKind } from "../../../../core/log_frame.ts";
import { createTip, TipWord } from "../../../../core/log_tip.ts";
import { readU64, writeU64 } from "../../../../core/words.ts";
import type { LogWriter } from "../../../../node/log/store.ts";
import { append, openWriter, wordsOf } from "../../../../tests/support/log_driver.ts";
import {
  frameRun,
  type FrameSpec,
  IDENTITY,
  segmentImage,
} from "../../../../tests/support/log_frames.ts";
import { MemoryDisk } from "../../../sim/disk/memory_disk.ts";
import { SeededRandom } from "../../../sim/random.ts";
import type { LogEntry, LogPiece } from "../../evidence/evidence.ts";
import { EntryPool } from "./entry_pool.ts";
import { LogCollector } from "./log_collector.ts";

const STEPS = 60;
const SEEDS = 150;

/** As the driver of logs writes them down. */
function textOf({ op, lsn, slot, view, isCommand, isInternal, payload }: LogEntry): string {
  assert(isCommand);
  const kind = isInternal ? FrameKind.internal_command : FrameKind.client_command;
  const base64 = btoa(String.fromCharCode(...payload));
  return `kind=${kind} op=${op} lsn=${lsn} slot=${slot} view=${view} payload=${base64}`;
}

/** Every piece is a run without gaps, each entry naming the hash of the one before. */
function requireChained(pieces: readonly LogPiece[]): void {
  for (const { baseOp, entries, commitOp } of pieces) {
    for (const [i, entry] of [...entries].entries()) {
      assertEquals(entry.op, baseOp + 1 + i);
      if (i > 0) assertEquals(entry.previousHash, entries.at(i - 1)!.hash);
    }
    assert(entries.length === 0 || entries.at(-1)!.op <= commitOp);
  }
}

/** Whichever disk there is at the time. */
function following(current: () => MemoryDisk): MemoryDisk {
  return new Proxy(current(), {
    get: (_, name) => {
      const value = Reflect.get(current(), name, current());
      return typeof value === "function" ? value.bind(current()) : value;
    },
  });
}

/** A log of one segment. */
function diskOf(frames: readonly FrameSpec[]): MemoryDisk {
  const disk = new MemoryDisk();
  disk.install("state.wal", segmentImage(1n, undefined, frames, 2048));
  return disk;
}

/** One replica's log, and what it should be. */
class Subject {
  disk = new MemoryDisk();
  writer: LogWriter = openWriter(this.disk);
  /** By op. */
  readonly committed = new Map<number, string>();
  /** Ops that were there when somebody looked. */
  readonly seen = new Set<number>();
  readonly collector: LogCollector;
  readonly #random: SeededRandom;
  #texts = new Map<number, string>();
  #commit = 0;
  #author = 0;

  constructor(seed: number, pool: EntryPool = new EntryPool()) {
    this.#random = new SeededRandom(seed);
    const disk = following(() => this.disk);
    this.collector = new LogCollector(1, disk, IDENTITY, pool);
  }

  get #tip(): number {
    return Number(readU64(this.writer.tip, TipWord.op));
  }

  step(): void {
    const random = this.#random;
    switch (random.below(9)) {
      case 0:
        return this.#cut();
      case 1:
        return this.#trim();
      case 2:
        return this.#crash();
      case 3:
        return random.oneIn(4) ? this.#startAnew() : undefined;
      case 4:
      case 5:
        return this.look();
      default:
        this.#append();
        this.#commit += random.below(this.#tip - this.#commit + 1);
        for (let op = 1; op <= this.#commit; op++) {
          const text = this.#texts.get(op);
          if (text !== undefined) this.committed.set(op, text);
        }
    }
  }

  look(): void {
    const first = Number(this.writer.firstOp);
    for (let op = first; op <= this.#commit; op++) this.seen.add(op);
    this.collector.collect(BigInt(this.#commit));
  }

  #append(): void {
    const from = this.#tip;
    const count = 1 + this.#random.below(3);
    const texts = append(this.writer, [count], this.#author);
    for (const [i, text] of texts.entries()) this.#texts.set(from + 1 + i, text);
  }

  /** Another primary replaces what was not committed. */
  #cut(): void {
    const to = this.#commit + this.#random.below(this.#tip - this.#commit + 1);
    if (to < Number(this.writer.firstOp)) return;
    assertEquals(this.writer.cutAfter(BigInt(to)), undefined);
    this.#author++;
  }

  #trim(): void {
    this.writer.removeSegmentsThrough(wordsOf(BigInt(this.#commit)));
  }

  #crash(): void {
    this.disk = this.disk.crash("lose");
    this.writer = openWriter(this.disk, { expectFresh: false });
  }

  /** What came before is another replica's snapshot. */
  #startAnew(): void {
    const tip = createTip();
    tip.set(this.writer.tip);
    writeU64(tip, TipWord.op, BigInt(this.#tip + 10));
    writeU64(tip, TipWord.lsn, readU64(this.writer.tip, TipWord.lsn) + 10n);
    if (readU64(tip, TipWord.view) === 0n) return;
    assertEquals(this.writer.restartAt(tip), undefined);
    this.#texts = new Map();
    this.#commit = this.#tip;
  }
}

Deno.test("LogCollector has every committed entry that was there when it looked, as it was written", () => {
  let [pieces, checked] = [0, 0];
  for (let seed = 0; seed < SEEDS; seed++) {
    const subject = new Subject(seed);
    for (let i = 0; i < STEPS; i++) subject.step();
    subject.look();
    const found = subject.collector.pieces();
    requireChained(found);
    const texts = new Map(
      found.flatMap(({ entries }) => [...entries].map((one) => [one.op, textOf(one)])),
    );
    for (const op of subject.seen) {
      const wanted = subject.committed.get(op);
      if (wanted === undefined) continue;
      assertEquals(texts.get(op), wanted, `seed ${seed}, op ${op}`);
      checked++;
    }
    assert([...texts.keys()].every((op) => subject.committed.has(op)));
    pieces += found.length;
  }
  assertGreater(checked, 10 * SEEDS);
  assertGreater(pieces, SEEDS); // Some of the logs were begun anew.
});

Deno.test("LogCollector keeps both of two logs when what was committed is another one later", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk);
  const collector = new LogCollector(1, disk, IDENTITY, new EntryPool());
  append(writer, [2, 2], 0);
  collector.collect(4n);
  assertEquals(writer.cutAfter(2n), undefined);
  append(writer, [2, 2], 1);
  collector.collect(6n);
  const pieces = collector.pieces();
  requireChained(pieces);
  const at4 = pieces.flatMap(({ entries }) => [...entries].filter(({ op }) => op === 4));
  assertEquals(at4.map(({ view }) => view), [1n, 2n]);
  assertEquals(pieces.at(-1)!.entries.at(-1)!.op, 6);
});

Deno.test("LogCollector has one piece of a log that rotates, is cut behind its commit and is trimmed", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk);
  const collector = new LogCollector(1, disk, IDENTITY, new EntryPool());
  for (let round = 1; round <= 40; round++) {
    append(writer, [2, 1], round);
    const commitOp = BigInt(2 * round);
    collector.collect(commitOp);
    assertEquals(writer.cutAfter(commitOp), undefined);
    assertEquals(writer.removeSegmentsThrough(wordsOf(commitOp)), undefined);
  }
  assertGreater(writer.firstOp, 10n);
  const pieces = collector.pieces();
  requireChained(pieces);
  assertEquals(pieces.map(({ baseOp, entries }) => [baseOp, entries.length]), [[0, 80]]);
});

Deno.test("LogCollector notices that what it read has been replaced in place", () => {
  let disk = diskOf(frameRun([4], () => 20, 1));
  const collector = new LogCollector(1, following(() => disk), IDENTITY, new EntryPool());
  collector.collect(4n);
  disk = diskOf(frameRun([6], () => 20, 2));
  collector.collect(6n);
  assertEquals(collector.pieces().map(({ entries }) => entries.length), [4, 6]);
});

Deno.test("LogCollector.complete() reads a log again from its beginning when it is not the one it was", () => {
  const [before, after] = [new MemoryDisk(), new MemoryDisk()];
  let disk = before;
  const collector = new LogCollector(1, following(() => disk), IDENTITY, new EntryPool());
  append(openWriter(before), [3], 0);
  collector.collect(3n);
  append(openWriter(after), [1, 3], 1);
  disk = after;
  collector.complete(4n);
  assertEquals(collector.tipOp, 4n);
  assertEquals(collector.pieces().map(({ entries }) => entries.length), [3, 4]);
});

Deno.test("LogCollector.pieces() ends where it is told to, and says nothing of what begins behind that", () => {
  let disk = diskOf(frameRun([4], () => 20, 1));
  const collector = new LogCollector(1, following(() => disk), IDENTITY, new EntryPool());
  collector.collect(3n);
  disk = diskOf(frameRun([6], () => 20, 2));
  collector.collect(6n);
  const said = (upTo: number) =>
    collector.pieces(upTo).map(({ entries, commitOp }) => [entries.length, commitOp]);
  assertEquals(said(6), [[3, 3], [6, 6]]);
  assertEquals(said(2), [[2, 2], [2, 2]]);
  assertEquals(said(0), []);
  assertEquals(collector.commitOp, 6);
});
