// A replica that has peers can be helped when its disk has changed what it wrote. Whatever bit of a small log flips, the log
// must come back whole, be mended with frames from a peer, or be cut to what is sound and say that it proves nothing:
// it must never show other frames, nor claim an end that is not its end.
import { assert, assertEquals } from "@std/assert";
import { createLogBuffer, frameBytes } from "../../core/log_frame.ts";
import { genesisTip, SEGMENT_HEADER_BYTES } from "../../core/log_segment.ts";
import { type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { salvageLog } from "../../node/log/recovery.ts";
import {
  type LogDamage,
  mendLog,
  resetLog,
  type SalvageOptions,
  truncateLog,
} from "../../node/log/salvage.ts";
import type { LogWriter } from "../../node/log/store.ts";
import type { LogHole } from "../../node/log/survey.ts";
import {
  append,
  flush,
  open,
  openWriter,
  put,
  SMALL,
  textOf,
  wordsOf,
} from "../support/log_driver.ts";
import { frameRun, IDENTITY, writeSpec } from "../support/log_frames.ts";
import { CrashSignal, MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const SIZES = { ...SMALL, segmentBytes: 1536, batchBytes: 1024, zeroAheadBytes: 0 };

/** Bits from one flip to the next where not every one is tried; ALLOCDB_FLIPS=all tries every one. */
const SPARSE = Deno.env.get("ALLOCDB_FLIPS") === "all" ? 1 : 7;

/** A log, what it holds, and a peer that holds the same. */
interface Sound {
  readonly disk: MemoryDisk;
  /** The op before the first entry. */
  readonly base: bigint;
  readonly texts: readonly string[];
  /** What the log held before it was cut: nothing else tells these entries from the others when the cut's header is gone. */
  readonly cut: readonly string[];
  readonly tip: Tip;
  readonly peer: LogWriter;
}

/** Its peer has got the entries one by one, and knows of more that is durable when it writes one. */
function sound(disk: MemoryDisk, texts: readonly string[], cut: readonly string[] = []): Sound {
  const writer = openWriter(disk.crash("keep"), SIZES);
  const peer = openWriter(new MemoryDisk(), SIZES);
  const base = writer.firstOp - 1n;
  assertEquals(peer.restartAt(writer.tipAt(base)!), undefined);
  for (let op = writer.firstOp; op <= opOf(writer.tip); op++) {
    const read = writer.readFrames(op, 0);
    assert(read.kind === "frames");
    assertEquals(peer.putFrames(read.frames), undefined);
    assertEquals(flush(peer), undefined);
  }
  return { disk, base, texts, cut, tip: writer.tip.slice(), peer };
}

function opOf(tip: Tip): bigint {
  return readU64(tip, TipWord.op);
}

function plainLog(): Sound {
  const disk = new MemoryDisk();
  return sound(disk, append(openWriter(disk, SIZES), [3, 3, 3, 3, 3, 1]));
}

/** A log that has been cut and has gone on. */
function cutLog(): Sound {
  const disk = new MemoryDisk();
  const writer = openWriter(disk, SIZES);
  const texts = append(writer, [3, 3, 3, 3]);
  assertEquals(writer.cutAfter(5n), undefined);
  assertEquals(opOf(writer.segments[1]!.header.base), 5n);
  return sound(disk, [...texts.slice(0, 5), ...append(writer, [3, 2, 3], 1)], texts);
}

/** A log that begins behind a snapshot, in the middle of what it was before. */
function restartedLog(): Sound {
  const disk = new MemoryDisk();
  const writer = openWriter(disk, SIZES);
  append(writer, [3, 3, 3, 3]);
  assertEquals(writer.restartAt(writer.tipAt(5n)!), undefined);
  return sound(disk, append(writer, [3, 3, 3, 1], 1));
}

const SOUND = plainLog();

/** Every frame of a hole, as a peer sends them. */
function framesOf(peer: LogWriter, firstOp: bigint, lastOp: bigint): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let op = firstOp; op <= lastOp;) {
    const read = peer.readFrames(op, 1);
    assert(read.kind === "frames" && read.lastOp === op);
    parts.push(read.frames.slice());
    op++;
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 1));
  let at = 1;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.subarray(1); // At an odd offset, as from a socket.
}

function salvage(disk: MemoryDisk, options: Partial<SalvageOptions> = {}) {
  const frames: string[] = [];
  const result = salvageLog(disk, IDENTITY, { ...SIZES, ...options, expectFresh: false }, {
    begin: () => void (frames.length = 0),
    frame: (frame) => void frames.push(textOf(frame)),
  });
  return { result, frames };
}

/** Follows a damaged log to its end; answers which end. */
function follow(disk: MemoryDisk, { result, frames }: ReturnType<typeof salvage>, sound: Sound) {
  if (result.kind === "recovered") {
    assertEquals(frames, sound.texts);
    return "whole";
  }
  assert(result.kind === "damaged", Deno.inspect(result));
  if (result.provenTip !== undefined) return mend(disk, result, sound);
  return truncate(disk, result, sound);
}

function mend(disk: MemoryDisk, damage: LogDamage, sound: Sound): string {
  assertEquals(damage.provenTip, sound.tip);
  for (const hole of damage.holes) {
    assertEquals(hole.previousHash, sound.peer.hashAt(hole.firstOp - 1n));
    assertEquals(hole.hashAfter, sound.peer.hashAt(hole.lastOp));
  }
  const frames = damage.holes.map((hole) => framesOf(sound.peer, hole.firstOp, hole.lastOp));
  assertEquals(mendLog(disk, IDENTITY, SIZES, frames), { kind: "done" });
  assertWhole(disk, sound);
  return frames.length > 0 ? "mended" : "header mended";
}

function truncate(disk: MemoryDisk, damage: LogDamage, sound: Sound): string {
  const { prefixTip } = damage;
  const result = truncateLog(disk, IDENTITY, SIZES);
  if (prefixTip === undefined) {
    assertEquals(result.kind, "refused");
    assertReset(disk, sound.tip);
    return "reset";
  }
  assertEquals(result, { kind: "done" });
  const { recovery, frames } = open(disk, SIZES);
  assert(recovery.kind === "recovered", Deno.inspect(recovery));
  assertEquals(recovery.facts.tip, prefixTip);
  assertEquals(opOf(prefixTip), sound.base + BigInt(frames.length));
  const isCut = frames.length > 0 && frames.at(-1) === sound.cut[frames.length - 1];
  assertEquals(frames, (isCut ? sound.cut : sound.texts).slice(0, frames.length));
  return "truncated";
}

function assertReset(disk: MemoryDisk, tip: Tip): void {
  assertEquals(resetLog(disk, IDENTITY, SIZES, tip), { kind: "done" });
  const { recovery, frames } = open(disk, SIZES);
  assert(recovery.kind === "recovered" && frames.length === 0, Deno.inspect(recovery));
  assertEquals(recovery.facts.base, tip);
  assertEquals(disk.list(), ["state.wal"]);
}

function assertWhole(disk: MemoryDisk, sound: Sound): void {
  const { recovery, frames } = open(disk, SIZES);
  assertEquals(recovery.kind, "recovered");
  assertEquals(frames, sound.texts);
}

/** Flips every bit of every file, or one in `every`; answers how it ended. */
function flipAll(sound: Sound, every = 1): string[] {
  const ends = new Set<string>();
  for (const name of sound.disk.list()) {
    for (let bit = 0; bit < SIZES.segmentBytes * 8; bit += every) {
      const disk = sound.disk.crash("keep");
      disk.contents(name)[bit >> 3]! ^= 1 << (bit & 7);
      const found = salvage(disk);
      // One frame is gone at most: everything else is sound.
      if (found.result.kind === "damaged") assertSmall(found.result.holes);
      const end = follow(disk, found, sound);
      ends.add(end);
      // Only the end of the log, and the header that says where it begins, can be in doubt.
      if (end === "truncated") assertEquals(name, "state.wal");
      if (end === "reset") assert(bit < SEGMENT_HEADER_BYTES * 8 && sound.base > 0n);
    }
  }
  return [...ends].sort();
}

function assertSmall(holes: readonly LogHole[]): void {
  assert(holes.length <= 1);
  assert(holes.every(({ firstOp, lastOp }) => firstOp === lastOp), Deno.inspect(holes));
}

Deno.test("salvageLog() ends whole, mended or cut after a flip of any bit of any segment", () => {
  assertEquals(flipAll(SOUND), ["header mended", "mended", "truncated", "whole"]);
});

Deno.test("salvageLog() takes no frame for sound that a cut has superseded, whichever bit flips", () => {
  assertEquals(flipAll(cutLog(), SPARSE), ["header mended", "mended", "truncated", "whole"]);
});

Deno.test("salvageLog() knows no tip before a log that begins behind a snapshot if its header is damaged", () => {
  assertEquals(flipAll(restartedLog(), SPARSE), ["mended", "reset", "truncated", "whole"]);
});

Deno.test("salvageLog() tells a sealed segment that was cut from one that ends, and never trusts a cut end", () => {
  for (const name of SOUND.disk.list()) {
    const bytes = SOUND.disk.readAll(name);
    for (let length = 0; length <= bytes.length + 512; length += 40) {
      const disk = SOUND.disk.crash("keep");
      const changed = new Uint8Array(length);
      changed.set(bytes.subarray(0, length));
      disk.install(name, changed);
      const end = follow(disk, salvage(disk), SOUND);
      const isShort = length < bytes.length;
      if (name === "state.wal") assertEquals(end, isShort ? "truncated" : "header mended");
      else assert(end.endsWith("mended"), `${name} ${length}: ${end}`);
    }
  }
});

Deno.test("salvageLog() mends a log whose rotation was interrupted, or truncates or resets it", () => {
  const sealed = SOUND.disk.list().filter((name) => name !== "state.wal").sort();
  for (const act of [mend, truncate, (disk: MemoryDisk) => assertReset(disk, SOUND.tip)]) {
    const disk = SOUND.disk.crash("keep");
    disk.rename("state.wal", "state.wal.next");
    disk.syncDirectory();
    disk.contents(sealed[0]!)[700]! ^= 1;
    const { result } = salvage(disk);
    assert(result.kind === "damaged" && result.holes.length === 1);
    act(disk, result, SOUND);
  }
});

Deno.test("salvageLog() mends many holes at once, of frames and of whole segments", () => {
  const random = new SeededRandom(9);
  const sealed = SOUND.disk.list().filter((name) => name !== "state.wal");
  const ends = new Map<string, number>();
  for (let round = 0; round < 2000; round++) {
    const disk = SOUND.disk.crash("keep");
    for (let i = random.below(5); i >= 0; i--) {
      const name = sealed[random.below(sealed.length)]!;
      const at = random.below(SIZES.segmentBytes);
      const end = random.oneIn(4) ? SIZES.segmentBytes : at + random.below(200);
      disk.contents(name).fill(random.oneIn(2) ? 0 : random.nextU32(), at, end);
    }
    const end = follow(disk, salvage(disk), SOUND);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  assert(ends.get("mended")! > 1500, Deno.inspect(ends));
});

Deno.test("salvageLog() never throws and never shows other frames, whatever the files hold", () => {
  const random = new SeededRandom(10);
  for (let round = 0; round < 3000; round++) {
    const disk = SOUND.disk.crash("keep");
    for (let i = random.below(4); i >= 0; i--) scramble(disk, random);
    const found = salvage(disk);
    if (found.result.kind === "corruption") continue;
    if (found.result.kind === "recovered") {
      const skipped = SOUND.texts.indexOf(found.frames[0]!);
      assertEquals(found.frames, SOUND.texts.slice(skipped, skipped + found.frames.length));
      continue;
    }
    assert(found.result.kind === "damaged");
    assertReset(disk, SOUND.tip);
  }
});

/** Exchanges, drops, repeats and overwrites files and pieces of them. */
function scramble(disk: MemoryDisk, random: SeededRandom): void {
  const names = disk.list();
  const name = names[random.below(names.length)]!;
  const other = names[random.below(names.length)]!;
  const bytes = disk.readAll(name);
  switch (random.below(5)) {
    case 0:
      if (names.length > 1) disk.uninstall(name);
      return;
    case 1:
      return disk.install(other, bytes);
    case 2:
      return disk.install(`state.wal.${String(random.below(30)).padStart(20, "0")}`, bytes);
    case 3:
      disk.contents(name)[random.below(bytes.length)] = random.below(256);
      return;
    default: {
      const [from, to] = [random.below(bytes.length), random.below(bytes.length)];
      const piece = bytes.subarray(from, from + 300);
      disk.contents(name).set(piece.subarray(0, bytes.length - to), to);
    }
  }
}

Deno.test("salvageLog() passes over damaged files that do not count, and deletes them", () => {
  const [cut, restarted] = [cutLog(), restartedLog()];
  const end = (sound: Sound): bigint => opOf(sound.tip) + 3n;
  for (
    const [sound, op] of [[cut, end(cut)], [restarted, 2n], [restarted, end(restarted)]] as const
  ) {
    const disk = sound.disk.crash("keep");
    const stale = `state.wal.${String(op).padStart(20, "0")}`;
    disk.install(stale, new Uint8Array(SIZES.segmentBytes).fill(3));
    assertEquals(open(disk, SIZES).recovery.kind, "corruption");
    const { result, frames } = salvage(disk);
    assertEquals(result.kind, "recovered");
    assertEquals(frames, sound.texts);
    assert(!disk.list().includes(stale));
  }
});

Deno.test("salvageLog() gives files up that a snapshot covers", () => {
  const [first, second] = SOUND.disk.list().sort().slice(1);
  const opened = openWriter(SOUND.disk.crash("keep"), SIZES).segments;
  const covered = opOf(opened[1]!.header.base);
  for (const [name, place] of [[first!, 40], [first!, 700], [first!, 1535]] as const) {
    const disk = SOUND.disk.crash("keep");
    disk.contents(name)[place]! ^= 1;
    assertEquals(
      salvage(disk, { coveredOp: covered - 1n }).result.kind === "damaged",
      place < 1000,
    );
    const { result, frames } = salvage(disk, { coveredOp: covered });
    assertEquals(result.kind, "recovered");
    if (place < 1000) assertEquals(frames, SOUND.texts.slice(Number(covered)));
    assertEquals(disk.list().includes(name), place > 1000);
    assert(disk.list().includes(second!));
  }
});

Deno.test("mendLog() refuses other frames than those that were there, and changes nothing", () => {
  const disk = SOUND.disk.crash("keep");
  const name = disk.list().sort()[1]!;
  disk.contents(name)[700]! ^= 1;
  const { result } = salvage(disk);
  assert(result.kind === "damaged" && result.holes.length === 1);
  const { firstOp, lastOp } = result.holes[0]!;
  const right = framesOf(SOUND.peer, firstOp, lastOp);
  const stranger = openWriter(SOUND.disk.crash("keep"), SIZES);
  assertEquals(stranger.cutAfter(firstOp - 1n), undefined);
  append(stranger, [1, 1], 5);
  const before = disk.readAll(name);
  const why = (frames: readonly Uint8Array[]): string => {
    const result = mendLog(disk, IDENTITY, SIZES, frames);
    assert(result.kind === "refused", Deno.inspect(result));
    assertEquals(disk.readAll(name), before);
    return result.why.replace(/.*: /, "");
  };
  assertEquals(why([]), "frames for 0 of 1 holes");
  assertEquals(why([right, right]), "frames for 2 of 1 holes");
  assertEquals(why([framesOf(stranger, firstOp, lastOp)]), "other frames belong there");
  assertEquals(
    why([framesOf(SOUND.peer, firstOp, lastOp + 1n)]),
    `the frames end at op ${lastOp + 1n}`,
  );
  assertEquals(why([new Uint8Array()]), `the frames end at op ${firstOp - 1n}`);
  assertEquals(why([right.subarray(0, 9)]), "not whole frames");
  assertEquals(why([framesOf(SOUND.peer, 1n, 1n)]), "non_contiguous_op at byte 0");
  assertEquals(mendLog(disk, IDENTITY, SIZES, [right]), { kind: "done" });
  assertWhole(disk, SOUND);
});

Deno.test("truncateLog() keeps nothing that a failed sync may have left in memory only", () => {
  for (let seed = 0; seed < 30; seed++) truncateAfterFailure(new MemoryDisk({ seed }));
});

function truncateAfterFailure(disk: MemoryDisk): void {
  const writer = openWriter(disk, SIZES);
  const texts = append(writer, [3, 3]);
  for (let i = 0; i < 3; i++) put(writer);
  disk.plan({ nth: 1, action: "sync", effect: "io_error" });
  assert(flush(writer) !== undefined);
  const bytes = disk.contents("state.wal");
  const end = bytes.findLastIndex((byte) => byte !== 0);
  bytes[end - 9]! ^= 1;
  const found = salvage(disk);
  assert(found.result.kind === "damaged" && found.result.provenTip === undefined);
  assertEquals(truncateLog(disk, IDENTITY, SIZES), { kind: "done" });
  const { recovery, frames } = open(disk.crash("lose"), SIZES);
  assertEquals(recovery.kind, "recovered");
  assertEquals(frames, texts.slice(0, frames.length));
  assertEquals(opOf(found.result.prefixTip!), BigInt(frames.length));
}

Deno.test("salvageLog() proves nothing when sound files contradict each other", () => {
  const [first, second] = SOUND.disk.list().filter((name) => name !== "state.wal").sort();
  const stranger = new MemoryDisk();
  append(openWriter(stranger, SIZES), [3, 3, 3, 3, 3, 1], 4);
  const changes: readonly ((disk: MemoryDisk) => void)[] = [
    (disk) => disk.install(first!, stranger.readAll(first!)),
    (disk) => disk.install("state.wal", disk.readAll(second!)),
    (disk) => disk.install("state.wal", disk.readAll(first!)),
    (disk) => disk.uninstall("state.wal"),
  ];
  for (const change of changes) {
    const disk = SOUND.disk.crash("keep");
    change(disk);
    const { result } = salvage(disk);
    assert(result.kind === "damaged", Deno.inspect(result));
    assertEquals(result.provenTip, undefined);
    assertReset(disk, SOUND.tip);
  }
});

Deno.test("salvageLog() shows no frame that stands in another one's payload", () => {
  for (const inner of [1, 2, 3, 4, 40]) {
    const disk = new MemoryDisk();
    const writer = openWriter(disk, SIZES);
    const texts = append(writer, [1]);
    const specs = frameRun(new Array(50).fill(1), () => 30);
    const payload = createLogBuffer(frameBytes(30));
    writeSpec(payload, 0, { ...specs[inner - 1]!, previousHash: writer.hashAt(1n)! });
    const lsn = wordsOf(2n);
    const [slot, view] = [wordsOf(readU64(writer.tip, TipWord.slot)), wordsOf(1n)];
    assert(writer.put(1, lsn, slot, view, payload.data, 0, payload.bytes.length));
    assertEquals(flush(writer), undefined);
    const at = writer.segments.at(-1)!.end - frameBytes(payload.bytes.length);
    append(writer, [3, 3, 3]);
    const whole = sound(disk, open(disk.crash("keep"), SIZES).frames);
    assertEquals(whole.texts.slice(0, 1), texts);
    const name = disk.list().sort()[1]!;
    disk.contents(name)[at + 20]! ^= 1;
    const { result } = salvage(disk);
    assert(result.kind === "damaged" && opOf(result.prefixTip!) === 1n, Deno.inspect(result));
    if (inner === 3 || inner === 4) {
      // A frame of a later op hides those between: then nothing fits the hole, and nobody is told that the log is whole.
      const frames = result.holes.map((hole) => framesOf(whole.peer, hole.firstOp, hole.lastOp));
      assertEquals(mendLog(disk, IDENTITY, SIZES, frames).kind, "refused");
    } else assertEquals(mend(disk, result, whole), "mended");
  }
});

Deno.test("truncateLog() of a log that begins anew brings nothing older back, whenever the power fails", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk, SIZES);
  append(writer, [3, 3, 3, 3]);
  const older = disk.list().filter((name) => name !== "state.wal").map((name) => ({
    name,
    bytes: disk.readAll(name),
  }));
  assertEquals(writer.restartAt(writer.tipAt(2n)!), undefined);
  // A crash before they were deleted, and a bit behind the last frame, which may hide one.
  for (const { name, bytes } of older) disk.install(name, bytes);
  disk.contents("state.wal")[600] = 1;
  for (let nth = 1, isDone = false; !isDone; nth++) {
    const struck = disk.crash("keep");
    struck.plan({ nth, effect: "crash" });
    try {
      truncateLog(struck, IDENTITY, SIZES);
      isDone = true;
    } catch (error) {
      if (!(error instanceof CrashSignal)) throw error;
    }
    const after = struck.crash("keep");
    if (salvage(after).result.kind === "damaged") truncateLog(after, IDENTITY, SIZES);
    const { recovery, frames } = open(after, SIZES);
    assert(recovery.kind === "recovered" && frames.length === 0, Deno.inspect(recovery));
    assertEquals(opOf(recovery.facts.base), 2n);
  }
});

Deno.test("resetLog() makes a log where there is none, and leaves a stranger's alone", () => {
  const empty = new MemoryDisk();
  assertReset(empty, genesisTip(IDENTITY));
  const disk = SOUND.disk.crash("keep");
  const other = { ...IDENTITY, shardId: new Uint32Array([1, 1]) };
  const result = resetLog(disk, other, SIZES, genesisTip(other));
  assertEquals(result.kind === "corruption" && result.error, "foreign_shard");
  assertEquals(disk.readAll("state.wal"), SOUND.disk.readAll("state.wal"));
});
