/**
 * The bytes of a snapshot file: a header sector, blocks, a footer. Everything is little-endian, every byte is
 * under a checksum, and every part starts at a multiple of eight. Source: docs/storage.md#snapshots.
 */

import { assert } from "../../core/assert.ts";
import { crc32c } from "../../core/crc32c.ts";

/** Bytes of the header: one sector, so that it is written whole or not at all. */
export const HEADER_BYTES = 512;
/** Bytes in front of each block's content. */
export const BLOCK_HEADER_BYTES = 16;
/** Most bytes of one block's content. */
export const BLOCK_BYTES_MAX = 512 * 1024;
/** Bytes of the footer. */
export const FOOTER_BYTES = 32;

const HEADER_MAGIC = new TextEncoder().encode("ADSNAP1\0");
const FOOTER_MAGIC = new TextEncoder().encode("ADSNAPE\0");
/** `ADSB` as a little-endian word. */
const BLOCK_MAGIC = 0x4253_4441;
const VERSION = 1;
const CLUSTER_ID_BYTES = 16;
const FINGERPRINT_BYTES = 16;
/** Where the used part of the header ends. */
const HEADER_USED_BYTES = 96;

/** Whose state a file holds, and under which bounds. */
export interface SnapshotIdentity {
  /** 16 bytes. */
  readonly clusterId: Uint8Array;
  readonly shardId: bigint;
  /** 16 bytes: the fingerprint of the core configuration. */
  readonly fingerprint: Uint8Array;
}

/** What a snapshot is a snapshot of. */
export interface SnapshotHeader extends SnapshotIdentity {
  /** Last log position that the state includes. */
  readonly op: bigint;
  /** Last applied command, 0 when there is none. */
  readonly lsn: bigint;
  /** Slot of that command. */
  readonly requestSlot: bigint;
  /** View in which the frame at {@linkcode op} was written. */
  readonly view: bigint;
  /** Hash of the frame at {@linkcode op}: where the log's chain goes on. */
  readonly chainHash: bigint;
}

/** What a file ends with. */
export interface SnapshotFooter {
  readonly blockCount: number;
  /** Bytes of the whole file, footer included. */
  readonly fileBytes: number;
  /** CRC-32C over the checksums of the header and of every block, in order. */
  readonly runningCrc: number;
}

/** Why bytes are not what was written. */
export type SnapshotDefectKind =
  | "checksum_mismatch"
  | "bad_magic"
  | "unsupported_version"
  | "unused_bytes_not_zero"
  | "block_out_of_order"
  | "block_length_out_of_range"
  | "length_mismatch"
  | "block_count_mismatch";

/** A defect and where it was met. */
export interface SnapshotDefect {
  readonly kind: SnapshotDefectKind;
  /** Byte offset in the file of the part that holds the defect. */
  readonly at: number;
}

/** What was decoded, or why it could not be. */
export type Decoded<Value> =
  | { readonly kind: "decoded"; readonly value: Value }
  | { readonly kind: "defect"; readonly defect: SnapshotDefect };

/** Bytes that a block takes in the file, its header and padding included. */
export function blockSpan(contentBytes: number): number {
  return BLOCK_HEADER_BYTES + Math.ceil(contentBytes / 8) * 8;
}

/**
 * Writes the header sector into `into[0, 512)`.
 *
 * @param header What the snapshot is of.
 * @param into Room for {@linkcode HEADER_BYTES}.
 * @returns The sector's checksum.
 */
export function encodeHeader(header: SnapshotHeader, into: Uint8Array): number {
  assert(header.clusterId.length === CLUSTER_ID_BYTES, "snapshot/cluster-id-length");
  assert(header.fingerprint.length === FINGERPRINT_BYTES, "snapshot/fingerprint-length");
  into.fill(0, 0, HEADER_BYTES);
  const view = viewOf(into);
  into.set(HEADER_MAGIC, 4);
  view.setUint32(12, VERSION, true);
  into.set(header.clusterId, 16);
  const words = [
    header.shardId,
    header.op,
    header.lsn,
    header.requestSlot,
    header.view,
    header.chainHash,
  ];
  words.forEach((word, i) => view.setBigUint64(32 + i * 8, word, true));
  into.set(header.fingerprint, 80);
  const crc = crc32c(into, 4, HEADER_BYTES);
  view.setUint32(0, crc, true);
  return crc;
}

/**
 * Reads a header sector.
 *
 * @param sector {@linkcode HEADER_BYTES} bytes; nothing of them is kept.
 * @returns The header with its checksum, or the first defect.
 */
export function decodeHeader(
  sector: Uint8Array,
): Decoded<{ readonly header: SnapshotHeader; readonly crc: number }> {
  assert(sector.length === HEADER_BYTES, "snapshot/header-length");
  const view = viewOf(sector);
  const crc = view.getUint32(0, true);
  if (crc !== crc32c(sector, 4, HEADER_BYTES)) return defect("checksum_mismatch", 0);
  if (!startsWith(sector, 4, HEADER_MAGIC)) return defect("bad_magic", 0);
  if (view.getUint32(12, true) !== VERSION) return defect("unsupported_version", 0);
  if (!isZero(sector, HEADER_USED_BYTES, HEADER_BYTES)) return defect("unused_bytes_not_zero", 0);
  const header: SnapshotHeader = {
    clusterId: sector.slice(16, 16 + CLUSTER_ID_BYTES),
    shardId: view.getBigUint64(32, true),
    op: view.getBigUint64(40, true),
    lsn: view.getBigUint64(48, true),
    requestSlot: view.getBigUint64(56, true),
    view: view.getBigUint64(64, true),
    chainHash: view.getBigUint64(72, true),
    fingerprint: sector.slice(80, 80 + FINGERPRINT_BYTES),
  };
  return { kind: "decoded", value: { header, crc } };
}

/**
 * Turns content that already lies at `bytes[at + 16 …]` into a block: header before it, padding behind it.
 *
 * @param bytes The buffer.
 * @param at Where the block starts.
 * @param ordinal Position among the blocks, from 0.
 * @param contentBytes Bytes of content, 1 to {@linkcode BLOCK_BYTES_MAX}.
 * @returns The block's checksum.
 */
export function sealBlock(
  bytes: Uint8Array,
  at: number,
  ordinal: number,
  contentBytes: number,
): number {
  assert(contentBytes >= 1 && contentBytes <= BLOCK_BYTES_MAX, "snapshot/block-length");
  const end = at + blockSpan(contentBytes);
  bytes.fill(0, at + BLOCK_HEADER_BYTES + contentBytes, end);
  const view = viewOf(bytes);
  view.setUint32(at + 4, BLOCK_MAGIC, true);
  view.setUint32(at + 8, ordinal, true);
  view.setUint32(at + 12, contentBytes, true);
  const crc = crc32c(bytes, at + 4, end);
  view.setUint32(at, crc, true);
  return crc;
}

/**
 * Reads a block's header, which says how much more to read; nothing in it is proved yet.
 *
 * @param bytes Holds the block header at 0.
 * @param ordinal The ordinal that must stand here.
 * @param at Offset in the file, for the defect.
 * @returns The content's length in bytes, or the first defect.
 */
export function decodeBlockHeader(
  bytes: Uint8Array,
  ordinal: number,
  at: number,
): Decoded<number> {
  const view = viewOf(bytes);
  if (view.getUint32(4, true) !== BLOCK_MAGIC) return defect("bad_magic", at);
  if (view.getUint32(8, true) !== ordinal) return defect("block_out_of_order", at);
  const contentBytes = view.getUint32(12, true);
  if (contentBytes < 1 || contentBytes > BLOCK_BYTES_MAX) {
    return defect("block_length_out_of_range", at);
  }
  return { kind: "decoded", value: contentBytes };
}

/**
 * Proves a whole block, padding included.
 *
 * @param bytes Holds the block at 0.
 * @param contentBytes What {@linkcode decodeBlockHeader} answered.
 * @param at Offset in the file, for the defect.
 * @returns The block's checksum, or the defect.
 */
export function checkBlock(bytes: Uint8Array, contentBytes: number, at: number): Decoded<number> {
  const end = blockSpan(contentBytes);
  const crc = viewOf(bytes).getUint32(0, true);
  if (crc !== crc32c(bytes, 4, end)) return defect("checksum_mismatch", at);
  if (!isZero(bytes, BLOCK_HEADER_BYTES + contentBytes, end)) {
    return defect("unused_bytes_not_zero", at);
  }
  return { kind: "decoded", value: crc };
}

/**
 * Writes the footer at `bytes[at, at + 32)`.
 *
 * @param footer What the file ends with.
 * @param bytes The buffer.
 * @param at Where the footer starts.
 */
export function encodeFooter(footer: SnapshotFooter, bytes: Uint8Array, at: number): void {
  const view = viewOf(bytes);
  bytes.fill(0, at, at + FOOTER_BYTES);
  bytes.set(FOOTER_MAGIC, at + 4);
  view.setUint32(at + 12, footer.blockCount, true);
  view.setBigUint64(at + 16, BigInt(footer.fileBytes), true);
  view.setUint32(at + 24, footer.runningCrc, true);
  view.setUint32(at, crc32c(bytes, at + 4, at + FOOTER_BYTES), true);
}

/**
 * Reads a footer.
 *
 * @param bytes {@linkcode FOOTER_BYTES} bytes, the last ones of the file.
 * @param fileBytes The file's length, which must be the one that was written.
 * @returns The footer, or the first defect.
 */
export function decodeFooter(bytes: Uint8Array, fileBytes: number): Decoded<SnapshotFooter> {
  assert(bytes.length === FOOTER_BYTES, "snapshot/footer-length");
  const at = fileBytes - FOOTER_BYTES;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== crc32c(bytes, 4, FOOTER_BYTES)) {
    return defect("checksum_mismatch", at);
  }
  if (!startsWith(bytes, 4, FOOTER_MAGIC)) return defect("bad_magic", at);
  if (!isZero(bytes, 28, FOOTER_BYTES)) return defect("unused_bytes_not_zero", at);
  if (view.getBigUint64(16, true) !== BigInt(fileBytes)) return defect("length_mismatch", at);
  const footer = {
    blockCount: view.getUint32(12, true),
    fileBytes,
    runningCrc: view.getUint32(24, true),
  };
  return { kind: "decoded", value: footer };
}

const checksumBytes = new Uint8Array(4);
const checksumView = new DataView(checksumBytes.buffer);

/**
 * Carries the running checksum over one more part of the file.
 *
 * @param running What came before; 0 at the start.
 * @param crc The checksum of the header or of a block.
 * @returns The checksum over all of them.
 */
export function chainCrc(running: number, crc: number): number {
  checksumView.setUint32(0, crc, true);
  return crc32c(checksumBytes, 0, 4, running);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function startsWith(bytes: Uint8Array, at: number, magic: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[at + i] === byte);
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}

function defect(
  kind: SnapshotDefectKind,
  at: number,
): { readonly kind: "defect"; readonly defect: SnapshotDefect } {
  return { kind: "defect", defect: { kind, at } };
}
