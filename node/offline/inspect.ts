/** Everything that the files of a data directory say, damaged or not. Changes nothing. */
import { configFingerprint } from "../config/text.ts";
import { inspectDataDirectory, LOCK_FILE } from "../data_dir.ts";
import { type Disk, DiskFault } from "../disk.ts";
import { COPY_BYTES, decodeCopy, type ReplicaMetadata } from "../metadata/codec.ts";
import type { Vote } from "../vsr/role.ts";
import { METADATA_FILE } from "../metadata/metadata.ts";
import { decodeHeader, HEADER_BYTES, type SnapshotHeader } from "../snapshot/format.ts";
import { decodeOffer, OFFER_FILE } from "../metadata/offer.ts";
import { loadSnapshot } from "../snapshot/reader.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "../snapshot/store.ts";
import { hashText, inspectLog, type LogReport } from "./inspect_log.ts";
import { OneSnapshot } from "./one_snapshot.ts";

/** One copy of the metadata. */
export type CopyReport =
  | { readonly state: "sound"; readonly sequence: bigint; readonly metadata: MetadataReport }
  | { readonly state: string };

/** Metadata as operators read it. */
export interface MetadataReport {
  readonly clusterId: Uint8Array;
  readonly replicaId: bigint;
  readonly shardId: bigint;
  readonly configEpoch: bigint;
  readonly view: bigint;
  readonly logView: bigint;
  /** `viewV->replicaR`. */
  readonly vote: string | undefined;
  readonly role: string;
  readonly commitOpHint: bigint;
  readonly snapshotOpHint: bigint;
  readonly createdAt: string;
}

/** What a replica was about to bring into a view. */
export interface OfferReport {
  readonly view: bigint;
  readonly logView: bigint;
  readonly op: bigint;
  readonly hash: string;
}

/** One snapshot. */
export interface SnapshotReport {
  /** `sound`, or what is wrong. */
  readonly state: string;
  readonly bytes: number;
  readonly op?: bigint;
  readonly lsn?: bigint;
  readonly requestSlot?: bigint;
  readonly view?: bigint;
  readonly chainHash?: string;
  readonly clusterId?: Uint8Array;
}

/** A data directory. */
export interface Inspection {
  /** `allocdb`, `empty`, `incomplete`, `foreign` or `damaged`: what a start would find. */
  readonly kind: string;
  /** What the program would believe; absent when it would believe nothing. */
  readonly metadata: MetadataReport | undefined;
  readonly copies: readonly CopyReport[];
  /** What the replica last offered in a view change; absent when there is no whole offer. */
  readonly offer: OfferReport | undefined;
  readonly snapshots: Readonly<Record<string, SnapshotReport>>;
  readonly log: LogReport;
  /** Files that are not this program's. */
  readonly otherFiles: readonly string[];
  /** Everything that is wrong, one line each. */
  readonly problems: readonly string[];
}

const KNOWN =
  /^(LOCK|replica\.metadata(\.tmp|\.prepare)?|state\.wal(\.next|\.\d{20})?|state\.snapshot(\.previous|\.tmp|\.transfer|\.install)?(\.damaged)?)$/;

/**
 * Reads a data directory.
 *
 * @param disk The directory.
 * @returns What is in it, and what is wrong with it.
 * @throws {DiskFault} When the directory cannot be listed.
 */
export function inspectDirectory(disk: Disk): Inspection {
  const problems: string[] = [];
  const found = inspectDataDirectory(disk);
  if (found.kind === "damaged") problems.push(found.error.message);
  const copies = readCopies(disk);
  for (const [i, copy] of copies.entries()) {
    if (copy.state !== "sound") problems.push(`${METADATA_FILE} copy ${i + 1}: ${copy.state}`);
  }
  const metadata = found.kind === "allocdb" ? found.stored.metadata : undefined;
  const snapshots = readSnapshots(disk, problems);
  const log = inspectLog(disk);
  problems.push(...log.problems);
  if (metadata !== undefined) problems.push(...contradictions(metadata, snapshots, log));
  return {
    kind: found.kind,
    metadata: metadata === undefined ? undefined : metadataReport(metadata),
    copies,
    offer: readOffer(disk),
    snapshots,
    log,
    otherFiles: disk.list().filter((name) => name !== LOCK_FILE && !KNOWN.test(name)).sort(),
    problems,
  };
}

/** Metadata as operators read it. */
export function metadataReport(metadata: ReplicaMetadata): MetadataReport {
  const { core, vote, clusterId, replicaId, configEpoch, view, logView, role } = metadata;
  const { commitOpHint, snapshotOpHint, createdAt } = metadata;
  return {
    ...{ clusterId, replicaId, shardId: core.shardId, configEpoch, view, logView },
    ...{ vote: voteText(vote), role, commitOpHint, snapshotOpHint, createdAt },
  };
}

/** `viewV->replicaR`, as the runbook writes a vote. */
export function voteText(vote: Vote | null): string | undefined {
  return vote === null ? undefined : `view${vote.view}->replica${vote.replica}`;
}

function readOffer(disk: Disk): OfferReport | undefined {
  if (disk.size(OFFER_FILE) === undefined) return undefined;
  const bytes = readQuietly(disk, OFFER_FILE);
  const offer = typeof bytes === "string" ? undefined : decodeOffer(bytes);
  return offer && { ...offer, hash: hashText(offer.hash) };
}

function readCopies(disk: Disk): CopyReport[] {
  if (disk.size(METADATA_FILE) === undefined) return [];
  const bytes = readQuietly(disk, METADATA_FILE);
  if (typeof bytes === "string") return [{ state: bytes }];
  return [0, COPY_BYTES].map((at) => {
    if (bytes.length < at + COPY_BYTES) return { state: "wrong_length" };
    const copy = decodeCopy(bytes.subarray(at, at + COPY_BYTES));
    if (copy.kind === "defect") return { state: copy.defect };
    const { sequence, metadata } = copy;
    return { state: "sound", sequence, metadata: metadataReport(metadata) };
  });
}

function readSnapshots(disk: Disk, problems: string[]): Record<string, SnapshotReport> {
  const reports: Record<string, SnapshotReport> = {};
  for (const name of [SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE]) {
    const bytes = disk.size(name);
    if (bytes === undefined) continue;
    const report = readSnapshot(disk, name, bytes);
    reports[name] = report;
    if (report.state !== "sound") problems.push(`${name}: ${report.state}`);
  }
  return reports;
}

function readSnapshot(disk: Disk, name: string, bytes: number): SnapshotReport {
  const sector = new Uint8Array(HEADER_BYTES);
  const file = disk.open(name);
  try {
    if (file.read(0, sector) < HEADER_BYTES) return { state: "too_short", bytes };
  } catch (error) {
    if (error instanceof DiskFault) return { state: error.message, bytes };
    throw error;
  } finally {
    file.close();
  }
  const decoded = decodeHeader(sector);
  if (decoded.kind === "defect") return { state: `${decoded.defect.kind} in the header`, bytes };
  const { header } = decoded.value;
  return { state: proveBlocks(disk, name, header), bytes, ...headerReport(header) };
}

function headerReport(header: SnapshotHeader): Omit<SnapshotReport, "state" | "bytes"> {
  const { op, lsn, requestSlot, view, chainHash, clusterId } = header;
  return { op, lsn, requestSlot, view, chainHash: hashText(chainHash), clusterId };
}

/** Every block and the footer; their content is looked at by `replica verify`. */
function proveBlocks(disk: Disk, name: string, header: SnapshotHeader): string {
  const sink = { accept: () => undefined, finish: () => undefined };
  const alone = new OneSnapshot(disk, name);
  const load = loadSnapshot(alone, header, Number.MAX_SAFE_INTEGER, () => sink);
  if (load.kind === "loaded") return "sound";
  if (load.kind === "none") return "it went away";
  if (load.kind === "refused") return load.refusal.kind;
  const { kind, at } = load.errors[0]!;
  return `${kind} at byte ${at}`;
}

/** What each file for itself cannot know. */
function contradictions(
  metadata: ReplicaMetadata,
  snapshots: Readonly<Record<string, SnapshotReport>>,
  log: LogReport,
): string[] {
  const problems: string[] = [];
  const fingerprint = configFingerprint(metadata.core);
  for (const identity of log.identities) {
    if (!same(identity.clusterId, metadata.clusterId)) {
      problems.push("a segment of another cluster");
    }
    if (!same(identity.configFingerprint, fingerprint)) {
      problems.push("a segment made under other bounds");
    }
  }
  const ops: bigint[] = [];
  for (const [name, { clusterId, op }] of Object.entries(snapshots)) {
    if (clusterId !== undefined && !same(clusterId, metadata.clusterId)) {
      problems.push(`${name}: of another cluster`);
    }
    if (op !== undefined) ops.push(op);
  }
  if (log.tip === undefined) return [...problems, "there is no log that can be read"];
  const reached = ops.reduce((most, op) => (op > most ? op : most), 0n);
  if (log.firstOp !== undefined && log.firstOp > reached + 1n) {
    problems.push(`the log begins at op ${log.firstOp}, the snapshots reach op ${reached}`);
  }
  if (log.tip.op < reached) {
    problems.push(`the log ends at op ${log.tip.op}, a snapshot reaches op ${reached}`);
  }
  return problems;
}

/** A file, or why it cannot be read. */
function readQuietly(disk: Disk, name: string): Uint8Array | string {
  try {
    return disk.readAll(name);
  } catch (error) {
    if (error instanceof DiskFault) return error.message;
    throw error;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
