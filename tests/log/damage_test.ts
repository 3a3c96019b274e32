// Bytes change on a disk that nobody wrote to. Whatever is done to the files of a small log in which every
// frame was acknowledged, opening it must show exactly those frames or refuse by name: never others, never
// fewer. Two segments, five batches, ten frames; every bit, every cut, every exchange of frames and files.
import { assert, assertEquals } from "@std/assert";
import { frameBytes, payloadBytesAt } from "../../core/log_frame.ts";
import { SEGMENT_HEADER_BYTES } from "../../core/log_segment.ts";
import type { LogRecovery } from "../../node/log/recovery.ts";
import { append, open, openWriter } from "../support/log_driver.ts";
import { chained, frameRun, segmentImage } from "../support/log_frames.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const SIZES = { segmentBytes: 1536, batchBytes: 1024, zeroAheadBytes: 0 };
const MAGIC = new TextEncoder().encode("ADSEG1\0\0");
const SEALED = "state.wal.00000000000000000001";
const ACTIVE = "state.wal";

const SOUND = new MemoryDisk();
const TEXTS = append(openWriter(SOUND, SIZES), [2, 2, 3, 1, 2]);
assertEquals(SOUND.list().sort(), [ACTIVE, SEALED]);

Deno.test("recoverLog() refuses or shows all frames after a flip of any bit of any segment", () => {
  const errors = new Map<string, number>();
  for (const name of [SEALED, ACTIVE]) {
    const used = usedBytes(SOUND.readAll(name));
    for (let bit = 0; bit < SIZES.segmentBytes * 8; bit++) {
      const disk = SOUND.crash("keep");
      disk.contents(name)[bit >> 3]! ^= 1 << (bit & 7);
      const kind = judge(disk);
      errors.set(kind, (errors.get(kind) ?? 0) + 1);
      if (bit < used * 8) assert(kind !== "recovered", `${name} bit ${bit} makes no difference`);
    }
  }
  assertEquals([...errors.keys()].sort(), [
    "invalid_header_checksum",
    "invalid_magic",
    "invalid_payload_checksum",
    "recovered",
  ]);
});

Deno.test("recoverLog() refuses a segment that was cut at any byte, or made longer", () => {
  for (const name of [SEALED, ACTIVE]) {
    const bytes = SOUND.readAll(name);
    for (let length = 0; length < bytes.length; length++) {
      const disk = SOUND.crash("keep");
      disk.install(name, bytes.subarray(0, length));
      assertEquals(judge(disk), "segment_cut");
    }
    const longer = SOUND.crash("keep");
    longer.install(name, new Uint8Array([...bytes, ...new Uint8Array(512)]));
    assertEquals(judge(longer), "segment_cut");
  }
});

Deno.test("recoverLog() refuses frames exchanged, repeated in place of others, or left out", () => {
  const frames = frameRun([2, 3, 3], () => 79);
  const errors = new Set<string>();
  const refused = (changed: typeof frames): void => {
    const disk = new MemoryDisk();
    disk.install(ACTIVE, segmentImage(1n, undefined, changed, 2048));
    const { recovery } = open(disk);
    assertEquals(recovery.kind, "corruption");
    errors.add(recovery.kind === "corruption" ? recovery.error : "");
  };
  for (let i = 0; i < frames.length; i++) {
    for (let j = 0; j < frames.length; j++) {
      if (i === j) continue;
      const copied = frames.with(i, frames[j]!);
      refused(copied);
      refused(copied.with(j, frames[i]!));
      refused(chained(copied));
    }
    refused(frames.toSpliced(i, 0, frames[i]!));
    if (i === frames.length - 1) continue;
    refused(frames.toSpliced(i, 1));
    refused(frames.with(i, { ...frames[i]!, payload: frames[i + 1]!.payload }));
  }
  assertEquals([...errors].sort(), ["broken_hash_chain", "non_contiguous_op"]);
});

Deno.test("recoverLog() refuses a frame of another history that fits in every other way", () => {
  const ours = frameRun([8], () => 79, 1);
  const theirs = frameRun([8], () => 79, 2);
  for (let i = 0; i < 7; i++) {
    const disk = new MemoryDisk();
    disk.install(ACTIVE, segmentImage(1n, undefined, ours.with(i, theirs[i]!), 2048));
    const { recovery } = open(disk);
    assertEquals(recovery.kind === "corruption" && recovery.error, "broken_hash_chain");
  }
});

Deno.test("recoverLog() refuses zeros over any frame but the end of the last batch", () => {
  const frames = frameRun([3, 3, 4], () => 79);
  const image = segmentImage(1n, undefined, frames, 2560);
  for (let first = 0; first < frames.length; first++) {
    for (let last = first; last < frames.length; last++) {
      const disk = new MemoryDisk();
      const from = SEGMENT_HEADER_BYTES + first * 144;
      disk.install(ACTIVE, image.slice().fill(0, from, SEGMENT_HEADER_BYTES + (last + 1) * 144));
      const { recovery, frames: seen } = open(disk);
      // A crash before the last sync leaves the same bytes: one node cannot tell.
      const looksUnsynced = last === frames.length - 1;
      if (!looksUnsynced && recovery.kind === "recovered") {
        assert(first >= 6, `${first} to ${last}`);
      } else assertEquals(recovery.kind === "recovered", looksUnsynced, `${first} to ${last}`);
      if (recovery.kind === "recovered") assertEquals(seen.length, first);
    }
  }
});

Deno.test("recoverLog() refuses segments exchanged, repeated or missing", () => {
  const disk = new MemoryDisk();
  const writer = openWriter(disk, SIZES);
  const texts = append(writer, [4, 4, 4, 4, 4, 4]);
  const names = writer.segments.map((segment) => segment.name);
  assert(names.length >= 4);
  const accepted = (change: (disk: MemoryDisk) => void): boolean => {
    const changed = disk.crash("keep");
    change(changed);
    const { recovery, frames } = open(changed);
    if (recovery.kind !== "recovered") return false;
    assertEquals(frames, texts);
    return true;
  };
  for (const [i, name] of names.entries()) {
    for (const other of names) {
      if (name === other) continue;
      const [here, there] = [disk.readAll(name), disk.readAll(other)];
      assert(!accepted((disk) => disk.install(name, there)), `${other} as ${name}`);
      assert(
        !accepted((disk) => {
          disk.install(name, there);
          disk.install(other, here);
        }),
        `${name} and ${other} exchanged`,
      );
    }
    const copy = `${ACTIVE}.00000000000000000099`;
    assert(!accepted((disk) => disk.install(copy, disk.readAll(name))), `${name} twice`);
    if (i > 0) assert(!accepted((disk) => disk.uninstall(name)), `no ${name}`);
  }
});

Deno.test("recoverLog() without its oldest segment says where the log begins now", () => {
  const disk = SOUND.crash("keep");
  disk.uninstall(SEALED);
  const { recovery, frames } = open(disk);
  const kept = TEXTS.length - frames.length;
  assert(kept > 0);
  assertEquals(frames, TEXTS.slice(kept));
  assertEquals(recovery.kind === "recovered" && recovery.facts.base[0], kept);
});

Deno.test("recoverLog() never throws, whatever the files hold", () => {
  const random = new SeededRandom(11);
  const kinds = new Set<string>();
  for (let round = 0; round < 3000; round++) {
    const disk = SOUND.crash("keep");
    for (let i = random.below(3); i >= 0; i--) mutate(disk, random);
    const { recovery, frames } = open(disk);
    kinds.add(nameOf(recovery));
    if (recovery.kind !== "recovered") continue;
    const skipped = recovery.facts.base[0]!;
    assertEquals(frames, TEXTS.slice(skipped, skipped + frames.length));
  }
  assert(kinds.size >= 7, [...kinds].join());
});

Deno.test("recoverLog() never throws on files of random bytes", () => {
  const random = new SeededRandom(12);
  for (let round = 0; round < 1000; round++) {
    const disk = new MemoryDisk();
    for (const name of [SEALED, ACTIVE, "state.wal.next"]) {
      const bytes = random.fill(new Uint8Array(random.below(1200)));
      if (random.oneIn(2) && bytes.length >= 12) bytes.set(MAGIC, 4);
      if (random.oneIn(2)) disk.install(name, bytes);
    }
    const hasSegments = disk.list().some((name) => name !== "state.wal.next");
    assertEquals(open(disk).recovery.kind, hasSegments ? "corruption" : "recovered");
  }
});

/** How the log of a disk opens; fails the test when it opens with other frames than were acknowledged. */
function judge(disk: MemoryDisk): string {
  const { recovery, frames } = open(disk, SIZES);
  if (recovery.kind === "recovered") {
    assertEquals(frames, TEXTS);
    assertEquals(open(disk, SIZES).frames, TEXTS);
  }
  return nameOf(recovery);
}

function nameOf(recovery: LogRecovery): string {
  return recovery.kind === "corruption" ? recovery.error : recovery.kind;
}

/** One past the last frame of a segment. */
function usedBytes(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.slice().buffer);
  let at = SEGMENT_HEADER_BYTES;
  while (at < bytes.length && words[at / 4 + 2] !== 0) {
    at += frameBytes(payloadBytesAt(words, at / 4));
  }
  return at;
}

function mutate(disk: MemoryDisk, random: SeededRandom): void {
  const name = [SEALED, ACTIVE][random.below(2)]!;
  if (disk.size(name) === undefined) return;
  const bytes = disk.contents(name);
  const at = random.below(bytes.length);
  const length = random.below(random.oneIn(2) ? 8 : 600);
  switch (random.below(6)) {
    case 0:
      return void random.fill(bytes.subarray(at, at + length));
    case 1:
      return void bytes.fill(0, at - at % 512, at - at % 512 + 512);
    case 2:
      return void bytes.copyWithin(at - at % 8, random.below(128) * 8, random.below(192) * 8);
    case 3:
      return disk.install(name, bytes.subarray(0, at));
    case 4:
      return disk.uninstall(name);
    default:
      return void (bytes[at]! ^= 1 << random.below(8));
  }
}
