/**
 * What replicas say to each other. A view, an op, a hash is a u64; frames are log frames back to back, as they
 * stand in the log. Source: docs/decisions/0010-replication.md, docs/wire.md#replicas.
 */

/** The primary's word in its view: entries, how far they are committed, and a question whether it still is primary. */
export interface Prepare {
  readonly kind: "prepare";
  readonly view: bigint;
  /** The entry before the first of `frames`; the primary's own log has this hash there. */
  readonly prevOp: bigint;
  readonly prevHash: bigint;
  /** Everything up to here is committed. */
  readonly commitOp: bigint;
  /** The primary's authority round; answered by every reply to this view. */
  readonly round: bigint;
  /** The primary's slot, so that a successor's clock goes on from there. */
  readonly slot: bigint;
  /** May be empty: a heartbeat. Valid only until the receiver returns. */
  readonly frames: Uint8Array;
}

/** Its sender's log is the log of `view` up to `op`, durably. */
export interface PrepareOk {
  readonly kind: "prepare_ok";
  readonly view: bigint;
  readonly op: bigint;
  /** The highest round of this view that its sender has heard. */
  readonly round: bigint;
  /** False while the sender only catches up: it then counts in no quorum. */
  readonly counts: boolean;
}

/** The entries do not follow on its sender's log. */
export interface PrepareReject {
  readonly kind: "prepare_reject";
  readonly view: bigint;
  /** Logs certainly agree up to here: send what follows. */
  readonly op: bigint;
}

/** Asks whether others miss the primary, too, before anything is given up for it. */
export interface ProbeView {
  readonly kind: "probe_view";
  /** The view that its sender would start. */
  readonly view: bigint;
}

/** Its sender would join that view. */
export interface ProbeViewOk {
  readonly kind: "probe_view_ok";
  readonly view: bigint;
}

/** Its sender has durably left every view before this one. */
export interface StartViewChange {
  readonly kind: "start_view_change";
  readonly view: bigint;
}

/** What its sender, member of a majority that has left every earlier view, brings into the new one. */
export interface DoViewChange {
  readonly kind: "do_view_change";
  readonly view: bigint;
  /** The last view whose log it held in full. */
  readonly logView: bigint;
  /** The last durable entry of that log. */
  readonly op: bigint;
  readonly hash: bigint;
  readonly commitOp: bigint;
  /** The slot by the sender's clock. */
  readonly slot: bigint;
}

/** The new primary's log: the first thing that a replica hears of it in this view. */
export interface StartView {
  readonly kind: "start_view";
  readonly view: bigint;
  /** The last entry that the view begins with. */
  readonly op: bigint;
  readonly hash: bigint;
  readonly commitOp: bigint;
  readonly round: bigint;
  readonly slot: bigint;
}

/** Asks for entries after one that both should have. */
export interface GetLogRange {
  readonly kind: "get_log_range";
  /** Echoed by the answer. */
  readonly requestId: bigint;
  readonly prevOp: bigint;
  readonly prevHash: bigint;
  /** The last entry that is wanted. */
  readonly toOp: bigint;
}

/** Entries, as many as one message takes. */
export interface LogRange {
  readonly kind: "log_range";
  readonly requestId: bigint;
  /** Why there are none: the log starts later, or holds something else at `prevOp`. */
  readonly refusal: "removed" | "differs" | "unreadable" | undefined;
  /** As {@linkcode Prepare.frames}. */
  readonly frames: Uint8Array;
}

/** A replica that cannot prove what it once promised asks where the cluster is. */
export interface Recovery {
  readonly kind: "recovery";
  readonly nonce: bigint;
}

/** Answer of a replica in normal operation. */
export interface RecoveryResponse {
  readonly kind: "recovery_response";
  readonly nonce: bigint;
  readonly view: bigint;
  /** The primary's last entry; absent from everybody else. */
  readonly primaryOp: bigint | undefined;
}

/** The primary's log does not reach back far enough: here is a snapshot that does. */
export interface SnapshotOffer {
  readonly kind: "snapshot_offer";
  readonly view: bigint;
  readonly op: bigint;
  /** Chain hash at `op`. */
  readonly hash: bigint;
  /** Length of the file. */
  readonly bytes: bigint;
}

/** Asks for a piece of the snapshot at `op`. */
export interface GetSnapshotChunk {
  readonly kind: "get_snapshot_chunk";
  readonly op: bigint;
  readonly hash: bigint;
  readonly offset: bigint;
  readonly length: bigint;
}

/** A piece of a snapshot; empty when its sender has that snapshot no longer. */
export interface SnapshotChunk {
  readonly kind: "snapshot_chunk";
  readonly op: bigint;
  readonly hash: bigint;
  readonly offset: bigint;
  /** Valid only until the receiver returns. */
  readonly bytes: Uint8Array;
}

/** Everything that goes between replicas after their connection is open. */
export type Message =
  | Prepare
  | PrepareOk
  | PrepareReject
  | ProbeView
  | ProbeViewOk
  | StartViewChange
  | DoViewChange
  | StartView
  | GetLogRange
  | LogRange
  | Recovery
  | RecoveryResponse
  | SnapshotOffer
  | GetSnapshotChunk
  | SnapshotChunk;
