/** What the segments of a log hold, each by itself, so that damage in one hides nothing in the others. */
import { createLogBuffer } from "../../core/log_frame.ts";
import { LogScan, type ScanStop } from "../../core/log_scan.ts";
import {
  baseOp,
  decodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "../../core/log_segment.ts";
import { equalTips, type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import type { Disk } from "../disk.ts";
import { DiskFault } from "../disk.ts";
import { lastOps, sealedName, SEGMENT_BYTES_MAX } from "../log/files.ts";

/** Largest payload that any version writes. */
const PAYLOAD_BYTES_MAX = 0xff_ffff;
const SEGMENT_NAME = /^state\.wal(\.next|\.\d{20})?$/;

/** One file of a log. */
export interface SegmentReport {
  readonly name: string;
  readonly bytes: number;
  /** `sound`, `superseded` by later segments as a whole, or what is wrong. */
  readonly state: string;
  readonly generation: bigint | undefined;
  /** Of the first frame that stands in it or would. */
  readonly firstOp: bigint | undefined;
  /** The last frame that counts. */
  readonly lastOp: bigint | undefined;
  readonly frames: number;
  readonly firstView: bigint | undefined;
  readonly lastView: bigint | undefined;
  /** Bytes from the start that hold sound frames. */
  readonly validBytes: number;
  /** How the reading ended. */
  readonly ends: ScanStop["kind"] | undefined;
}

/** Where a log ends, as far as it can be followed. */
export interface TipReport {
  readonly op: bigint;
  readonly lsn: bigint;
  readonly slot: bigint;
  readonly view: bigint;
  /** 16 hex digits. */
  readonly hash: string;
  /** The highest op that a frame says was durable. */
  readonly syncedOp: bigint;
}

/** A log. */
export interface LogReport {
  /** In the order in which they were made; those without a header last. */
  readonly segments: readonly SegmentReport[];
  /** The op of the first frame that can be read back, there or still to come. */
  readonly firstOp: bigint | undefined;
  readonly tip: TipReport | undefined;
  readonly problems: readonly string[];
  /** Whose log it says it is. */
  readonly identities: readonly SegmentHeader["identity"][];
}

/** 16 hex digits. */
export function hashText(hash: bigint): string {
  return hash.toString(16).padStart(16, "0");
}

/** A tip as a report. */
export function tipReport(tip: Tip, synced: Uint32Array): TipReport {
  return {
    op: readU64(tip, TipWord.op),
    lsn: readU64(tip, TipWord.lsn),
    slot: readU64(tip, TipWord.slot),
    view: readU64(tip, TipWord.view),
    hash: hashText(readU64(tip, TipWord.hash)),
    syncedOp: readU64(synced, 0),
  };
}

/**
 * Reads every segment of a directory, whatever is wrong with it.
 *
 * @param disk The directory.
 */
export function inspectLog(disk: Disk): LogReport {
  const problems: string[] = [];
  const sound: { name: string; header: SegmentHeader }[] = [];
  const headless: SegmentReport[] = [];
  const names = disk.list().filter((name) => SEGMENT_NAME.test(name)).sort();
  const counting = names.includes("state.wal") ? names.filter((n) => !n.endsWith(".next")) : names;
  for (const name of counting) {
    const header = headerOf(disk, name);
    if (typeof header !== "string") sound.push({ name, header });
    else {
      headless.push(withoutHeader(disk, name, header));
      problems.push(`${name}: ${header}`);
    }
  }
  sound.sort((a, b) => (a.header.generation < b.header.generation ? -1 : 1));
  return { ...followSegments(disk, sound, headless, problems), problems };
}

function followSegments(
  disk: Disk,
  files: readonly { readonly name: string; readonly header: SegmentHeader }[],
  headless: readonly SegmentReport[],
  problems: string[],
): Omit<LogReport, "problems"> {
  const last = lastOps(files.map((file) => file.header));
  const segments: SegmentReport[] = [];
  let reached: { tip: Tip; synced: Uint32Array } | undefined;
  let firstOp: bigint | undefined;
  for (const [i, { name, header }] of files.entries()) {
    const isNewest = i === files.length - 1;
    if (!isNewest && name !== sealedName(baseOp(header))) {
      problems.push(`${name}: misnamed_segment`);
    }
    const until = last[i];
    if (until !== undefined && until < baseOp(header)) {
      segments.push({ ...blank(disk, name, header), state: "superseded" });
      continue;
    }
    if (reached !== undefined && !equalTips(reached.tip, header.base)) {
      problems.push(`${name}: does not follow on the segment before it`);
    }
    firstOp ??= baseOp(header);
    const scanned = scanSegment(disk, name, header, until);
    segments.push(scanned.report);
    if (scanned.report.state !== "sound") problems.push(`${name}: ${scanned.report.state}`);
    reached = scanned.reached;
  }
  const tip = reached === undefined ? undefined : tipReport(reached.tip, reached.synced);
  const identities = files.map((file) => file.header.identity);
  return { segments: [...segments, ...headless], firstOp, tip, identities };
}

function scanSegment(
  disk: Disk,
  name: string,
  header: SegmentHeader,
  until: bigint | undefined,
): { report: SegmentReport; reached: { tip: Tip; synced: Uint32Array } } {
  const scan = new LogScan();
  const report = blank(disk, name, header);
  const bytes = report.bytes;
  const reached = {
    tip: header.base.slice(),
    synced: header.base.slice(TipWord.op, TipWord.op + 2),
  };
  if (bytes !== header.bytes || bytes > SEGMENT_BYTES_MAX || bytes % 512 !== 0) {
    return {
      report: { ...report, state: `segment_cut: ${bytes} of ${header.bytes} bytes` },
      reached,
    };
  }
  const buffer = createLogBuffer(bytes);
  const failed = fill(disk, name, buffer.bytes);
  if (failed !== undefined) return { report: { ...report, state: failed }, reached };
  const last = until === undefined ? undefined : wordsOf(until);
  scan.start({
    ...{ buffer, file: name, at: SEGMENT_HEADER_BYTES, end: bytes, base: header.base, last },
    payloadBytesMax: PAYLOAD_BYTES_MAX,
  });
  let frames = 0;
  let firstView: bigint | undefined;
  while (scan.next()) {
    frames++;
    firstView ??= readU64(scan.tip, TipWord.view);
  }
  const stop = scan.stop!;
  const isSound = stop.kind !== "corruption";
  return {
    report: {
      ...report,
      state: isSound ? "sound" : `${stop.error} at byte ${stop.at}`,
      ends: stop.kind,
      frames,
      firstView,
      lastView: frames === 0 ? undefined : readU64(scan.tip, TipWord.view),
      lastOp: frames === 0 ? undefined : readU64(scan.tip, TipWord.op),
      validBytes: isSound ? stop.validUpTo : stop.at,
    },
    reached: { tip: scan.tip, synced: scan.synced },
  };
}

function headerOf(disk: Disk, name: string): SegmentHeader | string {
  const sector = new Uint8Array(SEGMENT_HEADER_BYTES);
  try {
    const file = disk.open(name);
    const filled = file.read(0, sector);
    file.close();
    return decodeSegmentHeader(sector.subarray(0, filled));
  } catch (error) {
    if (error instanceof DiskFault) return error.message;
    throw error;
  }
}

function fill(disk: Disk, name: string, into: Uint8Array): string | undefined {
  const file = disk.open(name);
  try {
    const filled = file.read(0, into);
    return filled === into.length ? undefined : `segment_cut: ${filled} of ${into.length} bytes`;
  } catch (error) {
    if (error instanceof DiskFault) return error.message;
    throw error;
  } finally {
    file.close();
  }
}

function blank(disk: Disk, name: string, header: SegmentHeader): SegmentReport {
  return {
    name,
    bytes: disk.size(name) ?? 0,
    state: "sound",
    generation: header.generation,
    firstOp: baseOp(header),
    lastOp: undefined,
    frames: 0,
    firstView: undefined,
    lastView: undefined,
    validBytes: SEGMENT_HEADER_BYTES,
    ends: undefined,
  };
}

function withoutHeader(disk: Disk, name: string, state: string): SegmentReport {
  return {
    ...{ name, bytes: disk.size(name) ?? 0, state, frames: 0, validBytes: 0, ends: undefined },
    ...{ generation: undefined, firstOp: undefined, lastOp: undefined },
    ...{ firstView: undefined, lastView: undefined },
  };
}

function wordsOf(value: bigint): Uint32Array {
  const words = new Uint32Array(2);
  writeU64(words, 0, value);
  return words;
}
