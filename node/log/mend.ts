/** Writes damaged files of a log anew from what is sound in them and what peers have sent. Source: docs/storage.md#salvage. */
import {
  createLogBuffer,
  frameBytes,
  FrameWord,
  type LogBuffer,
  payloadBytesAt,
  sealFrame,
} from "../../core/log_frame.ts";
import { checkRun, passFrames } from "../../core/log_run.ts";
import {
  encodeSegmentHeader,
  type LogIdentity,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "../../core/log_segment.ts";
import { moveTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { copyU64, readU64 } from "../../core/words.ts";
import type { Disk } from "../disk.ts";
import { ACTIVE_SEGMENT, NEXT_SEGMENT } from "./files.ts";
import type { KnownFile, LogInventory } from "./inventory.ts";
import { readAround } from "./rescue.ts";
import type { LogSurvey, SurveyedHole } from "./survey.ts";

/** A hole and the frames that fill it, checked. */
export interface Filling {
  readonly hole: SurveyedHole;
  readonly frames: LogBuffer;
}

/** What files are written from: at least up to the last op of each. */
export interface MendParts {
  readonly files: readonly KnownFile[];
  readonly survey: LogSurvey;
  readonly fillings: readonly Filling[];
  /** Length of a file that does not tell its own. */
  readonly segmentBytes: number;
}

/**
 * Checks that frames fill holes: sound, in order, from the hash before to the hash after.
 *
 * @param holes The holes.
 * @param frames Frames for each.
 * @param payloadBytesMax Largest payload to accept.
 * @returns The frames, or what is wrong with them.
 */
export function checkHoles(
  holes: readonly SurveyedHole[],
  frames: readonly Uint8Array[],
  payloadBytesMax: number,
): Filling[] | string {
  if (frames.length !== holes.length) return `frames for ${frames.length} of ${holes.length} holes`;
  const fillings: Filling[] = [];
  for (const [i, hole] of holes.entries()) {
    const bytes = frames[i]!;
    const name = `the hole from op ${hole.firstOp} to ${hole.lastOp}`;
    if (bytes.length % 8 !== 0) return `${name}: not whole frames`;
    const buffer = createLogBuffer(bytes.length);
    buffer.bytes.set(bytes);
    const tip = hole.before.slice();
    const wrong = checkRun(buffer, 0, bytes.length, tip, payloadBytesMax);
    if (wrong !== undefined) return `${name}: ${wrong.error} at byte ${wrong.at}`;
    const reached = readU64(tip, TipWord.op);
    if (reached !== hole.lastOp) return `${name}: the frames end at op ${reached}`;
    if (readU64(tip, TipWord.hash) !== hole.hashAfter) return `${name}: other frames belong there`;
    fillings.push({ hole, frames: buffer });
  }
  return fillings;
}

/**
 * Gives the active segment its name when a rotation was interrupted before it did, so that the name of a segment in the
 * making is free.
 *
 * @throws {DiskFault} When the environment fails.
 */
export function finishRotation(disk: Disk, { newest }: LogInventory): void {
  if (newest?.name !== NEXT_SEGMENT || newest.header === undefined) return;
  disk.rename(NEXT_SEGMENT, ACTIVE_SEGMENT);
  disk.syncDirectory();
}

/**
 * Writes a file anew and puts it in its place, durably.
 *
 * @param disk The data directory; no rotation is under way in it.
 * @param identity Whose log it is.
 * @param parts What to write.
 * @param i Which file.
 * @returns Why that cannot be; then nothing has changed.
 * @throws {DiskFault} When the environment fails.
 */
export function rewriteFile(
  disk: Disk,
  identity: LogIdentity,
  parts: MendParts,
  i: number,
): string | undefined {
  const file = parts.files[i]!;
  const header = file.header ?? headerOf(identity, parts, i);
  if (header === undefined) return `nothing tells where ${file.name} belongs`;
  const image = createLogBuffer(header.bytes);
  image.bytes.set(encodeSegmentHeader(header));
  const name = file.name === NEXT_SEGMENT ? ACTIVE_SEGMENT : file.name;
  const old = createLogBuffer(header.bytes);
  const opened = disk.open(name);
  readAround(opened, 0, old.bytes);
  opened.close();
  const end = new ImageWriter(image, old, header.base).write(parts, i);
  if (end === undefined) return `the frames do not fit into ${file.name}`;
  const next = disk.create(NEXT_SEGMENT, header.bytes);
  try {
    next.write(0, image.bytes.subarray(0, end));
    next.sync();
  } finally {
    next.close();
  }
  disk.rename(NEXT_SEGMENT, name);
  disk.syncDirectory();
  return undefined;
}

/** The header of a segment whose own is damaged, from what lies around it. */
function headerOf(
  identity: LogIdentity,
  { files, survey, fillings, segmentBytes }: MendParts,
  i: number,
): SegmentHeader | undefined {
  const { firstOp, bytes } = files[i]!;
  const base = survey.bases[i] ?? tipInHoles(fillings, firstOp - 1n);
  const generation = generationOf(files, i);
  if (base === undefined || generation === undefined) return undefined;
  return { identity, generation, base, bytes: bytes === 0 ? segmentBytes : bytes };
}

/** A generation between those of the neighbours; so many have been between them. */
function generationOf(files: readonly KnownFile[], i: number): bigint | undefined {
  const before = files.findLastIndex((file, j) => j < i && file.header !== undefined);
  const after = files.findIndex((file, j) => j > i && file.header !== undefined);
  const least = before < 0 ? 0n : files[before]!.header!.generation;
  const generation = least + BigInt(i - before);
  const most = files[after]?.header?.generation;
  return most !== undefined && generation >= most ? undefined : generation;
}

function tipInHoles(fillings: readonly Filling[], op: bigint): Tip | undefined {
  const filling = fillings.find(({ hole }) => hole.firstOp <= op && op <= hole.lastOp);
  if (filling === undefined) return undefined;
  const { hole, frames } = filling;
  const tip = hole.before.slice();
  for (let at = 0; readU64(tip, TipWord.op) < op; at = passFrames(frames.words, at, 1)) {
    moveTip(tip, frames.words, at >>> 2);
  }
  return tip;
}

/** Lays the frames of one file out in memory, in order of ops. */
class ImageWriter {
  readonly #image: LogBuffer;
  readonly #old: LogBuffer;
  /** What the frame before claims to be durable. */
  readonly #synced = new Uint32Array(2);
  #at = SEGMENT_HEADER_BYTES;
  #op: bigint;

  constructor(image: LogBuffer, old: LogBuffer, base: Tip) {
    this.#image = image;
    this.#old = old;
    copyU64(this.#synced, 0, base, TipWord.op);
    this.#op = readU64(base, TipWord.op) + 1n;
  }

  /** Answers where the frames end, or `undefined` when they do not fit. */
  write({ files, survey, fillings }: MendParts, i: number): number | undefined {
    const lastOp = files[i]!.lastOp ?? readU64(survey.provenTip!, TipWord.op);
    while (this.#op <= lastOp) {
      const run = survey.runs[i]!.find(({ firstOp }) => firstOp === this.#op);
      const taken = run === undefined
        ? this.#fill(fillings, lastOp)
        : this.#copy(this.#old, run.from, run.end);
      if (!taken) return undefined;
    }
    return this.#at;
  }

  #fill(fillings: readonly Filling[], lastOp: bigint): boolean {
    const op = this.#op;
    const filling = fillings.find(({ hole }) => hole.firstOp <= op && op <= hole.lastOp);
    if (filling === undefined) return false;
    const { hole, frames } = filling;
    const from = passFrames(frames.words, 0, Number(op - hole.firstOp));
    const last = hole.lastOp < lastOp ? hole.lastOp : lastOp;
    const end = passFrames(frames.words, from, Number(last - op) + 1);
    // A peer's frames state what was durable there.
    for (let at = from; at < end;) at = sealFrame(frames, at, this.#synced, 0);
    return this.#copy(frames, from, end);
  }

  #copy({ bytes, words }: LogBuffer, from: number, end: number): boolean {
    if (this.#at + end - from > this.#image.bytes.length) return false;
    this.#image.bytes.set(bytes.subarray(from, end), this.#at);
    this.#at += end - from;
    for (let at = from; at < end; at += frameBytes(payloadBytesAt(words, at >>> 2))) {
      copyU64(this.#synced, 0, words, (at >>> 2) + FrameWord.synced);
      this.#op++;
    }
    return true;
  }
}
