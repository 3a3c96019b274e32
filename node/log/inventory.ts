/** The files of a log that may be damaged: which of them count, as far as names and sound headers tell. Source: docs/storage.md#salvage. */
import type { Corruption } from "../../core/log_scan.ts";
import {
  baseOp,
  checkIdentity,
  decodeSegmentHeader,
  type LogIdentity,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "../../core/log_segment.ts";
import type { Disk } from "../disk.ts";
import { readAround } from "./rescue.ts";
import { damaged, isSegmentLength, lastOps, logFiles, sealedName } from "./files.ts";

/** A file of a log, sound or not. */
export interface KnownFile {
  readonly name: string;
  /** Undefined when it is damaged; then only the file's name tells where it begins. */
  readonly header: SegmentHeader | undefined;
  readonly firstOp: bigint;
  /** Where a later one takes over; undefined in the last. */
  readonly lastOp: bigint | undefined;
  /** Length that it has, or should have; 0 when nothing tells. */
  readonly bytes: number;
  /** Whether header and length are as they were written. */
  readonly isIntact: boolean;
}

/** What is there. */
export interface LogInventory {
  readonly kind: "inventory";
  /** Files that count, in order of ops; none when nothing tells how they belong together. */
  readonly files: readonly KnownFile[];
  /** Whether the last of them is the active segment, so that the log ends in it. */
  readonly isEndKnown: boolean;
  /** Sealed segments that count for nothing. */
  readonly idle: readonly string[];
  /** Name and header of the active segment as far as there is one. */
  readonly newest:
    | { readonly name: string; readonly header: SegmentHeader | undefined }
    | undefined;
  /** A generation above every one there is. */
  readonly nextGeneration: bigint;
}

interface ReadFile {
  readonly name: string;
  readonly header: SegmentHeader | undefined;
  readonly size: number;
}

/**
 * Looks at the files of a log.
 *
 * @param disk The data directory.
 * @param identity Whose log it must be.
 * @returns What is there, or why it is not a log of ours that could be damaged.
 * @throws {DiskFault} When the environment fails.
 */
export function takeInventory(disk: Disk, identity: LogIdentity): LogInventory | Corruption {
  const { sealed, newest } = logFiles(disk);
  const read: ReadFile[] = [];
  for (const name of newest === undefined ? sealed : [...sealed, newest]) {
    const file = readFile(disk, name, identity);
    if ("kind" in file) return file;
    read.push(file);
  }
  const sound = read.filter((file) => file.header !== undefined);
  const active = read.find((file) => file.name === newest);
  const files = isOrdered(sound, active) ? inOrder(read, active) : [];
  const counting = new Set(files.map((file) => file.name));
  const generations = sound.map((file) => file.header!.generation);
  const generationMax = generations.reduce((max, next) => (next > max ? next : max), 0n);
  return {
    kind: "inventory",
    files,
    isEndKnown: active?.header !== undefined,
    idle: sealed.filter((name) => !counting.has(name)),
    newest: active,
    nextGeneration: generationMax + BigInt(read.length) + 1n,
  };
}

function readFile(disk: Disk, name: string, identity: LogIdentity): ReadFile | Corruption {
  const sector = new Uint8Array(SEGMENT_HEADER_BYTES);
  const file = disk.open(name);
  const { filled: length } = readAround(file, 0, sector);
  file.close();
  const size = disk.size(name) ?? 0;
  const decoded = decodeSegmentHeader(sector.subarray(0, length));
  if (decoded === "invalid_version") return damaged(name, 0, decoded);
  if (typeof decoded === "string") return { name, header: undefined, size };
  const foreign = checkIdentity(decoded, identity);
  if (foreign !== undefined) return damaged(name, 0, foreign);
  const isNamed = nameOp(name) === undefined || name === sealedName(baseOp(decoded));
  const header = isNamed && isSegmentLength(decoded.bytes) ? decoded : undefined;
  return { name, header, size };
}

/** Whether the generations of sound headers tell an order that ends with the active segment. */
function isOrdered(sound: readonly ReadFile[], active: ReadFile | undefined): boolean {
  const generations = sound.map((file) => file.header!.generation);
  if (new Set(generations).size < generations.length) return false;
  const last = active?.header?.generation;
  return last === undefined || generations.every((generation) => generation <= last);
}

function inOrder(read: readonly ReadFile[], active: ReadFile | undefined): KnownFile[] {
  const files = [...soundFiles(read), ...brokenFiles(read, active)];
  files.sort((a, b) => (a.firstOp < b.firstOp ? -1 : 1));
  return files.map((file, i) => {
    const next = files[i + 1]?.firstOp;
    const { lastOp } = file;
    const isLimited = next !== undefined && (lastOp === undefined || lastOp >= next);
    return isLimited ? { ...file, lastOp: next - 1n } : file;
  });
}

/** Files with sound headers that are not superseded as a whole. */
function soundFiles(read: readonly ReadFile[]): KnownFile[] {
  const sound = read.filter((file) => file.header !== undefined);
  sound.sort((a, b) => (a.header!.generation < b.header!.generation ? -1 : 1));
  const last = lastOps(sound.map((file) => file.header!));
  const files = sound.map(({ name, header, size }, i): KnownFile => {
    const { bytes } = header!;
    const isIntact = size === bytes;
    return { name, header, firstOp: baseOp(header!), lastOp: last[i], bytes, isIntact };
  });
  return files.filter(({ firstOp, lastOp }) => lastOp === undefined || lastOp >= firstOp);
}

/** Sealed files without a header that may hold frames that count: their names tell which. */
function brokenFiles(read: readonly ReadFile[], active: ReadFile | undefined): KnownFile[] {
  const end = active?.header === undefined ? undefined : baseOp(active.header);
  const starts = read.filter((file) => file.header?.startsLog).map(({ header }) => baseOp(header!));
  const files: KnownFile[] = [];
  for (const { name, header, size } of read) {
    const firstOp = nameOp(name);
    if (header !== undefined || firstOp === undefined) continue;
    const isSuperseded = end !== undefined && firstOp >= end;
    if (isSuperseded || starts.some((start) => firstOp < start)) continue;
    const bytes = isSegmentLength(size) ? size : 0;
    files.push({ name, header, firstOp, lastOp: undefined, bytes, isIntact: false });
  }
  return files;
}

/** The first op that a sealed segment's name tells. */
function nameOp(name: string): bigint | undefined {
  const digits = /\.(\d{20})$/.exec(name)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}
