// Opening a log: what is accepted, what is refused and under which name, and that refusing changes nothing.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionFailure } from "../../core/assert.ts";
import { U64_MAX } from "../../core/config.ts";
import type { LogError } from "../../core/log_scan.ts";
import type { LogIdentity } from "../../core/log_segment.ts";
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import {
  append,
  flush,
  open,
  openWriter,
  put,
  SMALL,
  textOfSpec,
} from "../../tests/support/log_driver.ts";
import {
  chained,
  frameRun,
  type FrameSpec,
  IDENTITY,
  segmentImage,
  tipOf,
} from "../../tests/support/log_frames.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { DenoDisk } from "../io/deno_disk.ts";
import { type LogRecovery, recoverLog, type RecoveryFacts } from "./recovery.ts";

const ACCEPT = { begin: () => undefined, frame: () => undefined };

Deno.test("recoverLog() makes a new log only when one is expected", () => {
  const disk = new MemoryDisk();
  assertEquals(open(disk, { expectFresh: false }).recovery, { kind: "missing_log" });
  assertEquals(disk.list(), []);
  const facts = factsOf(open(disk).recovery);
  assertEquals([facts.isFresh, facts.framesReplayed, facts.segments], [true, 0, 1]);
  assertEquals(disk.crash("lose").list(), ["state.wal"]);
  assertEquals(factsOf(open(disk, { expectFresh: false }).recovery).isFresh, false);
});

Deno.test("recoverLog() shows every frame in order and goes on behind the last", () => {
  const disk = new MemoryDisk();
  const texts: string[] = [];
  for (let life = 0; life < 6; life++) {
    texts.push(...append(openWriter(disk), [1 + life, 2, 3], life));
    assertEquals(open(disk.crash("lose")).frames, texts);
  }
  const { tip, base, framesReplayed } = factsOf(open(disk).recovery);
  assertEquals(framesReplayed, texts.length);
  assertEquals([readU64(base, TipWord.op), readU64(tip, TipWord.op)], [0n, BigInt(texts.length)]);
});

Deno.test("recoverLog() again and again leaves no more files than once", () => {
  const disk = new MemoryDisk();
  const texts = append(openWriter(disk), [3, 3, 3]);
  openWriter(disk);
  const files = disk.list().length;
  for (let i = 0; i < 5; i++) assertEquals(open(disk).frames, texts);
  assertEquals(disk.list().length, files);
});

Deno.test("recoverLog() changes no byte of an existing segment", () => {
  const disk = new MemoryDisk();
  append(openWriter(disk), [4, 4, 4]);
  append(openWriter(disk, { segmentBytes: 8192 }), [4, 4, 4]);
  const before = new Map(disk.list().map((name) => [name, disk.readAll(name)]));
  const sealedAs = openWriter(disk).segments.at(-2)!.name;
  for (const [name, bytes] of before) {
    assertEquals(disk.readAll(name === "state.wal" ? sealedAs : name), bytes);
  }
});

Deno.test("recoverLog() tells how the log ended and how much of it was uncertain", () => {
  const disk = new MemoryDisk();
  const sizes = { segmentBytes: 8192, batchBytes: 4096, zeroAheadBytes: 0 };
  const writer = openWriter(disk, sizes);
  append(writer, [2, 4]);
  const { end } = writer.segments[0]!;
  const clean = factsOf(open(disk.crash("keep")).recovery);
  assertEquals(clean.stop, { kind: "clean_eof", file: "state.wal", validUpTo: end });
  assertEquals(clean.framesUncertain, 4);
  disk.plan({ nth: 1, action: "write", effect: "io_error", tornBytes: 600 });
  for (let i = 0; i < 8; i++) put(writer);
  flush(writer);
  const torn = factsOf(open(disk.crash("keep")).recovery);
  assertEquals(torn.stop.kind, "torn_tail");
  assert(torn.framesReplayed >= 6 && torn.framesReplayed < 14);
  assertEquals(torn.framesUncertain, torn.framesReplayed - 6);
});

Deno.test("recoverLog() begins with the base, and a visitor that refuses leaves the disk as it was", () => {
  const disk = new MemoryDisk();
  append(openWriter(disk), [3, 3]);
  const calls: string[] = [];
  const refusals: readonly (readonly [string, number])[] = [["begin", 0], ["frame", 4]];
  for (const [stage, at] of refusals) {
    const before = disk.operations;
    let frames = 0;
    const recovery = recoverLog(disk, IDENTITY, SMALL, {
      begin: (base) => {
        calls.push(`${stage} from ${readU64(base, TipWord.op)}`);
        return stage === "begin" ? "no snapshot" : undefined;
      },
      frame: () => ++frames === at ? "no command" : undefined,
    });
    assertEquals(recovery.kind, "rejected");
    assertEquals(disk.operations, before);
  }
  assertEquals(calls, ["begin from 0", "frame from 0"]);
  const fresh = new MemoryDisk();
  recoverLog(fresh, IDENTITY, SMALL, { begin: () => "no", frame: () => undefined });
  assertEquals(fresh.operations, 0);
});

Deno.test("recoverLog() refuses the log of another cluster, shard or configuration", () => {
  const disk = new MemoryDisk();
  append(openWriter(disk), [3]);
  const others: readonly (readonly [LogError, Partial<LogIdentity>])[] = [
    ["foreign_cluster", { clusterId: new Uint8Array(16).fill(1) }],
    ["foreign_shard", { shardId: new Uint32Array([1, 0]) }],
    ["configuration_mismatch", { configFingerprint: new Uint8Array(16).fill(1) }],
  ];
  const before = disk.operations;
  for (const [error, other] of others) {
    const recovery = recoverLog(disk, { ...IDENTITY, ...other }, SMALL, ACCEPT);
    assertEquals(recovery, { kind: "corruption", file: "state.wal", at: 0, error });
  }
  assertEquals(disk.operations, before);
});

Deno.test("recoverLog() refuses a payload above its bound", () => {
  const disk = new MemoryDisk();
  append(openWriter(disk), [6]);
  const { recovery } = open(disk, { maxPayloadBytes: 40 });
  assertEquals(recovery.kind === "corruption" && recovery.error, "payload_too_large");
});

Deno.test("recoverLog() answers a failing environment at any operation, and loses nothing by it", () => {
  for (const effect of ["disk_full", "read_only", "io_error"] as const) {
    for (
      const action of [
        "open",
        "read",
        "create",
        "write",
        "sync",
        "rename",
        "sync_directory",
      ] as const
    ) {
      for (let nth = 1;; nth++) {
        const disk = new MemoryDisk();
        const texts = append(openWriter(disk), [4, 4, 4]);
        disk.plan({ nth, action, effect, tornBytes: 100 });
        const { recovery } = open(disk);
        if (recovery.kind === "recovered") break;
        assertEquals(recovery.kind === "disk_fault" && recovery.fault.kind, effect);
        assertEquals(open(disk).frames, texts);
        assertEquals(open(disk.crash("lose")).frames, texts);
      }
    }
  }
});

Deno.test("recoverLog() mends a rotation that stopped between its renames, from a valid next segment only", () => {
  const disk = new MemoryDisk();
  const texts = append(openWriter(disk), [4, 4]);
  const writer = openWriter(disk);
  assert(writer.segments.length > 1);
  const next = disk.readAll("state.wal");
  disk.uninstall("state.wal");
  assertEquals(errorOf(open(disk).recovery), "missing_segment");
  disk.install("state.wal.next", next);
  assertEquals(open(disk.crash("keep")).frames, texts);
  next[700]! ^= 1;
  disk.install("state.wal.next", next);
  assertEquals(open(disk.crash("keep")).recovery.kind, "corruption");
  next[20]! ^= 1;
  disk.install("state.wal.next", next);
  assertEquals(errorOf(open(disk.crash("keep")).recovery), "invalid_header_checksum");
});

Deno.test("recoverLog() ignores a next segment beside an active one, and files that are no segments", () => {
  const disk = new MemoryDisk();
  const texts = append(openWriter(disk), [4, 4]);
  for (const name of ["state.wal.next", "state.wal.1", "state.wal.00000000000000000001.bak", "x"]) {
    disk.install(name, new Uint8Array(100).fill(7));
  }
  assertEquals(open(disk).frames, texts);
});

Deno.test("recoverLog() lets a later segment supersede what earlier ones hold from its base on", () => {
  const first = frameRun([2, 4], () => 50, 1);
  const second = behind(first[3]!, 4, 2);
  const third = behind(first[1]!, 3, 3);
  const disk = new MemoryDisk();
  disk.install("state.wal.00000000000000000001", segmentImage(1n, undefined, first, 2048));
  disk.install("state.wal", segmentImage(2n, first[3], second, 2048));
  const texts = [...first.slice(0, 4), ...second].map(textOfSpec);
  assertEquals(open(disk.crash("keep")).frames, texts);
  disk.install("state.wal.00000000000000000005", segmentImage(2n, first[3], [], 2048).fill(9, 512));
  disk.install("state.wal", segmentImage(3n, first[1], third, 2048));
  assertEquals(open(disk).frames, [...first.slice(0, 2), ...third].map(textOfSpec));
  append(openWriter(disk), [2]);
});

Deno.test("recoverLog() refuses segments that do not join", () => {
  const first = frameRun([2, 2, 4], () => 50, 1);
  const other = frameRun([2, 2, 4], () => 50, 2);
  const joins: readonly (readonly [string, Uint8Array])[] = [
    ["wrong_base", segmentImage(2n, other[3], behind(other[3]!, 2, 1), 2048)],
    ["wrong_base", segmentImage(2n, { ...first[3]!, slot: 9n }, behind(first[3]!, 2, 1), 2048)],
    ["missing_segment", segmentImage(2n, { ...first[7]!, op: 9n }, [], 2048)],
    ["duplicate_generation", segmentImage(1n, first[3], [], 2048)],
    ["misnamed_segment", segmentImage(1n, undefined, [], 2048)],
  ];
  for (const [error, active] of joins) {
    const disk = new MemoryDisk();
    const generation = error === "misnamed_segment" ? 2n : 1n;
    const sealed = segmentImage(generation, undefined, first, 2048);
    disk.install("state.wal.00000000000000000001", sealed);
    disk.install("state.wal", active);
    assertEquals(errorOf(open(disk).recovery), error);
  }
});

Deno.test("recoverLog() starts where its oldest segment does, up to the last op there can be", () => {
  const last = { ...frameRun([1], () => 50)[0]!, op: U64_MAX - 3n, lsn: U64_MAX - 5n };
  const frames = behind(last, 3, 1);
  const disk = new MemoryDisk();
  disk.install("state.wal", segmentImage(9n, last, frames, 2048));
  const { recovery, frames: seen } = open(disk);
  assertEquals(seen, frames.map(textOfSpec));
  const { base, tip } = factsOf(recovery);
  assertEquals([base, tip], [tipOf(last), tipOf(frames[2])]);
  assertEquals(open(disk).frames, seen);
  assertThrows(() => put(openWriter(disk)), AssertionFailure, "log/op-in-range");
});

Deno.test("recoverLog() and LogWriter keep a log in a real directory", async () => {
  const directory = await Deno.makeTempDir({ prefix: "allocdb-log-" });
  try {
    const disk = new DenoDisk(directory);
    const texts: string[] = [];
    for (let life = 0; life < 3; life++) {
      const writer = openWriter(disk);
      texts.push(...append(writer, [4, 1, 5, 3]));
      writer.close();
    }
    const { recovery, frames } = open(disk);
    assertEquals(frames, texts);
    factsOf(recovery);
    if (recovery.kind === "recovered") recovery.writer.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Frames that continue another one, with payloads of their own. */
function behind(before: FrameSpec, count: number, seed: number): FrameSpec[] {
  const frames = frameRun([count], () => 60, 100 + seed).map((frame, i) => ({
    ...frame,
    op: before.op + 1n + BigInt(i),
    lsn: before.lsn + 1n + BigInt(i),
    slot: before.slot,
    synced: before.op,
  }));
  return chained(frames, before);
}

function factsOf(recovery: LogRecovery): RecoveryFacts {
  if (recovery.kind !== "recovered") throw new Error(JSON.stringify(recovery));
  return recovery.facts;
}

function errorOf(recovery: LogRecovery): string {
  return recovery.kind === "corruption" ? recovery.error : recovery.kind;
}
