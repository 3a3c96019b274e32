/**
 * One entry of the log as bytes: a 64-byte header, the payload, and 1 to 8 bytes of padding up to a multiple
 * of 8, so that every word of a frame is aligned. Source: docs/storage.md#frames.
 */
import { assert } from "./assert.ts";
import { crc32c } from "./crc32c.ts";

/** What a frame's payload is. The numbers are the file's. */
export const FrameKind = {
  client_command: 1,
  internal_command: 2,
  /** Reserved; its payload is empty. */
  snapshot_marker: 3,
  /** An entry of the replication protocol: takes an op but no lsn. */
  protocol: 4,
} as const;

/** One of the numbers in {@linkcode FrameKind}. */
export type FrameKind = typeof FrameKind[keyof typeof FrameKind];

/** Word offsets in a frame's header; a u64 takes two words, low first. */
export const FrameWord = {
  /** CRC-32C of everything behind it in the header. */
  headerChecksum: 0,
  /** CRC-32C of payload and padding. */
  payloadChecksum: 1,
  magic: 2,
  /** Payload bytes in the low 24 bits, kind in the high 8. */
  kindAndLength: 3,
  op: 4,
  lsn: 6,
  slot: 8,
  view: 10,
  /** The last op this log knew to be durable when the frame was written. */
  synced: 12,
  previousHash: 14,
} as const;

/** `ADF1` as a little-endian word. */
export const FRAME_MAGIC = 0x31464441;
/** Bytes of a frame before its payload. */
export const FRAME_HEADER_BYTES = 64;
/** Bytes of the smallest frame: no payload, 8 bytes of padding. */
export const FRAME_BYTES_MIN = FRAME_HEADER_BYTES + 8;
/** Largest payload that the header can state. */
export const FRAME_PAYLOAD_BYTES_MAX = 0xff_ffff;

const HEADER_WORDS = FRAME_HEADER_BYTES / 4;
const FIELDS = FrameWord.op;
/** Words of what {@linkcode putFrame} takes: op, lsn, slot, view, synced op, previous hash, as in the header. */
export const FRAME_FIELDS_WORDS = HEADER_WORDS - FIELDS;
const PADDING = 0xad;
const PADDING_WORD = 0xadadadad;

/** Memory for frames, seen three ways. All views start at the same byte; its offset is a multiple of 8. */
export interface LogBuffer {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly data: DataView;
}

/**
 * Makes a zeroed buffer.
 *
 * @param bytes Its length, a multiple of 8.
 * @returns The buffer.
 */
export function createLogBuffer(bytes: number): LogBuffer {
  const memory = new ArrayBuffer(bytes);
  return {
    bytes: new Uint8Array(memory),
    words: new Uint32Array(memory),
    data: new DataView(memory),
  };
}

/** Bytes of a frame with a payload of `payloadBytes`. */
export function frameBytes(payloadBytes: number): number {
  return FRAME_HEADER_BYTES + payloadBytes + 8 - (payloadBytes & 7);
}

/** Bytes of the payload that the header at word `w` states. */
export function payloadBytesAt(words: Uint32Array, w: number): number {
  return words[w + FrameWord.kindAndLength]! & FRAME_PAYLOAD_BYTES_MAX;
}

/**
 * Writes a frame, all but its header checksum: {@linkcode sealFrame} completes it.
 *
 * @param into Must have room for `frameBytes(length)` bytes at `at`.
 * @param at Where to, in bytes; a multiple of 8.
 * @param kind What the payload is.
 * @param fields {@linkcode FRAME_FIELDS_WORDS} words in the header's order, from op on.
 * @param payload Holds the payload.
 * @param from The payload's first byte.
 * @param length The payload's bytes.
 * @returns The offset behind the frame.
 */
export function putFrame(
  into: LogBuffer,
  at: number,
  kind: FrameKind,
  fields: Uint32Array,
  payload: DataView,
  from: number,
  length: number,
): number {
  assert(length <= FRAME_PAYLOAD_BYTES_MAX, "log/payload-fits-its-length-field");
  const { words, bytes, data } = into;
  const w = at >>> 2;
  const payloadAt = at + FRAME_HEADER_BYTES;
  const next = at + frameBytes(length);
  words[(next >>> 2) - 2] = PADDING_WORD;
  words[(next >>> 2) - 1] = PADDING_WORD;
  copyPayload(data, payloadAt, payload, from, length);
  for (let i = 0; i < FRAME_FIELDS_WORDS; i++) words[w + FIELDS + i] = fields[i]!;
  words[w + FrameWord.magic] = FRAME_MAGIC;
  words[w + FrameWord.kindAndLength] = length | (kind << 24);
  words[w + FrameWord.payloadChecksum] = crc32c(bytes, payloadAt, next);
  return next;
}

/** A loop, because a subarray to copy from would be an object per frame; by words, because bytes take four times as long. */
function copyPayload(
  to: DataView,
  at: number,
  from: DataView,
  start: number,
  length: number,
): void {
  let i = 0;
  for (const end = length - 3; i < end; i += 4) to.setUint32(at + i, from.getUint32(start + i));
  for (; i < length; i++) to.setUint8(at + i, from.getUint8(start + i));
}

/**
 * Completes a frame: states what is known to be durable, then checksums the header. Sealing again with
 * another op is allowed; nothing that replicas share changes.
 *
 * @param buffer Holds the frame.
 * @param at Its first byte.
 * @param synced A u64 at `[i]`: the last op known to be durable.
 * @param i Index into `synced`.
 * @returns The offset behind the frame.
 */
export function sealFrame(buffer: LogBuffer, at: number, synced: Uint32Array, i: number): number {
  const { words, bytes } = buffer;
  const w = at >>> 2;
  words[w + FrameWord.synced] = synced[i]!;
  words[w + FrameWord.synced + 1] = synced[i + 1]!;
  words[w + FrameWord.headerChecksum] = crc32c(bytes, at + 4, at + FRAME_HEADER_BYTES);
  return at + frameBytes(payloadBytesAt(words, w));
}

/** Why bytes are no frame. */
export type FrameError =
  | "invalid_magic"
  | "invalid_header_checksum"
  | "invalid_record_type"
  | "payload_too_large"
  | "invalid_payload_checksum"
  | "invalid_padding";

/**
 * Checks the header at `at` by itself; the payload may still be damaged.
 *
 * @param buffer The bytes.
 * @param at First byte of the header; a multiple of 8.
 * @param end Where readable bytes stop.
 * @param payloadBytesMax Largest payload to accept.
 * @returns What is wrong, or `undefined`: then the whole frame lies before `end`.
 */
export function checkFrameHeader(
  buffer: LogBuffer,
  at: number,
  end: number,
  payloadBytesMax: number,
): FrameError | undefined {
  const { words, bytes } = buffer;
  const w = at >>> 2;
  if (end - at < FRAME_BYTES_MIN) return "invalid_magic";
  if (words[w + FrameWord.magic] !== FRAME_MAGIC) return "invalid_magic";
  if (words[w + FrameWord.headerChecksum] !== crc32c(bytes, at + 4, at + FRAME_HEADER_BYTES)) {
    return "invalid_header_checksum";
  }
  const kind = words[w + FrameWord.kindAndLength]! >>> 24;
  const length = payloadBytesAt(words, w);
  if (kind < FrameKind.client_command || kind > FrameKind.protocol) return "invalid_record_type";
  if (kind === FrameKind.snapshot_marker && length > 0) return "invalid_record_type";
  if (length > payloadBytesMax || at + frameBytes(length) > end) return "payload_too_large";
  return undefined;
}

/**
 * Checks payload and padding of a frame whose header is sound.
 *
 * @param buffer The bytes.
 * @param at First byte of the frame.
 * @returns What is wrong, or `undefined`.
 */
export function checkFramePayload(buffer: LogBuffer, at: number): FrameError | undefined {
  const { words, bytes } = buffer;
  const w = at >>> 2;
  const payloadEnd = at + FRAME_HEADER_BYTES + payloadBytesAt(words, w);
  const end = at + frameBytes(payloadBytesAt(words, w));
  if (words[w + FrameWord.payloadChecksum] !== crc32c(bytes, at + FRAME_HEADER_BYTES, end)) {
    return "invalid_payload_checksum";
  }
  for (let i = payloadEnd; i < end; i++) if (bytes[i] !== PADDING) return "invalid_padding";
  return undefined;
}

/**
 * A sound frame in a buffer, to read in place. One cursor is moved from frame to frame: whoever keeps
 * something of a frame copies it. The `…At` of a u64 are indexes into `words`.
 */
export class FrameCursor {
  buffer: LogBuffer = NOWHERE;
  /** First byte of the frame in the buffer. */
  at = 0;

  get words(): Uint32Array {
    return this.buffer.words;
  }

  get bytes(): Uint8Array {
    return this.buffer.bytes;
  }

  /** For payload decoders. */
  get data(): DataView {
    return this.buffer.data;
  }

  get kind(): FrameKind {
    return (this.buffer.words[(this.at >>> 2) + FrameWord.kindAndLength]! >>> 24) as FrameKind;
  }

  get payloadAt(): number {
    return this.at + FRAME_HEADER_BYTES;
  }

  get payloadBytes(): number {
    return payloadBytesAt(this.buffer.words, this.at >>> 2);
  }

  /** One past the padding: where the next frame starts. */
  get end(): number {
    return this.at + frameBytes(this.payloadBytes);
  }

  get opAt(): number {
    return (this.at >>> 2) + FrameWord.op;
  }

  get lsnAt(): number {
    return (this.at >>> 2) + FrameWord.lsn;
  }

  get slotAt(): number {
    return (this.at >>> 2) + FrameWord.slot;
  }

  get viewAt(): number {
    return (this.at >>> 2) + FrameWord.view;
  }

  get syncedAt(): number {
    return (this.at >>> 2) + FrameWord.synced;
  }

  get previousHashAt(): number {
    return (this.at >>> 2) + FrameWord.previousHash;
  }
}

const NOWHERE = createLogBuffer(FRAME_BYTES_MIN);

// Words are read and written in the host's order, and the file's is little-endian.
assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, "host/little-endian");
