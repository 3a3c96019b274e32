/** Metrics as a message. Source: docs/wire.md#metrics. */
import type { CoreMetrics, Metrics, StartupKind } from "../api.ts";
import { MessageType, TEXT_BYTES_MAX } from "./messages.ts";
import type { WireReader } from "./reader.ts";
import type { WireWriter } from "./writer.ts";

const STARTUP_KINDS: readonly StartupKind[] = [
  "fresh_start",
  "wal_only",
  "snapshot_only",
  "snapshot_and_wal",
];

/** Longest duration, 35 years: above it milliseconds as a `number` no longer keep every microsecond. */
const DURATION_US_MAX = 2 ** 50;

/** `[14, request_id, metrics]`. */
export function writeMetricsReply(out: WireWriter, requestId: bigint, metrics: Metrics): void {
  const frame = out.beginFrame();
  out.array(3);
  out.small(MessageType.metrics);
  out.u64(requestId);
  writeMetrics(out, metrics);
  out.endFrame(frame);
}

/**
 * Reads what follows the request id of a metrics reply.
 *
 * @param reader Behind the request id.
 * @param elements What the head of the message said.
 * @returns The metrics; meaningless when the reader has failed.
 */
export function readMetricsReply(reader: WireReader, elements: number): Metrics {
  reader.require(elements === 3);
  return readMetrics(reader);
}

/** `[queue_depth, queue_capacity, accepting_writes, halt_reason | null, recovery, core, wal, counters]`. */
export function writeMetrics(out: WireWriter, metrics: Metrics): void {
  out.array(8);
  out.u64(metrics.queueDepth);
  out.u64(metrics.queueCapacity);
  out.flag(metrics.acceptingWrites);
  if (metrics.haltReason === undefined) out.nil();
  else out.text(metrics.haltReason, TEXT_BYTES_MAX);
  writeRecovery(out, metrics.recovery);
  writeCore(out, metrics.core);
  writeWal(out, metrics.wal);
  writeCounters(out, metrics.counters);
}

/** Reads metrics; meaningless when the reader has failed. */
export function readMetrics(reader: WireReader): Metrics {
  reader.array(8);
  return {
    queueDepth: reader.count(),
    queueCapacity: reader.count(),
    acceptingWrites: reader.flag(),
    haltReason: reader.optionalText(TEXT_BYTES_MAX),
    recovery: readRecovery(reader),
    core: readCore(reader),
    wal: readWal(reader),
    counters: readCounters(reader),
  };
}

function writeRecovery(out: WireWriter, recovery: Metrics["recovery"]): void {
  out.array(5);
  out.small(STARTUP_KINDS.indexOf(recovery.startupKind) + 1);
  out.optionalU64(recovery.loadedSnapshotLsn);
  out.u64(recovery.replayedWalFrameCount);
  out.optionalU64(recovery.replayedWalLastLsn);
  out.optionalU64(recovery.activeSnapshotLsn);
}

function readRecovery(reader: WireReader): Metrics["recovery"] {
  reader.array(5);
  const startupKind = STARTUP_KINDS[reader.small(STARTUP_KINDS.length) - 1];
  reader.require(startupKind !== undefined);
  return {
    startupKind: startupKind ?? "fresh_start",
    loadedSnapshotLsn: reader.optionalU64(),
    replayedWalFrameCount: reader.count(),
    replayedWalLastLsn: reader.optionalU64(),
    activeSnapshotLsn: reader.optionalU64(),
  };
}

function writeCore(out: WireWriter, core: CoreMetrics): void {
  out.array(13);
  out.optionalU64(core.lastAppliedLsn);
  out.optionalU64(core.lastRequestSlot);
  out.u64(core.logicalSlotLag);
  out.u64(core.expirationBacklog);
  out.u64(core.operationTableUsed);
  out.u64(core.operationTableCapacity);
  out.u64(core.operationTableUtilizationPct);
  out.u64(core.resourceTableUsed);
  out.u64(core.resourceTableCapacity);
  out.u64(core.reservationTableUsed);
  out.u64(core.reservationTableCapacity);
  out.u64(core.reservationMemberTableUsed);
  out.u64(core.reservationMemberTableCapacity);
}

function readCore(reader: WireReader): CoreMetrics {
  reader.array(13);
  return {
    lastAppliedLsn: reader.optionalU64(),
    lastRequestSlot: reader.optionalU64(),
    logicalSlotLag: reader.u64(),
    expirationBacklog: reader.count(),
    operationTableUsed: reader.count(),
    operationTableCapacity: reader.count(),
    operationTableUtilizationPct: reader.count(),
    resourceTableUsed: reader.count(),
    resourceTableCapacity: reader.count(),
    reservationTableUsed: reader.count(),
    reservationTableCapacity: reader.count(),
    reservationMemberTableUsed: reader.count(),
    reservationMemberTableCapacity: reader.count(),
  };
}

/** Durations travel in whole microseconds, at most {@linkcode DURATION_US_MAX}: the profile has no fractions. */
function writeWal(out: WireWriter, wal: Metrics["wal"]): void {
  out.array(8);
  out.u64(wal.bytes);
  out.u64(wal.segments);
  out.u64(wal.framesSinceCheckpoint);
  out.u64(wal.bytesSinceCheckpoint);
  out.optionalU64(wal.checkpointAgeMs === undefined ? undefined : toUs(wal.checkpointAgeMs));
  out.u64(toUs(wal.lastSyncMs));
  out.u64(wal.syncCount);
  out.u64(wal.applyGap);
}

function readWal(reader: WireReader): Metrics["wal"] {
  reader.array(8);
  return {
    bytes: reader.count(),
    segments: reader.count(),
    framesSinceCheckpoint: reader.count(),
    bytesSinceCheckpoint: reader.count(),
    checkpointAgeMs: toMs(reader, reader.optionalCount()),
    lastSyncMs: toMs(reader, reader.count()),
    syncCount: reader.count(),
    applyGap: reader.count(),
  };
}

function writeCounters(out: WireWriter, counters: Metrics["counters"]): void {
  out.array(7);
  out.u64(counters.committed);
  out.u64(counters.rejectedDefinite);
  out.u64(counters.rejectedIndefinite);
  out.u64(counters.retryCacheHits);
  out.u64(counters.expired);
  out.u64(counters.checkpoints);
  out.u64(counters.checkpointFailures);
}

function readCounters(reader: WireReader): Metrics["counters"] {
  reader.array(7);
  return {
    committed: reader.count(),
    rejectedDefinite: reader.count(),
    rejectedIndefinite: reader.count(),
    retryCacheHits: reader.count(),
    expired: reader.count(),
    checkpoints: reader.count(),
    checkpointFailures: reader.count(),
  };
}

function toUs(ms: number): number {
  return Math.min(DURATION_US_MAX, Math.max(0, Math.round(ms * 1_000)));
}

function toMs(reader: WireReader, us: number): number;
function toMs(reader: WireReader, us: number | undefined): number | undefined;
function toMs(reader: WireReader, us: number | undefined): number | undefined {
  if (us === undefined) return undefined;
  reader.require(us <= DURATION_US_MAX);
  return us / 1_000;
}
