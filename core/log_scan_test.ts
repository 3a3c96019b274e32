// The scan decides what is history, what a crash tore, and what is damage. Too lenient loses or invents
// acknowledged commands, too strict refuses to start after a mere crash.
import { assertEquals } from "@std/assert";
import { assertGolden } from "../tests/support/golden.ts";
import {
  chained,
  frameRun,
  type FrameSpec,
  hashOf,
  IDENTITY,
  layOut,
  writeSpec,
} from "../tests/support/log_frames.ts";
import { SeededRandom } from "../testbed/sim/random.ts";
import { FrameKind, type LogBuffer } from "./log_frame.ts";
import { LogScan, type ScanStop } from "./log_scan.ts";
import { encodeSegmentHeader, genesisTip, SEGMENT_HEADER_BYTES } from "./log_segment.ts";
import { createTip, type Tip, TipWord } from "./log_tip.ts";
import { readU64, writeU64 } from "./words.ts";

const BYTES = 4096;
const SECTOR = 512;
/** Frames of 144 bytes in batches of 2, 3 and 3: the last batch is at [1232, 1664), over three sectors. */
const RUN = frameRun([2, 3, 3], () => 79);
const FRAME = 144;

Deno.test("LogScan reads the frames in order and ends at the zeros", () => {
  const { seen, stop, tip, synced } = scan(layOut(RUN, BYTES));
  assertEquals(seen, RUN);
  assertEquals(stop, { kind: "clean_eof", file: "a", validUpTo: offsetOf(8) });
  assertEquals([readU64(tip, TipWord.op), readU64(tip, TipWord.hash)], [8n, hashOf(RUN[7]!)]);
  assertEquals(readU64(synced, 0), 5n);
});

Deno.test("LogScan reads a segment of version 1", () => {
  const segment = layOut(RUN, BYTES);
  const header = { identity: IDENTITY, generation: 1n, base: genesisTip(IDENTITY), bytes: BYTES };
  segment.bytes.set(encodeSegmentHeader(header));
  assertGolden("log_scan_v1", segment.bytes);
});

Deno.test("LogScan reads a segment that frames fill to its last byte", () => {
  const frames = frameRun([9], (i) => i < 8 ? 376 : 0);
  const bytes = SEGMENT_HEADER_BYTES + 8 * 448 + 72;
  assertEquals(scan(layOut(frames, bytes)).stop, {
    kind: "clean_eof",
    file: "a",
    validUpTo: bytes,
  });
});

Deno.test("LogScan stops behind the last op that counts, whatever follows", () => {
  for (const damage of [false, true]) {
    const segment = layOut(RUN, BYTES);
    if (damage) segment.bytes.fill(0x33, offsetOf(5));
    const { seen, stop } = scan(segment, { last: 5n });
    assertEquals(seen, RUN.slice(0, 5));
    assertEquals(stop, { kind: "clean_eof", file: "a", validUpTo: offsetOf(5) });
  }
});

Deno.test("LogScan misses frames that a later segment continues", () => {
  assertEquals(scan(layOut(RUN, BYTES), { last: 9n }).stop, corruption(8, "missing_segment"));
});

Deno.test("LogScan goes on from any base, across the words of a u64", () => {
  for (const op of [0xffff_fffdn, 0xffff_ffff_ffff_fff7n]) {
    const base = createTip();
    for (const [i, value] of [op, op - 2n, 5n, 3n, 99n].entries()) writeU64(base, i * 2, value);
    const frames = chained(RUN.map((frame, i) => ({
      ...frame,
      op: op + 1n + BigInt(i),
      lsn: op - 1n + BigInt(i),
      slot: 5n,
      view: 3n,
      synced: op,
      previousHash: 99n,
    })));
    assertEquals(scan(layOut(frames, BYTES), { base }).seen, frames);
  }
});

Deno.test("LogScan takes protocol entries and markers without an lsn of their own", () => {
  const frames = chained([
    RUN[0]!,
    { ...RUN[1]!, kind: FrameKind.protocol, lsn: 1n },
    { ...RUN[2]!, kind: FrameKind.snapshot_marker, lsn: 1n, payload: new Uint8Array() },
    { ...RUN[3]!, kind: FrameKind.internal_command, lsn: 2n },
  ]);
  assertEquals(scan(layOut(frames, BYTES)).seen, frames);
});

Deno.test("LogScan refuses a sound frame that breaks one rule of the order", () => {
  const rules: readonly (readonly [string, Partial<FrameSpec>])[] = [
    ["non_contiguous_op", { op: 5n }],
    ["non_contiguous_op", { op: 7n }],
    ["non_contiguous_lsn", { lsn: 5n }],
    ["non_contiguous_lsn", { lsn: 7n }],
    ["non_contiguous_lsn", { kind: FrameKind.protocol }],
    ["rewound_request_slot", { slot: 1n }],
    ["rewound_view", { view: 0n }],
    ["invalid_synced_op", { synced: 1n }],
    ["invalid_synced_op", { synced: 6n }],
    ["broken_hash_chain", { previousHash: 1n }],
  ];
  for (const [error, change] of rules) {
    const frames = [...RUN.slice(0, 5), { ...RUN[5]!, ...change }];
    const { seen, stop } = scan(layOut(frames, BYTES));
    assertEquals([seen.length, stop], [5, corruption(5, error)]);
  }
  const lowerView = chained(RUN.map((frame, i) => ({ ...frame, view: i === 5 ? 2n : 3n })));
  assertEquals(scan(layOut(lowerView, BYTES)).stop, corruption(5, "rewound_view"));
});

Deno.test("LogScan takes a lost sector of the last batch for a torn tail, or for the end", () => {
  for (const [lost, kept] of [[[2], 5], [[3], 7], [[2, 3], 5]] as const) {
    const segment = layOut(RUN, BYTES);
    for (const sector of lost) zeroUnsynced(segment, sector);
    const { seen, stop } = scan(segment);
    const expected = lost.length === 2 ? { ...torn(kept), kind: "clean_eof" } : torn(kept);
    assertEquals([seen.length, stop], [kept, expected]);
  }
});

Deno.test("LogScan refuses a lost sector that a later frame claims to be synced", () => {
  const segment = layOut(RUN, BYTES);
  segment.bytes.fill(0, SECTOR, 2 * SECTOR);
  assertEquals(scan(segment).stop, corruption(0, "unwritten_sector_before_synced_frame"));
  const longer = layOut(frameRun([2, 3, 8], () => 79), BYTES);
  longer.bytes.fill(0, 2 * SECTOR, 3 * SECTOR);
  assertEquals(scan(longer).stop, corruption(3, "unwritten_sector_before_synced_frame"));
});

Deno.test("LogScan believes no claim that is not in a sound header, or that claims too much", () => {
  const claims: readonly (readonly [bigint, boolean, boolean])[] = [
    [6n, true, true],
    [5n, true, false],
    [9n, true, false],
    [6n, false, false],
  ];
  for (const [synced, isSound, isBelieved] of claims) {
    const segment = layOut(RUN.slice(0, 5), BYTES);
    writeSpec(segment, 3000, { ...RUN[7]!, op: 9n, synced });
    if (!isSound) segment.bytes[3063]! ^= 1;
    const error = "unwritten_sector_before_synced_frame";
    assertEquals(scan(segment).stop, isBelieved ? corruption(5, error) : torn(5));
  }
});

Deno.test("LogScan refuses a lost sector before the last op that counts", () => {
  const segment = layOut(RUN, BYTES);
  zeroUnsynced(segment, 2);
  const { stop } = scan(segment, { last: 8n });
  assertEquals(stop, corruption(5, "unwritten_sector_before_synced_frame"));
});

Deno.test("LogScan refuses zeros that no whole sector explains", () => {
  for (const [from, end] of [[1240, 1244], [1536, 1600], [1400, 1528]] as const) {
    const segment = layOut(RUN, BYTES);
    segment.bytes.fill(0, from, end);
    assertEquals(scan(segment).stop.kind, "corruption", `${from}`);
  }
});

Deno.test("LogScan tells a tail torn in every mixture of sectors, and keeps a prefix of its batch", () => {
  const frames = frameRun([4, 30], (i) => i % 5 * 97);
  const whole = layOut(frames, 16 * SECTOR + BYTES);
  const synced = layOut(frames.slice(0, 4), 16 * SECTOR + BYTES);
  const end = scan(synced).stop.kind === "clean_eof" ? scan(synced).end : 0;
  for (let seed = 0; seed < 500; seed++) {
    const random = new SeededRandom(seed);
    const segment = layOut(frames, 16 * SECTOR + BYTES);
    for (let at = 0; at < segment.bytes.length; at += SECTOR) {
      const old = synced.bytes.subarray(at, at + SECTOR);
      if (random.oneIn(2)) segment.bytes.set(old, at);
    }
    const { seen, stop } = scan(segment);
    assertEquals(stop.kind === "corruption", false, `seed ${seed}: ${JSON.stringify(stop)}`);
    assertEquals(seen, frames.slice(0, seen.length));
    const lost = segment.bytes.findIndex((byte, i) => byte !== whole.bytes[i]);
    if (lost < 0) assertEquals(seen.length, frames.length);
    else assertEquals(seen.length >= 4 && scan(segment).end >= end, true);
  }
});

Deno.test("LogScan ignores stray bytes behind a zero sector and refuses them in the next header's place", () => {
  const segment = layOut(RUN, BYTES);
  segment.bytes[3000] = 1;
  assertEquals(scan(segment).stop, torn(8));
  const close = layOut(RUN, BYTES);
  close.bytes[offsetOf(8) + 20] = 1;
  assertEquals(scan(close).stop, corruption(8, "invalid_magic"));
});

Deno.test("LogScan never throws, however its bytes were made", () => {
  const random = new SeededRandom(5);
  const kinds = new Set<string>();
  for (let round = 0; round < 2000; round++) {
    const segment = layOut(RUN, BYTES);
    for (let i = random.below(4); i >= 0; i--) {
      const at = SEGMENT_HEADER_BYTES + random.below(1500);
      random.fill(segment.bytes.subarray(at, at + random.below(random.oneIn(3) ? 600 : 9)));
    }
    const { seen, stop } = scan(segment);
    assertEquals(seen, RUN.slice(0, seen.length));
    kinds.add(stop.kind === "corruption" ? stop.error : stop.kind);
  }
  assertEquals(kinds.has("invalid_payload_checksum") && kinds.has("invalid_magic"), true);
});

interface Scanned {
  seen: FrameSpec[];
  stop: ScanStop;
  tip: Tip;
  synced: Uint32Array;
  end: number;
}

function scan(buffer: LogBuffer, range: { base?: Tip; last?: bigint } = {}): Scanned {
  const { base = genesisTip(IDENTITY), last } = range;
  const lastWords = new Uint32Array(2);
  writeU64(lastWords, 0, last ?? 0n);
  const scan = new LogScan();
  scan.start({
    buffer,
    file: "a",
    at: SEGMENT_HEADER_BYTES,
    end: buffer.bytes.length,
    base,
    last: last === undefined ? undefined : lastWords,
    payloadBytesMax: 4096,
  });
  const seen: FrameSpec[] = [];
  const { frame, tip, synced } = scan;
  while (scan.next()) {
    seen.push({
      kind: frame.kind,
      op: readU64(frame.words, frame.opAt),
      lsn: readU64(frame.words, frame.lsnAt),
      slot: readU64(frame.words, frame.slotAt),
      view: readU64(frame.words, frame.viewAt),
      synced: readU64(frame.words, frame.syncedAt),
      previousHash: readU64(frame.words, frame.previousHashAt),
      payload: frame.bytes.slice(frame.payloadAt, frame.payloadAt + frame.payloadBytes),
    });
  }
  const stop = scan.stop!;
  return { seen, stop, tip, synced, end: stop.kind === "corruption" ? stop.at : stop.validUpTo };
}

/** What a crash leaves of a sector that the last batch wrote to: the batches before it. */
function zeroUnsynced(segment: LogBuffer, sector: number): void {
  segment.bytes.fill(0, Math.max(sector * SECTOR, offsetOf(5)), sector * SECTOR + SECTOR);
}

function offsetOf(frame: number): number {
  return SEGMENT_HEADER_BYTES + frame * FRAME;
}

function corruption(frame: number, error: string): ScanStop {
  return { kind: "corruption", file: "a", at: offsetOf(frame), error } as ScanStop;
}

function torn(frame: number): ScanStop {
  return { kind: "torn_tail", file: "a", validUpTo: offsetOf(frame) };
}
