/** Finding and proving the snapshot that a start goes on from. Source: docs/storage.md#snapshots. */

import { type Disk, DiskFault, type DiskFile } from "../disk.ts";
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  blockSpan,
  chainCrc,
  checkBlock,
  decodeBlockHeader,
  decodeFooter,
  decodeHeader,
  FOOTER_BYTES,
  HEADER_BYTES,
  type SnapshotDefectKind,
  type SnapshotFooter,
  type SnapshotHeader,
  type SnapshotIdentity,
} from "./format.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "./store.ts";

/** Where a snapshot's content goes. It is worth nothing until `finish` was called and found nothing wrong. */
export interface BlockSink {
  /**
   * Takes the next block.
   *
   * @param block Starts at a multiple of eight in its buffer; only good until this returns.
   * @returns What is wrong with it, or `undefined`.
   */
  accept(block: Uint8Array): string | undefined;
  /**
   * Ends the content: every block was taken and the file is proved.
   *
   * @returns What is wrong with the whole, or `undefined`.
   */
  finish(): string | undefined;
}

/** Why a file is not the snapshot that was written. */
export type SnapshotErrorKind =
  | SnapshotDefectKind
  | "too_short"
  | "too_large"
  | "content_refused"
  | "unreadable";

/** A damaged snapshot. */
export interface SnapshotError {
  readonly kind: SnapshotErrorKind;
  readonly file: string;
  /** Byte offset of the damaged part. */
  readonly at: number;
  readonly message: string;
  /** Why it cannot be read; `undefined` for what is wrong with bytes that can. */
  readonly fault?: DiskFault;
}

/** Why an undamaged snapshot must not be loaded. */
export type SnapshotRefusalKind =
  | "other_cluster"
  | "other_shard"
  | "other_configuration"
  | "unsupported_version";

/** A snapshot that belongs to something else. */
export interface SnapshotRefusal {
  readonly kind: SnapshotRefusalKind;
  readonly file: string;
  readonly message: string;
}

/** What the data directory has in the way of snapshots. */
export type SnapshotLoad<Sink> =
  /** Neither generation exists. */
  | { readonly kind: "none" }
  | {
    readonly kind: "loaded";
    readonly header: SnapshotHeader;
    /** The sink that took every block. */
    readonly sink: Sink;
    readonly generation: "newest" | "previous";
    /** What is wrong with the newest generation; `undefined` when it is the one loaded, or is not there. */
    readonly damaged: SnapshotError | undefined;
  }
  /** A generation belongs to something else: falling back would hide that. */
  | { readonly kind: "refused"; readonly refusal: SnapshotRefusal }
  /** There are generations, and all of them are damaged. */
  | { readonly kind: "failed"; readonly errors: readonly SnapshotError[] };

type FileRead<Sink> =
  | { readonly kind: "missing" }
  | { readonly kind: "read"; readonly header: SnapshotHeader; readonly sink: Sink }
  | { readonly kind: "refused"; readonly refusal: SnapshotRefusal }
  | { readonly kind: "damaged"; readonly error: SnapshotError };

/** How every snapshot of this directory must be. */
interface Expectation<Sink> {
  readonly identity: SnapshotIdentity;
  readonly fileBytesMax: number;
  readonly makeSink: (header: SnapshotHeader) => Sink;
}

/**
 * Loads the newest generation, or the previous one when the newest is damaged or missing. Changes nothing.
 *
 * @param disk The data directory.
 * @param identity Whose snapshot it must be.
 * @param fileBytesMax Longest file that is believed, in bytes.
 * @param makeSink Makes a fresh sink for each file that is tried.
 * @returns What there is.
 * @throws {DiskFault} When a file may not be opened; a read that fails counts as damage.
 */
export function loadSnapshot<Sink extends BlockSink>(
  disk: Disk,
  identity: SnapshotIdentity,
  fileBytesMax: number,
  makeSink: (header: SnapshotHeader) => Sink,
): SnapshotLoad<Sink> {
  const expectation = { identity, fileBytesMax, makeSink };
  const errors: SnapshotError[] = [];
  for (const file of [SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE]) {
    const result = readSnapshot(disk, file, expectation);
    if (result.kind === "refused") return result;
    if (result.kind === "damaged") errors.push(result.error);
    if (result.kind !== "read") continue;
    const generation = file === SNAPSHOT_FILE ? "newest" : "previous";
    const { header, sink } = result;
    return { kind: "loaded", header, sink, generation, damaged: errors[0] };
  }
  return errors.length === 0 ? { kind: "none" } : { kind: "failed", errors };
}

/**
 * Proves a file that came from elsewhere, without keeping its content: every checksum, and whose it is.
 *
 * @param disk The data directory.
 * @param name The file.
 * @param identity Whose snapshot it must be.
 * @param fileBytesMax Longest file that is believed, in bytes.
 * @returns Its header, or what is wrong with it.
 * @throws {DiskFault} When the file may not be opened.
 */
export function proveSnapshot(
  disk: Disk,
  name: string,
  identity: SnapshotIdentity,
  fileBytesMax: number,
): SnapshotHeader | string {
  const makeSink = () => ({ accept: () => undefined, finish: () => undefined });
  const result = readSnapshot(disk, name, { identity, fileBytesMax, makeSink });
  switch (result.kind) {
    case "read":
      return result.header;
    case "missing":
      return `${name} is missing`;
    case "refused":
      return result.refusal.message;
    case "damaged":
      return result.error.message;
  }
}

function readSnapshot<Sink extends BlockSink>(
  disk: Disk,
  name: string,
  expectation: Expectation<Sink>,
): FileRead<Sink> {
  const fileBytes = disk.size(name);
  if (fileBytes === undefined) return { kind: "missing" };
  if (fileBytes < HEADER_BYTES + FOOTER_BYTES) return damaged(name, "too_short", 0);
  if (fileBytes > expectation.fileBytesMax) return damaged(name, "too_large", 0);
  const file = disk.open(name);
  try {
    return readOpenSnapshot(file, fileBytes, expectation);
  } catch (error) {
    if (!(error instanceof DiskFault) || error.kind !== "io_error") throw error;
    const unreadable = snapshotError(name, "unreadable", 0, error.message);
    return { kind: "damaged", error: { ...unreadable, fault: error } };
  } finally {
    file.close();
  }
}

function readOpenSnapshot<Sink extends BlockSink>(
  file: DiskFile,
  fileBytes: number,
  { identity, makeSink }: Expectation<Sink>,
): FileRead<Sink> {
  const sector = new Uint8Array(HEADER_BYTES);
  if (!readWhole(file, 0, sector)) return damaged(file.name, "too_short", 0);
  const decoded = decodeHeader(sector);
  // An unknown version is not damage: whoever wrote it may have known more than the previous generation does.
  if (decoded.kind === "defect" && decoded.defect.kind === "unsupported_version") {
    return refused(file.name, "unsupported_version");
  }
  if (decoded.kind === "defect") return damaged(file.name, decoded.defect.kind, 0);
  const { header, crc } = decoded.value;
  const stranger = strangerIn(header, identity);
  if (stranger !== undefined) return refused(file.name, stranger);

  const last = new Uint8Array(FOOTER_BYTES);
  const footerAt = fileBytes - FOOTER_BYTES;
  if (!readWhole(file, footerAt, last)) return damaged(file.name, "too_short", footerAt);
  const footer = decodeFooter(last, fileBytes);
  if (footer.kind === "defect") return damaged(file.name, footer.defect.kind, footerAt);

  const sink = makeSink(header);
  const error = readBlocks(file, footer.value, chainCrc(0, crc), sink);
  return error === undefined ? { kind: "read", header, sink } : { kind: "damaged", error };
}

/** Hands the blocks over one by one, through one buffer. */
function readBlocks(
  file: DiskFile,
  footer: SnapshotFooter,
  headerCrc: number,
  sink: BlockSink,
): SnapshotError | undefined {
  const footerAt = footer.fileBytes - FOOTER_BYTES;
  const buffer = new Uint8Array(Math.min(blockSpan(BLOCK_BYTES_MAX), footerAt - HEADER_BYTES));
  let runningCrc = headerCrc;
  let at = HEADER_BYTES;
  let ordinal = 0;
  for (; at < footerAt; ordinal++) {
    const block = readBlock(file, at, ordinal, footerAt, buffer);
    if (block.kind === "damaged") return block.error;
    const refusal = sink.accept(
      buffer.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + block.contentBytes),
    );
    if (refusal !== undefined) return snapshotError(file.name, "content_refused", at, refusal);
    runningCrc = chainCrc(runningCrc, block.crc);
    at += blockSpan(block.contentBytes);
  }
  if (ordinal !== footer.blockCount) {
    return snapshotError(file.name, "block_count_mismatch", footerAt);
  }
  if (runningCrc !== footer.runningCrc) {
    return snapshotError(file.name, "checksum_mismatch", footerAt);
  }
  const refusal = sink.finish();
  if (refusal === undefined) return undefined;
  return snapshotError(file.name, "content_refused", footerAt, refusal);
}

type BlockRead =
  | { readonly kind: "block"; readonly contentBytes: number; readonly crc: number }
  | { readonly kind: "damaged"; readonly error: SnapshotError };

function readBlock(
  file: DiskFile,
  at: number,
  ordinal: number,
  footerAt: number,
  buffer: Uint8Array,
): BlockRead {
  if (
    at + BLOCK_HEADER_BYTES > footerAt ||
    !readWhole(file, at, buffer.subarray(0, BLOCK_HEADER_BYTES))
  ) return damaged(file.name, "too_short", at);
  const header = decodeBlockHeader(buffer, ordinal, at);
  if (header.kind === "defect") return damaged(file.name, header.defect.kind, at);
  const contentBytes = header.value;
  const end = blockSpan(contentBytes);
  if (
    at + end > footerAt ||
    !readWhole(file, at + BLOCK_HEADER_BYTES, buffer.subarray(BLOCK_HEADER_BYTES, end))
  ) return damaged(file.name, "block_length_out_of_range", at);
  const checked = checkBlock(buffer, contentBytes, at);
  if (checked.kind === "defect") return damaged(file.name, checked.defect.kind, at);
  return { kind: "block", contentBytes, crc: checked.value };
}

function readWhole(file: DiskFile, at: number, into: Uint8Array): boolean {
  return file.read(at, into) === into.length;
}

function strangerIn(
  header: SnapshotHeader,
  identity: SnapshotIdentity,
): SnapshotRefusalKind | undefined {
  if (!sameBytes(header.clusterId, identity.clusterId)) return "other_cluster";
  if (header.shardId !== identity.shardId) return "other_shard";
  if (!sameBytes(header.fingerprint, identity.fingerprint)) return "other_configuration";
  return undefined;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const REFUSAL_WORDS: Readonly<Record<SnapshotRefusalKind, string>> = {
  other_cluster: "belongs to another cluster",
  other_shard: "belongs to another shard",
  other_configuration: "was made under other core.* bounds",
  unsupported_version: "was written by a version of the program that this one does not understand",
};

function refused(
  file: string,
  kind: SnapshotRefusalKind,
): { readonly kind: "refused"; readonly refusal: SnapshotRefusal } {
  return { kind: "refused", refusal: { kind, file, message: `${file} ${REFUSAL_WORDS[kind]}` } };
}

function damaged(
  file: string,
  kind: SnapshotErrorKind,
  at: number,
  detail?: string,
): { readonly kind: "damaged"; readonly error: SnapshotError } {
  return { kind: "damaged", error: snapshotError(file, kind, at, detail) };
}

function snapshotError(
  file: string,
  kind: SnapshotErrorKind,
  at: number,
  detail?: string,
): SnapshotError {
  const words = kind.replaceAll("_", " ");
  const message = `${file} is damaged at byte ${at}: ${words}${
    detail === undefined ? "" : ` (${detail})`
  }`;
  return { kind, file, at, message };
}
