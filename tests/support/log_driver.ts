/** Drives a log on a disk for tests: small segments, frames whose content their op and their author decide. */
import { createLogBuffer, frameBytes, FrameCursor, FrameKind } from "../../core/log_frame.ts";
import { TipWord } from "../../core/log_tip.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import type { Disk, DiskFault } from "../../node/disk.ts";
import { type LogRecovery, recoverLog, type RecoverOptions } from "../../node/log/recovery.ts";
import type { LogWriter } from "../../node/log/store.ts";
import { type FrameSpec, IDENTITY, viewOf, writeSpec } from "./log_frames.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

/** Sizes that make a few frames fill a segment, and make batches and segments end in odd places. */
export const SMALL: RecoverOptions = {
  segmentBytes: 2048,
  maxPayloadBytes: 200,
  batchBytes: 1024,
  zeroAheadBytes: 512,
  expectFresh: true,
};

/** What recovery answered, and the text of every frame it showed. */
export interface Opened {
  readonly recovery: LogRecovery;
  readonly frames: readonly string[];
}

/** Recovers the log of a disk. */
export function open(disk: Disk, options: Partial<RecoverOptions> = {}): Opened {
  const frames: string[] = [];
  const recovery = recoverLog(disk, IDENTITY, { ...SMALL, ...options }, {
    begin: () => undefined,
    frame: (frame) => {
      frames.push(textOf(frame));
      return undefined;
    },
  });
  return { recovery, frames };
}

/** Recovers a log that must be sound. */
export function openWriter(disk: Disk, options: Partial<RecoverOptions> = {}): LogWriter {
  const { recovery } = open(disk, options);
  if (recovery.kind !== "recovered") throw new Error(`Not recovered: ${JSON.stringify(recovery)}`);
  return recovery.writer;
}

/** Everything about a frame that history is made of, as a line. */
export function textOf(frame: FrameCursor): string {
  const word = (at: number): bigint => readU64(frame.words, at);
  const payload = frame.bytes.subarray(frame.payloadAt, frame.payloadAt + frame.payloadBytes);
  return `kind=${frame.kind} op=${word(frame.opAt)} lsn=${word(frame.lsnAt)} ` +
    `slot=${word(frame.slotAt)} view=${word(frame.viewAt)} payload=${base64(payload)}`;
}

/** The text that recovery shows of a frame like this. */
export function textOfSpec(spec: FrameSpec): string {
  const frame = new FrameCursor();
  frame.buffer = createLogBuffer(frameBytes(spec.payload.length));
  writeSpec(frame.buffer, 0, spec);
  return textOf(frame);
}

/**
 * Puts the next frame; its content follows from its op and `author`.
 *
 * @returns Its text, or `undefined` when the writer had no room or has failed.
 */
export function putNext(writer: LogWriter, author = 0): string | undefined {
  const op = readU64(writer.tip, TipWord.op) + 1n;
  const random = new SeededRandom(Number(op & 0xffffn) * 31 + author);
  const kind = random.oneIn(8) ? FrameKind.internal_command : FrameKind.client_command;
  const payload = random.fill(new Uint8Array(random.below(5) * 26 + random.below(20)));
  const lsn = wordsOf(readU64(writer.tip, TipWord.lsn) + 1n);
  const slot = wordsOf(readU64(writer.tip, TipWord.slot) + BigInt(random.below(2)));
  const view = wordsOf(BigInt(1 + author));
  if (!writer.put(kind, lsn, slot, view, viewOf(payload), 0, payload.length)) return undefined;
  return `kind=${kind} op=${op} lsn=${readU64(lsn, 0)} slot=${readU64(slot, 0)} ` +
    `view=${1 + author} payload=${base64(payload)}`;
}

/** As {@linkcode putNext}, when there must be room. */
export function put(writer: LogWriter, author = 0): string {
  const text = putNext(writer, author);
  if (text === undefined) throw new Error("No room in the batch");
  return text;
}

/** Flushes a batch on a disk that does so at once. */
export function flush(writer: LogWriter): DiskFault | undefined {
  let told: { fault: DiskFault | undefined } | undefined;
  writer.flush((fault) => told = { fault });
  if (told === undefined) throw new Error("The flush has not ended");
  return told.fault;
}

/** Puts and flushes batches of so many frames; answers their texts. */
export function append(writer: LogWriter, batches: readonly number[], author = 0): string[] {
  const texts: string[] = [];
  for (const count of batches) {
    for (let i = 0; i < count; i++) texts.push(put(writer, author));
    const fault = flush(writer);
    if (fault !== undefined) throw fault;
  }
  return texts;
}

/** The frames of a range as texts, and how reading ended. */
export function readBack(
  writer: LogWriter,
  from: bigint,
  to: bigint,
): { frames: string[]; kind: string } {
  const frames: string[] = [];
  const stop = writer.readRange(wordsOf(from), wordsOf(to), (frame) => {
    frames.push(textOf(frame));
    return true;
  });
  return { frames, kind: stop.kind };
}

export function wordsOf(value: bigint): Uint32Array {
  const words = new Uint32Array(2);
  writeU64(words, 0, value);
  return words;
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
