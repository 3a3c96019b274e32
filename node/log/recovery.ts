/** Opens a log: reads all of it, decides what its tail means, and makes what it shows durable. Source: docs/storage.md#recovery. */
import type { ScanStop } from "../../core/log_scan.ts";
import {
  baseOp,
  genesisTip,
  type LogIdentity,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "../../core/log_segment.ts";
import { type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { type Disk, DiskFault, type DiskFile } from "../disk.ts";
import {
  ACTIVE_SEGMENT,
  findSegments,
  installSegment,
  type LogSegment,
  NEXT_SEGMENT,
  removeFiles,
  sealedName,
  type SegmentFile,
} from "./files.ts";
import { SegmentIndex } from "./index.ts";
import { type LogFailure, LogReplay, type LogVisitor, type UncertainTail } from "./replay.ts";
import { isUnreadable } from "./rescue.ts";
import { assessLog, type LogDamage, type SalvageOptions } from "./salvage.ts";
import { dropSuperseded } from "./segments.ts";
import { type LogOptions, LogWriter } from "./store.ts";

/** How to open a log. */
export interface RecoverOptions extends LogOptions {
  /** Whether a directory without a log is a new one; otherwise its log is missing. */
  readonly expectFresh: boolean;
}

/** What recovery found, for the operator's log line and for whoever joins snapshot and log. */
export interface RecoveryFacts {
  /** Whether the log was made just now. */
  readonly isFresh: boolean;
  /** How the newest segment ended: never corruption. */
  readonly stop: ScanStop;
  /** Frames that the visitor saw. */
  readonly framesReplayed: number;
  /** Of these, at the end, those that nothing proved to be durable before recovery made them so. */
  readonly framesUncertain: number;
  /** The last frame before the log's first. */
  readonly base: Tip;
  /** The last frame. */
  readonly tip: Tip;
  /** Files of the log as it is now. */
  readonly segments: number;
}

/** A log that is open, or why it is not. */
export type LogRecovery =
  | {
    readonly kind: "recovered";
    readonly writer: LogWriter;
    readonly facts: RecoveryFacts;
  }
  | LogFailure;

/**
 * Opens the log of a data directory.
 *
 * @param disk The data directory.
 * @param identity Whose log it must be.
 * @param options Sizes, and whether the log may be made.
 * @param visitor Sees every frame before anything is written.
 * @returns The writer behind the last frame, or why there is none. Never throws for bytes, however bad.
 */
export function recoverLog(
  disk: Disk,
  identity: LogIdentity,
  options: RecoverOptions,
  visitor: LogVisitor,
): LogRecovery {
  try {
    const found = findSegments(disk, identity);
    if (found.kind === "none") {
      if (!options.expectFresh) return { kind: "missing_log" };
      return createLog(disk, identity, options, visitor);
    }
    if (found.kind === "corruption") return found;
    return reopen(disk, options, visitor, found.segments, []);
  } catch (error) {
    if (error instanceof DiskFault) return { kind: "disk_fault", fault: error };
    throw error;
  }
}

/**
 * Opens the log of a replica that has peers: as {@linkcode recoverLog}, but damage is looked into rather than only refused.
 * Damage in files that the log does not need is passed over.
 *
 * @param disk The data directory.
 * @param identity Whose log it must be.
 * @param options Sizes, whether the log may be made, and what a snapshot covers.
 * @param visitor As for {@linkcode recoverLog}; it may be begun twice, and when the log is damaged what it has seen is a
 *   part of the log.
 * @returns The writer behind the last frame, what is left of the log, or why there is neither.
 */
export function salvageLog(
  disk: Disk,
  identity: LogIdentity,
  options: RecoverOptions & SalvageOptions,
  visitor: LogVisitor,
): LogRecovery | LogDamage {
  const recovery = recoverLog(disk, identity, options, visitor);
  const place = placeOfDamage(recovery);
  if (place === undefined) return recovery;
  try {
    return salvage(disk, identity, options, visitor, place);
  } catch (error) {
    if (error instanceof DiskFault) return { kind: "disk_fault", fault: error };
    throw error;
  }
}

/** Where something is damaged that may be looked into: wrong bytes, or none that can be read. */
function placeOfDamage(
  recovery: LogRecovery,
): Pick<LogDamage, "file" | "at" | "error"> | undefined {
  if (recovery.kind === "corruption") return recovery;
  if (recovery.kind !== "disk_fault" || !isUnreadable(recovery.fault)) return undefined;
  return { file: recovery.fault.file, at: 0, error: "unreadable" };
}

function salvage(
  disk: Disk,
  identity: LogIdentity,
  options: RecoverOptions & SalvageOptions,
  visitor: LogVisitor,
  { file, at, error }: Pick<LogDamage, "file" | "at" | "error">,
): LogRecovery | LogDamage {
  const assessment = assessLog(disk, identity, options);
  if ("kind" in assessment) return assessment;
  const { files, survey, idle } = assessment;
  if (assessment.isWhole) {
    const segments = files.map(({ name, header }) => ({ name, header: header! }));
    return reopen(disk, options, visitor, segments, idle);
  }
  const { prefixTip, holes, provenTip } = survey;
  return { kind: "damaged", file, at, error, prefixTip, holes, provenTip };
}

function createLog(
  disk: Disk,
  identity: LogIdentity,
  options: RecoverOptions,
  visitor: LogVisitor,
): LogRecovery {
  const base = genesisTip(identity);
  const why = visitor.begin(base) ?? visitor.end?.(base);
  if (why !== undefined) return { kind: "rejected", file: ACTIVE_SEGMENT, at: 0, why };
  const header = { identity, generation: 1n, base, bytes: options.segmentBytes };
  const file = installSegment(disk, header, new Uint8Array(), undefined);
  const end = SEGMENT_HEADER_BYTES;
  const segments = [{ name: ACTIVE_SEGMENT, header, end, index: new SegmentIndex() }];
  const stop = { kind: "clean_eof", file: ACTIVE_SEGMENT, validUpTo: end } as const;
  return {
    kind: "recovered",
    writer: new LogWriter({ disk, options, segments, file, tip: base }),
    facts: {
      isFresh: true,
      stop,
      framesReplayed: 0,
      framesUncertain: 0,
      base,
      tip: base.slice(),
      segments: 1,
    },
  };
}

function reopen(
  disk: Disk,
  options: RecoverOptions,
  visitor: LogVisitor,
  files: readonly SegmentFile[],
  idle: readonly string[],
): LogRecovery {
  const replay = new LogReplay(disk, options.maxPayloadBytes, visitor, files);
  const failure = replay.run();
  if (failure !== undefined) return failure;
  const tail = replay.uncertainTail();
  const { segments, file } = succeed(disk, options, replay.segments, tail);
  const names = segments.map((segment) => segment.name);
  removeFiles(disk, idle.filter((name) => !names.includes(name)));
  const { stop, tip, base, framesReplayed } = replay;
  return {
    kind: "recovered",
    writer: new LogWriter({ disk, options, segments, file, tip }),
    facts: {
      isFresh: false,
      stop,
      framesReplayed,
      framesUncertain: tail.count,
      base,
      tip: tip.slice(),
      segments: segments.length,
    },
  };
}

/** Puts the uncertain frames into a new segment, which supersedes them where they were. */
function succeed(
  disk: Disk,
  options: RecoverOptions,
  segments: LogSegment[],
  tail: UncertainTail,
): { segments: LogSegment[]; file: DiskFile } {
  const newest = segments[segments.length - 1]!;
  if (newest.name === NEXT_SEGMENT) {
    disk.rename(NEXT_SEGMENT, ACTIVE_SEGMENT);
    disk.syncDirectory();
  }
  const end = SEGMENT_HEADER_BYTES + tail.frames.length;
  const { identity, generation, base, startsLog } = newest.header;
  const isAll = readU64(base, TipWord.op) === readU64(tail.base, TipWord.op);
  const header: SegmentHeader = {
    identity,
    generation: generation + 1n,
    base: tail.base,
    bytes: Math.max(options.segmentBytes, Math.ceil(end / 512) * 512),
    ...(isAll && startsLog ? { startsLog } : {}),
  };
  const file = installSegment(disk, header, tail.frames, newest.header);
  newest.name = sealedName(baseOp(newest.header));
  newest.end = tail.at;
  if (isAll) segments.pop();
  segments.push({ name: ACTIVE_SEGMENT, header, end, index: new SegmentIndex() });
  dropSuperseded(disk, segments);
  return { segments, file };
}
