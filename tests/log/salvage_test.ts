// A replica that has peers can be helped when its disk has changed what it wrote. Whatever bit of a small log flips, the log
// must come back whole, be mended with frames from a peer, or be cut to what is sound and say that it proves nothing:
// it must never show other frames, nor claim an end that is not its end.
import { assert, assertEquals } from "@std/assert";
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
import { append, open, openWriter, SMALL, textOf } from "../support/log_driver.ts";
import { IDENTITY } from "../support/log_frames.ts";
import { MemoryDisk } from "../support/memory_disk.ts";
import { SeededRandom } from "../support/seeded_random.ts";

const SIZES = { ...SMALL, segmentBytes: 1536, batchBytes: 1024, zeroAheadBytes: 0 };

/** A log, what it holds, and a peer that holds the same. */
interface Sound {
  readonly disk: MemoryDisk;
  readonly texts: readonly string[];
  readonly tip: Tip;
  readonly peer: LogWriter;
}

function soundLog(batches: readonly number[]): Sound {
  const disk = new MemoryDisk();
  const texts = append(openWriter(disk, SIZES), batches);
  const peer = openWriter(disk.crash("keep"), SIZES);
  return { disk, texts, tip: peer.tip.slice(), peer };
}

const SOUND = soundLog([2, 2, 3, 1, 2, 3, 2, 3, 3, 2]);

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
    assertEquals(resetLog(disk, IDENTITY, SIZES, sound.tip), { kind: "done" });
    const { recovery, frames } = open(disk, SIZES);
    assert(recovery.kind === "recovered" && frames.length === 0);
    assertEquals(recovery.facts.base, sound.tip);
    return "reset";
  }
  assertEquals(result, { kind: "done" });
  const { recovery, frames } = open(disk, SIZES);
  assert(recovery.kind === "recovered", Deno.inspect(recovery));
  assertEquals(recovery.facts.tip, prefixTip);
  assertEquals(frames, sound.texts.slice(0, Number(readU64(prefixTip, TipWord.op))));
  return "truncated";
}

function assertWhole(disk: MemoryDisk, sound: Sound): void {
  const { recovery, frames } = open(disk, SIZES);
  assertEquals(recovery.kind, "recovered");
  assertEquals(frames, sound.texts);
}

Deno.test("salvageLog() ends whole, mended or cut after a flip of any bit of any segment", () => {
  const ends = new Map<string, number>();
  for (const name of SOUND.disk.list()) {
    for (let bit = 0; bit < SIZES.segmentBytes * 8; bit++) {
      const disk = SOUND.disk.crash("keep");
      disk.contents(name)[bit >> 3]! ^= 1 << (bit & 7);
      const end = follow(disk, salvage(disk), SOUND);
      ends.set(end, (ends.get(end) ?? 0) + 1);
      // Only the end of the log can be in doubt.
      if (name !== "state.wal") assert(end !== "truncated" && end !== "reset", `${name} ${bit}`);
    }
  }
  assertEquals([...ends.keys()].sort(), ["header mended", "mended", "truncated", "whole"]);
});
