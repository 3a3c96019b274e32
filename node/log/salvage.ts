/**
 * A damaged log of a replica that has peers: what it still holds, and the three ways out of it. Mended with frames from
 * peers it is whole again; truncated it keeps what precedes the damage; reset it begins anew behind a snapshot. Source:
 * docs/storage.md#salvage.
 */
import type { Corruption } from "../../core/log_scan.ts";
import { baseOp, type LogIdentity, type SegmentHeader } from "../../core/log_segment.ts";
import { type Tip, TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { type Disk, DiskFault } from "../disk.ts";
import { installSegment, logFiles, removeFiles, sealedName } from "./files.ts";
import { type KnownFile, type LogInventory, takeInventory } from "./inventory.ts";
import { checkHoles, finishRotation, rewriteFile } from "./mend.ts";
import type { LogOptions } from "./store.ts";
import { type LogHole, type LogSurvey, surveyLog } from "./survey.ts";

/** How a damaged log is looked at. */
export interface SalvageOptions extends LogOptions {
  /** Frames up to this op are in a snapshot: files that hold no others are given up rather than mended; 0 if not given. */
  readonly coveredOp?: bigint;
}

/** What is left of a log in which something is damaged that no crash explains. Nothing on the disk has changed. */
export interface LogDamage {
  readonly kind: "damaged";
  /** Where the damage was noticed, as in a {@linkcode Corruption}. */
  readonly file: string;
  readonly at: number;
  /** What was noticed; `unreadable` when the disk could not read it. */
  readonly error: Corruption["error"] | "unreadable";
  /** The last frame before the first damage; what {@linkcode truncateLog} keeps. Unknown when nothing sound begins the log. */
  readonly prefixTip: Tip | undefined;
  /** What is missing between sound frames, in order; may be empty, when only a header is damaged. */
  readonly holes: readonly LogHole[];
  /**
   * The last frame of the log, if nothing is missing behind it: with its holes mended the log is all that it was. Without
   * it nobody knows what the log held, and its replica must not vote on the strength of it.
   */
  readonly provenTip: Tip | undefined;
}

/** How mending, truncating or resetting ended. */
export type SalvageResult =
  /** Open the log now as ever. */
  | { readonly kind: "done" }
  /** Nothing was changed. */
  | { readonly kind: "refused"; readonly why: string }
  | Corruption
  | { readonly kind: "disk_fault"; readonly fault: DiskFault };

/** The damage of a log, and the files it consists of. */
export interface Assessment {
  readonly inventory: LogInventory;
  /** Files that are needed, in order of ops. */
  readonly files: readonly KnownFile[];
  readonly survey: LogSurvey;
  /** Names of files that are not needed. */
  readonly idle: readonly string[];
  /** Whether the needed files hold the log without any damage. */
  readonly isWhole: boolean;
}

/**
 * Looks at all files of a log.
 *
 * @throws {DiskFault} When the environment fails.
 */
export function assessLog(
  disk: Disk,
  identity: LogIdentity,
  options: SalvageOptions,
): Assessment | Corruption {
  const inventory = takeInventory(disk, identity);
  if (inventory.kind === "corruption") return inventory;
  const look = (files: readonly KnownFile[]): LogSurvey =>
    surveyLog(disk, identity, files, inventory.isEndKnown, options.maxPayloadBytes);
  const idle = [...inventory.idle];
  let { files } = inventory;
  let survey = look(files);
  // Each round gives up a file at least.
  for (let covered = coveredDamage(files, survey, options.coveredOp ?? 0n); covered > 0;) {
    idle.push(...files.slice(0, covered).map((file) => file.name));
    files = files.slice(covered);
    survey = look(files);
    covered = coveredDamage(files, survey, options.coveredOp ?? 0n);
  }
  const isWhole = survey.provenTip !== undefined && survey.holes.length === 0 &&
    files.every((file, i) => file.isIntact && !survey.unreadable[i]);
  return { inventory, files, survey, idle, isWhole };
}

/** How many files at the start are not needed although, or because, one of them is damaged. */
function coveredDamage(
  files: readonly KnownFile[],
  survey: LogSurvey,
  coveredOp: bigint,
): number {
  const isCovered = (file: KnownFile): boolean =>
    file.lastOp !== undefined && file.lastOp <= coveredOp;
  return files.findLastIndex((file, i) => isCovered(file) && isDamaged(file, survey, i)) + 1;
}

/** Whether a file must be written again to be what it was. */
function isDamaged(file: KnownFile, survey: LogSurvey, i: number): boolean {
  if (!file.isIntact || survey.unreadable[i]) return true;
  const runs = survey.runs[i];
  if (runs === undefined) return false;
  if (file.lastOp === undefined) return runs.length > 1 || startsLate(file, runs);
  return runs.length !== 1 || startsLate(file, runs) || runs[0]!.lastOp !== file.lastOp;
}

function startsLate(file: KnownFile, runs: LogSurvey["runs"][number]): boolean {
  return runs.length > 0 && runs[0]!.firstOp !== file.firstOp;
}

/**
 * Mends a log: every damaged file is written anew, whole, and takes its own place. A crash leaves files mended or not;
 * what is left can be mended again.
 *
 * @param disk The data directory.
 * @param identity Whose log it is.
 * @param options As for the recovery that found the damage.
 * @param frames For each of its holes, in order, the frames that fill it; from peers, at any offset.
 * @returns How it ended.
 */
export function mendLog(
  disk: Disk,
  identity: LogIdentity,
  options: SalvageOptions,
  frames: readonly Uint8Array[],
): SalvageResult {
  return attempt(() => {
    const assessment = assessLog(disk, identity, options);
    if ("kind" in assessment) return assessment;
    const { inventory, files, survey } = assessment;
    if (survey.provenTip === undefined) return refused("the end of the log is in doubt");
    const fillings = checkHoles(survey.holes, frames, options.maxPayloadBytes);
    if (typeof fillings === "string") return refused(fillings);
    finishRotation(disk, inventory);
    const { segmentBytes } = options;
    for (const [i, file] of files.entries()) {
      if (!isDamaged(file, survey, i)) continue;
      const why = rewriteFile(disk, identity, { files, survey, fillings, segmentBytes }, i);
      if (why !== undefined) return refused(why);
    }
    return { kind: "done" };
  });
}

/**
 * Keeps what precedes the first damage and gives up the rest. Its replica must durably have given up its vote before.
 *
 * @param disk The data directory.
 * @param identity Whose log it is.
 * @param options As for the recovery that found the damage.
 * @returns How it ended; refused when nothing sound begins the log.
 */
export function truncateLog(
  disk: Disk,
  identity: LogIdentity,
  options: SalvageOptions,
): SalvageResult {
  return attempt(() => {
    const assessment = assessLog(disk, identity, options);
    if ("kind" in assessment) return assessment;
    const { prefixTip, base } = assessment.survey;
    if (prefixTip === undefined || base === undefined) {
      return refused("nothing sound begins the log");
    }
    finishRotation(disk, assessment.inventory);
    const why = restoreLengths(disk, identity, options, assessment, prefixTip);
    if (why !== undefined) return refused(why);
    supersedeAll(disk, identity, options, assessment, prefixTip);
    return { kind: "done" };
  });
}

/**
 * Gives up the whole log, whatever state it is in, and begins one behind a tip; as `LogWriter.restartAt` for a log that
 * cannot be opened. What leads up to the tip, a snapshot, must be durable.
 *
 * @param disk The data directory.
 * @param identity Whose log it is.
 * @param options Sizes.
 * @param tip The frame before the next.
 * @returns How it ended.
 */
export function resetLog(
  disk: Disk,
  identity: LogIdentity,
  options: LogOptions,
  tip: Tip,
): SalvageResult {
  return attempt(() => {
    const inventory = takeInventory(disk, identity);
    if (inventory.kind === "corruption") return inventory;
    finishRotation(disk, inventory);
    const header = {
      identity,
      generation: inventory.nextGeneration,
      base: tip.slice(),
      bytes: options.segmentBytes,
      startsLog: true,
    } as const;
    installSegment(disk, header, new Uint8Array(), inventory.newest?.header).close();
    removeFiles(disk, logFiles(disk).sealed);
    return { kind: "done" };
  });
}

/** Files that are kept in part must have their length. Answers why one cannot get it. */
function restoreLengths(
  disk: Disk,
  identity: LogIdentity,
  { segmentBytes }: LogOptions,
  assessment: Assessment,
  prefixTip: Tip,
): string | undefined {
  const { survey } = assessment;
  const last = readU64(prefixTip, TipWord.op);
  const kept = assessment.files.filter(({ firstOp }) => firstOp <= last);
  const files = kept.map((file) => {
    const isCut = file.lastOp === undefined || file.lastOp > last;
    return isCut ? { ...file, lastOp: last } : file;
  });
  for (const [i, { isIntact }] of files.entries()) {
    const parts = { files, survey, fillings: [], segmentBytes };
    const why = isIntact ? undefined : rewriteFile(disk, identity, parts, i);
    if (why !== undefined) return why;
  }
  return undefined;
}

function supersedeAll(
  disk: Disk,
  identity: LogIdentity,
  options: LogOptions,
  { inventory, files, survey }: Assessment,
  base: Tip,
): void {
  const isAll = readU64(base, TipWord.op) === readU64(survey.base!, TipWord.op);
  const header: SegmentHeader = {
    identity,
    generation: inventory.nextGeneration,
    base: base.slice(),
    bytes: options.segmentBytes,
    ...(isAll && files[0]!.header?.startsLog ? { startsLog: true } : {}),
  };
  const active = inventory.newest?.header;
  installSegment(disk, header, new Uint8Array(), active).close();
  const kept = files.filter(({ firstOp }) => firstOp < baseOp(header));
  const names = new Set(kept.map(({ firstOp }) => sealedName(firstOp)));
  removeFiles(disk, logFiles(disk).sealed.filter((name) => !names.has(name)));
}

function attempt(call: () => SalvageResult): SalvageResult {
  try {
    return call();
  } catch (error) {
    if (error instanceof DiskFault) return { kind: "disk_fault", fault: error };
    throw error;
  }
}

function refused(why: string): SalvageResult {
  return { kind: "refused", why };
}
