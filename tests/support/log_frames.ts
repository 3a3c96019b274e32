/** Frames for tests, built with the writer's own parts, in any order and with any field. */
import {
  createLogBuffer,
  FRAME_FIELDS_WORDS,
  frameBytes,
  FrameKind,
  type LogBuffer,
  putFrame,
  sealFrame,
} from "../../core/log_frame.ts";
import { chainHash } from "../../core/log_hash.ts";
import {
  encodeSegmentHeader,
  genesisTip,
  type LogIdentity,
  SEGMENT_HEADER_BYTES,
} from "../../core/log_segment.ts";
import { createTip, type Tip } from "../../core/log_tip.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

/** The log that tests write, unless they need another one. */
export const IDENTITY: LogIdentity = {
  clusterId: Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i),
  shardId: new Uint32Array([0x55667788, 0x11223344]),
  configFingerprint: Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i),
};

/** One frame, in words a person can read. */
export interface FrameSpec {
  readonly kind: FrameKind;
  readonly op: bigint;
  readonly lsn: bigint;
  readonly slot: bigint;
  readonly view: bigint;
  readonly synced: bigint;
  readonly previousHash: bigint;
  readonly payload: Uint8Array;
}

/** A buffer holding exactly one segment header's room and then these frames, back to back. */
export function layOut(frames: readonly FrameSpec[], bytes: number): LogBuffer {
  const buffer = createLogBuffer(bytes);
  let at = SEGMENT_HEADER_BYTES;
  for (const frame of frames) at = writeSpec(buffer, at, frame);
  return buffer;
}

/** Writes one frame; answers the offset behind it. */
export function writeSpec(buffer: LogBuffer, at: number, frame: FrameSpec): number {
  const fields = new Uint32Array(FRAME_FIELDS_WORDS);
  const { op, lsn, slot, view, synced, previousHash, payload } = frame;
  for (const [i, value] of [op, lsn, slot, view, synced, previousHash].entries()) {
    writeU64(fields, i * 2, value);
  }
  putFrame(buffer, at, frame.kind, fields, viewOf(payload), 0, payload.length);
  return sealFrame(buffer, at, fields, 8);
}

/** The chain hash of a frame. */
export function hashOf(frame: FrameSpec): bigint {
  const buffer = createLogBuffer(frameBytes(frame.payload.length));
  writeSpec(buffer, 0, frame);
  const hash = new Uint32Array(2);
  chainHash(buffer.words, 0, hash, 0);
  return readU64(hash, 0);
}

/** The same frames with every hash put right, behind `before` if there is one. */
export function chained(frames: readonly FrameSpec[], before?: FrameSpec): FrameSpec[] {
  const linked: FrameSpec[] = [];
  for (const frame of frames) {
    const last = linked.at(-1) ?? before;
    linked.push(last === undefined ? frame : { ...frame, previousHash: hashOf(last) });
  }
  return linked;
}

/** The tip behind a frame; that of a new log without one. */
export function tipOf(frame: FrameSpec | undefined): Tip {
  if (frame === undefined) return genesisTip(IDENTITY);
  const tip = createTip();
  const { op, lsn, slot, view } = frame;
  for (const [i, value] of [op, lsn, slot, view, hashOf(frame)].entries()) {
    writeU64(tip, i * 2, value);
  }
  return tip;
}

/** A whole segment file: `frames` behind `before`. */
export function segmentImage(
  generation: bigint,
  before: FrameSpec | undefined,
  frames: readonly FrameSpec[],
  bytes: number,
): Uint8Array {
  const image = layOut(frames, bytes).bytes;
  image.set(encodeSegmentHeader({ identity: IDENTITY, generation, base: tipOf(before), bytes }));
  return image;
}

/**
 * A run of frames that follow each other, from op 1.
 *
 * @param batches Frames per batch: what a frame claims to be synced is all before its batch.
 * @param payloadBytes Length of the i-th frame's payload.
 * @param seed For payloads.
 */
export function frameRun(
  batches: readonly number[],
  payloadBytes: (i: number) => number,
  seed = 1,
): FrameSpec[] {
  const random = new SeededRandom(seed);
  const frames: FrameSpec[] = [];
  let previousHash = readU64(genesisTip(IDENTITY), 8);
  for (const count of batches) {
    const synced = BigInt(frames.length);
    for (let i = 0; i < count; i++) {
      const op = BigInt(frames.length + 1);
      const payload = random.fill(new Uint8Array(payloadBytes(frames.length)));
      const kind = FrameKind.client_command;
      const frame = { kind, op, lsn: op, slot: op / 2n, view: 1n, synced, previousHash, payload };
      previousHash = hashOf(frame);
      frames.push(frame);
    }
  }
  return frames;
}

/** The same bytes as a view. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
