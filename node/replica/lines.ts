/** The log lines of a replica's changes, whose wording operators grep for. Source: docs/operations.md#log-signatures. */
import type { DiskFault } from "../disk.ts";
import { orNone } from "../log_lines.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import type { SnapshotFacts } from "../vsr/log_port.ts";

/** The log as a transition line states it. */
export interface LogFacts {
  readonly preparedCount: bigint;
  readonly highestPreparedLsn: bigint | undefined;
}

/** What a durable change of the metadata was. */
export function transitionLine(
  before: ReplicaMetadata,
  now: ReplicaMetadata,
  log: LogFacts,
): string {
  const shardId = now.core.shardId;
  return `replica metadata transition: action=${actionOf(before, now)} ` +
    `replica_id=${now.replicaId} shard_id=${shardId} role=${before.role}=>${now.role} ` +
    `current_view=${before.view}=>${now.view} ` +
    `commit_lsn=${hint(before.commitOpHint)}=>${hint(now.commitOpHint)} ` +
    `active_snapshot_lsn=${hint(before.snapshotOpHint)}=>${hint(now.snapshotOpHint)} ` +
    `last_normal_view=${hint(before.logView)}=>${hint(now.logView)} ` +
    `durable_vote=${vote(before)}=>${vote(now)} ${preparedOf(log)}`;
}

/**
 * Entries that are in the log and not applied.
 *
 * @param tipOp The last entry of the log.
 * @param appliedOp The last applied one.
 */
export function preparedFacts(tipOp: bigint, appliedOp: bigint): LogFacts {
  const isAhead = tipOp > appliedOp;
  return {
    preparedCount: isAhead ? tipOp - appliedOp : 0n,
    highestPreparedLsn: isAhead ? tipOp : undefined,
  };
}

/**
 * A data directory was opened: for the first time since it was made, or with what is remembered of earlier views.
 *
 * @param metadata What is remembered.
 * @param tipOp The last entry of its log.
 */
export function bootstrapLine(metadata: ReplicaMetadata, tipOp: bigint): string {
  const isNew = metadata.view === 0n && metadata.role !== "recovering";
  return `bootstrapped ${isNew ? "" : "recovered "}replica metadata: ${whereOf(metadata)} ` +
    `active_snapshot_lsn=${hint(metadata.snapshotOpHint)} ` +
    `last_normal_view=${hint(metadata.logView)} durable_vote=${vote(metadata)} ` +
    `highest_prepared_lsn=${hint(tipOp)}`;
}

/**
 * A new primary begins with entries of earlier views, which are committed with its own view's first majority.
 *
 * @param metadata What is remembered.
 * @param log What is not applied yet.
 * @param appliedOp The last applied entry.
 */
export function committingPrefixLine(
  metadata: ReplicaMetadata,
  log: LogFacts,
  appliedOp: bigint,
): string {
  return `committing prepared prefix: ${whereOf(metadata, appliedOp)} ${preparedOf(log)}`;
}

/** They are committed and applied, and the new primary serves. */
export function committedPrefixLine(metadata: ReplicaMetadata, appliedOp: bigint): string {
  return `committed prepared prefix: ${whereOf(metadata, appliedOp)}`;
}

/** What a replica drops of its log, because the primary of a later view does without it. */
export interface DroppedSuffix {
  readonly commitOp: bigint;
  /** The last entry that stays. */
  readonly keptOp: bigint;
  /** The last one that was there. */
  readonly tipOp: bigint;
}

/** Entries that no primary of a later view has are dropped. */
export function discardingSuffixLine(metadata: ReplicaMetadata, dropped: DroppedSuffix): string {
  const { commitOp, keptOp, tipOp } = dropped;
  return `discarding uncommitted suffix: ${whereOf(metadata, commitOp)} ` +
    `discarded_count=${tipOp - keptOp} highest_prepared_lsn=${hint(tipOp)}=>${hint(keptOp)}`;
}

/** An operator asked for the next view while this replica is on its way to one. */
export function alreadyUncertainLine(metadata: ReplicaMetadata, commitOp: bigint): string {
  return `replica already view-uncertain: ${whereOf(metadata, commitOp)}`;
}

/** At which point a replica met what it cannot go on after. */
export type FaultPath = "open" | "recover";

/** The data is not sound, and nothing that a replica may do by itself helps. */
export function faultingLine(metadata: ReplicaMetadata, path: FaultPath, reason: string): string {
  return `faulting replica after ${path}-path validation: ${whereOf(metadata)} reason=${reason}`;
}

/** `replica.metadata` cannot be believed any more. */
export function metadataFaultLine(metadata: ReplicaMetadata, reason: string): string {
  return `faulting replica before engine start because metadata load failed: ${
    whereOf(metadata)
  } reason=${reason}`;
}

/** It takes no part from now on. */
export function faultedLine(reason: string): string {
  return `replica enters faulted state: reason=${reason}`;
}

/** It follows, and has no vote. */
export function notCountingLine(reason: string): string {
  return `replica does not count until it has caught up: reason=${reason}`;
}

/** A received snapshot is the newest now, and the log goes on behind it. */
export function snapshotInstalledLine({ op, bytes }: SnapshotFacts): string {
  return `snapshot installed: op=${op} bytes=${bytes}`;
}

/** It is not, and another one will be asked for when it is needed. */
export function snapshotNotInstalledLine({ op }: SnapshotFacts, reason: string): string {
  return `snapshot not installed: op=${op} error=${reason}`;
}

/** A snapshot that was being received could not be kept. */
export function transferFailedLine(fault: DiskFault): string {
  return `snapshot transfer failed: error=${fault.message}`;
}

/** Peers are asked for entries that are missing between sound ones. */
export function mendingLine(error: string, holes: number): string {
  return `log is damaged, asking peers: holes=${holes} error=${error}`;
}

/** They came, and nothing is missing any more. */
export function mendedLine(holes: number): string {
  return `log mended from peers: holes=${holes}`;
}

/** The vote is given up, and then what cannot be mended. */
export function givingUpLine(step: string, error: string): string {
  return `giving up what is damaged: step=${step} error=${error}`;
}

function whereOf(metadata: ReplicaMetadata, commitOp = metadata.commitOpHint): string {
  return `replica_id=${metadata.replicaId} shard_id=${metadata.core.shardId} ` +
    `role=${metadata.role} current_view=${metadata.view} commit_lsn=${hint(commitOp)}`;
}

function preparedOf({ preparedCount, highestPreparedLsn }: LogFacts): string {
  return `prepared_count=${preparedCount} highest_prepared_lsn=${orNone(highestPreparedLsn)}`;
}

function actionOf(before: ReplicaMetadata, now: ReplicaMetadata): string {
  if (now.role === "primary" || now.role === "backup") return "configure_normal_role";
  return now.vote !== null && now.vote.view !== before.vote?.view
    ? "record_durable_vote"
    : "enter_view_uncertain";
}

function hint(value: bigint): string {
  return orNone(value === 0n ? undefined : value);
}

function vote({ vote }: ReplicaMetadata): string {
  return vote === null ? "none" : `view:${vote.view} voted_for:${vote.replica}`;
}
