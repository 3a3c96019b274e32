/** The log lines of a replica's changes, whose wording operators grep for. Source: docs/operations.md#log-signatures. */
import { orNone } from "../log_lines.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";

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
    `durable_vote=${vote(before)}=>${vote(now)} prepared_count=${log.preparedCount} ` +
    `highest_prepared_lsn=${orNone(log.highestPreparedLsn)}`;
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
