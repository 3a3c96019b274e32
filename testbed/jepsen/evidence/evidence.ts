/**
 * What a cluster's own disks and processes say of a run: logs of replicas, how far each was committed, digests of states.
 * Plain data that a backend collects and {@linkcode checkEvidence} judges; nothing in it is believed because a replica says so.
 */
import type { CoreConfig } from "../../../core/config.ts";

/** See the top of this file. */
export interface ClusterEvidence {
  /** Bounds that the cluster was made with: they decide what replaying gives. */
  readonly core: CoreConfig;
  /** Replicas that a cluster has: a majority is more than half of them. */
  readonly replicaCount: number;
  /**
   * What was read of logs, at any times; several pieces of one replica are fine and have to agree. All reach to one op that
   * a majority knew to be committed: what the cluster decides by itself while they are read is left out.
   */
  readonly logs: readonly LogPiece[];
  /** What replicas said their state was. */
  readonly states: readonly StateDigest[];
}

/** A part of one replica's log, without gaps. */
export interface LogPiece {
  readonly replicaId: number;
  /** The op before the first of `entries`. */
  readonly baseOp: number;
  /** In the order of ops. */
  readonly entries: LogEntries;
  /** The last op that was known to be committed when this was read; entries behind it say nothing yet. */
  readonly commitOp: number;
}

/** Entries as they are asked for: a backend need not keep each as an object. An array is one. */
export interface LogEntries extends Iterable<LogEntry> {
  readonly length: number;
  /** From 0; from the end when negative. */
  at(index: number): LogEntry | undefined;
}

/** One entry of a log. */
export interface LogEntry {
  readonly op: number;
  readonly lsn: number;
  readonly slot: bigint;
  readonly view: bigint;
  /** Chain hash up to and with this entry. */
  readonly hash: bigint;
  /** Chain hash that it names as that of the entry before; unchecked when absent. */
  readonly previousHash?: bigint;
  /** Whether it is a command, of a client or internal: only those have an lsn of their own. */
  readonly isCommand: boolean;
  /** Whether the cluster itself made it, such as an expiration. */
  readonly isInternal: boolean;
  /** The command as it was encoded. */
  readonly payload: Uint8Array;
}

/** The state of one replica after an op. */
export interface StateDigest {
  readonly replicaId: number;
  readonly op: number;
  readonly digest: bigint;
}
