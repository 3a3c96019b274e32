/**
 * What a node offers to whoever speaks for clients: the server, the HTTP gateway, an embedding program.
 * Transport-neutral. Source: docs/semantics.md, docs/wire.md.
 */
import type { ConfigError, CoreConfig, EngineConfig } from "../core/config.ts";
import type { Outcome, SlotOverflowKind } from "../core/outcome.ts";
import type { ReservationState, ResourceState } from "../core/tables.ts";
import type { DiskFault } from "./disk.ts";

/** A write that got no result. Definite: it certainly did not happen. Indefinite: nobody can tell; retry the same id. */
export type Rejection =
  | { readonly category: "indefinite"; readonly code: "engine_halted" }
  | { readonly category: "indefinite"; readonly code: "storage_failure" }
  /** It was sequenced, and its primary lost its view before it was committed. */
  | { readonly category: "indefinite"; readonly code: "view_changed" }
  | {
    readonly category: "definite";
    readonly code: "invalid_request";
    readonly reason: "buffer_too_short" | "invalid_command_tag" | "invalid_layout";
  }
  | {
    readonly category: "definite";
    readonly code: "slot_overflow";
    readonly kind: SlotOverflowKind;
    readonly requestSlot: bigint;
    readonly delta: bigint;
  }
  | {
    readonly category: "definite";
    readonly code: "slot_rewound";
    readonly requestSlot: bigint;
    readonly lastRequestSlot: bigint;
  }
  | {
    readonly category: "definite";
    readonly code: "slot_too_far";
    readonly requestSlot: bigint;
    readonly slotMax: bigint;
  }
  | {
    readonly category: "definite";
    readonly code: "command_too_large";
    readonly encodedLen: number;
    readonly maxCommandBytes: number;
  }
  | {
    readonly category: "definite";
    readonly code: "lsn_exhausted";
    readonly lastAppliedLsn: bigint;
  }
  | {
    readonly category: "definite";
    readonly code: "overloaded";
    readonly queueDepth: number;
    readonly queueCapacity: number;
  }
  /** The node is draining for a planned stop and takes nothing new. */
  | { readonly category: "definite"; readonly code: "shutting_down" }
  /** Another replica sequences commands, or none does at the moment. */
  | NotPrimary & { readonly category: "definite"; readonly code: "not_primary" };

/** Where a replica that is not primary sends its clients. */
export interface NotPrimary {
  /** The view that it knows of. */
  readonly view: bigint;
  /** Whom it follows there; never 0. */
  readonly primary: bigint | undefined;
}

/** Where the answers to submitted commands go. One sink serves many commands; the token tells them apart. */
export interface ResultSink {
  /** A committed, durable result. The outcome is reused by the caller: copy what is kept. */
  committed(token: number, outcome: Outcome): void;
  /** No result. */
  rejected(token: number, rejection: Rejection): void;
}

/** What a strict read answers when it may not answer with data. */
export type ReadRefusal =
  | { readonly kind: "engine_halted" }
  | {
    readonly kind: "fence_not_applied";
    readonly requiredLsn: bigint;
    readonly lastAppliedLsn: bigint | undefined;
  }
  | NotPrimary & { readonly kind: "not_primary" };

/** How much of the log a strict read reflects. */
export interface Observed {
  /** The last lsn that the answer reflects: a fence for later reads. Undefined while nothing has been applied. */
  readonly observedLsn: bigint | undefined;
}

/** A strict read that found nothing. */
export interface NotFound extends Observed {
  /** Tells it from the answers with data. */
  readonly kind: "not_found";
}

/** A strict read of a reservation that ended so long ago that its record is gone. */
export interface Retired extends Observed {
  /** Tells it from the answers with data. */
  readonly kind: "retired";
}

/** A resource as readers see it. */
export interface ResourceView extends Observed {
  /** Tells it from the answers without data. */
  readonly kind: "found";
  /** The id that was asked for. */
  readonly resourceId: bigint;
  /** Where it is in its life. */
  readonly state: ResourceState;
  /** The reservation that holds it, unless it is available. */
  readonly currentReservationId: bigint | undefined;
  /** Counts state changes; for observation only. */
  readonly version: bigint;
}

/** A reservation as readers see it. */
export interface ReservationView extends Observed {
  /** Tells it from the answers without data. */
  readonly kind: "found";
  /** The id that was asked for. */
  readonly reservationId: bigint;
  /** On whose behalf it was made. */
  readonly holderId: bigint;
  /** Where it is in its life. */
  readonly state: ReservationState;
  /** Fencing token: grows when the holder loses its claim. */
  readonly epoch: bigint;
  /** Position of the reserve that made it. */
  readonly createdLsn: bigint;
  /** Slot from which on it may expire while reserved. */
  readonly deadlineSlot: bigint;
  /** Position of the command that ended it. */
  readonly releasedLsn: bigint | undefined;
  /** Last slot at which the ended reservation is still readable. */
  readonly retireAfterSlot: bigint | undefined;
  /** In the order of the request. */
  readonly memberResourceIds: readonly bigint[];
}

/** Answer to a resource lookup. */
export type ResourceRead = ResourceView | NotFound | ReadRefusal;

/** Answer to a reservation lookup; `retired` ended so long ago that its record is gone. */
export type ReservationRead =
  | ReservationView
  | NotFound
  | Retired
  | ReadRefusal;

/** How the process found its data when it started. */
export type StartupKind = "fresh_start" | "wal_only" | "snapshot_only" | "snapshot_and_wal";

/** Operational figures, under the runbook's names (camelCase here, snake_case on every wire and in every text). */
export interface Metrics {
  /** Commands that wait for their log position. */
  readonly queueDepth: number;
  /** Most commands that may wait. */
  readonly queueCapacity: number;
  /** False when halted, exhausted or draining. */
  readonly acceptingWrites: boolean;
  /** Why the node halted, if it did. */
  readonly haltReason: string | undefined;
  /** How the last start went; never changes later. */
  readonly recovery: {
    readonly startupKind: StartupKind;
    readonly loadedSnapshotLsn: bigint | undefined;
    readonly replayedWalFrameCount: number;
    readonly replayedWalLastLsn: bigint | undefined;
    readonly activeSnapshotLsn: bigint | undefined;
  };
  /** Figures of the engine. */
  readonly core: CoreMetrics;
  /** Figures of the log. */
  readonly wal: {
    readonly bytes: number;
    readonly segments: number;
    readonly framesSinceCheckpoint: number;
    readonly bytesSinceCheckpoint: number;
    readonly checkpointAgeMs: number | undefined;
    readonly lastSyncMs: number;
    readonly syncCount: number;
    /** Entries sequenced but not yet applied. */
    readonly applyGap: number;
  };
  /** Counts since the process started. */
  readonly counters: {
    readonly committed: number;
    readonly rejectedDefinite: number;
    readonly rejectedIndefinite: number;
    readonly retryCacheHits: number;
    readonly expired: number;
    readonly checkpoints: number;
    readonly checkpointFailures: number;
  };
}

/** Figures of the engine itself. */
export interface CoreMetrics {
  /** Position of the last applied command. */
  readonly lastAppliedLsn: bigint | undefined;
  /** Slot of the last applied command. */
  readonly lastRequestSlot: bigint | undefined;
  /** How far the asked slot is ahead of the last applied one; 0 before the first command. */
  readonly logicalSlotLag: bigint;
  /** Reserved reservations whose deadline has passed at the asked slot. */
  readonly expirationBacklog: number;
  /** Operations remembered for retries. */
  readonly operationTableUsed: number;
  /** Most operations remembered. */
  readonly operationTableCapacity: number;
  /** Used of capacity in whole per cent, rounded down. */
  readonly operationTableUtilizationPct: number;
  /** Resources. */
  readonly resourceTableUsed: number;
  /** Most resources. */
  readonly resourceTableCapacity: number;
  /** Reservations that are live or readable as history. */
  readonly reservationTableUsed: number;
  /** Most of those. */
  readonly reservationTableCapacity: number;
  /** Resources named by all reservations. */
  readonly reservationMemberTableUsed: number;
  /** Most of those. */
  readonly reservationMemberTableCapacity: number;
}

/** What one expiration tick did. */
export interface TickResult {
  /** Tells it from a rejection. */
  readonly kind: "applied";
  /** Reservations for which an expire was sequenced. */
  readonly processedCount: number;
  /** Position of the last applied command. */
  readonly lastAppliedLsn: bigint | undefined;
}

/** What one checkpoint did, or why there is none. */
export type CheckpointResult =
  | {
    readonly kind: "done";
    readonly snapshotLsn: bigint | undefined;
    readonly previousSnapshotLsn: bigint | undefined;
    readonly removedSegments: number;
  }
  | { readonly kind: "engine_halted" }
  | { readonly kind: "already_running" }
  | { readonly kind: "snapshot_file_error"; readonly fault: DiskFault };

/** How a replica stands among the others of its cluster. */
export interface ReplicationView {
  /** What it does at the moment. */
  readonly role: "primary" | "backup" | "view_uncertain" | "recovering" | "faulted";
  /** The view that it is in. */
  readonly view: bigint;
  /** Whom it follows there, itself included; never 0. */
  readonly primary: bigint | undefined;
  /** Everything up to here is committed, as far as it knows. */
  readonly commitOp: bigint;
  /** Up to here its state has been brought. */
  readonly appliedOp: bigint;
  /** The last entry of its log. */
  readonly tipOp: bigint;
  /** The others, ascending by id. */
  readonly peers: readonly PeerView[];
}

/** Another replica as seen from this one. */
export interface PeerView {
  /** Which one. */
  readonly replicaId: bigint;
  /** Whether there is a connection to it. */
  readonly connected: boolean;
  /** The primary knows up to where the peer's log is its own; 0 elsewhere. */
  readonly matchOp: bigint;
  /** How many entries the peer lacks, as far as the primary knows; 0 elsewhere. */
  readonly lag: bigint;
  /** How long ago it said something, in milliseconds. */
  readonly lastHeardMs: number | undefined;
}

/** Who this node is. */
export interface NodeIdentity {
  /** 16 bytes, made once when the data directory was. */
  readonly clusterId: Uint8Array;
  readonly replicaId: bigint;
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
}

/** One node. Every callback may run before the call that caused it returns. */
export interface NodeApi {
  readonly identity: NodeIdentity;
  /**
   * Takes one encoded client command in. The bytes are copied before this returns.
   *
   * @param view The buffer.
   * @param at Where the command starts.
   * @param end Where it ends; anything left over is an invalid request.
   * @param slot The client's own slot, or `undefined` for the node's clock (the normal case).
   * @param sink Where the answer goes, exactly once.
   * @param token Handed back with the answer.
   */
  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void;
  /**
   * Makes sure that reads see everything that was answered before this call. Whoever reads strictly calls
   * it first and reads within `done`, in the same turn.
   *
   * @param done Called once, at the latest when the node gives up its view: with why reads have to be
   *   refused, or with nothing.
   */
  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void;
  /** Strict read of a resource. `requiredLsn` 0 or absent is no fence; an unmet fence is answered at once. */
  getResource(resourceId: bigint, requiredLsn?: bigint): ResourceRead;
  /** Strict read of a reservation, as of `currentSlot` (the node's clock when absent). */
  getReservation(
    reservationId: bigint,
    requiredLsn?: bigint,
    currentSlot?: bigint,
  ): ReservationRead;
  /** Figures as of `currentSlot` (the node's clock when absent). Served even when halted. */
  metrics(currentSlot?: bigint): Metrics;
  /** Sequences the expirations that are due at `currentSlot` (the node's clock when absent), bounded per tick. */
  tickExpirations(
    currentSlot: bigint | undefined,
    done: (
      result: TickResult | { readonly kind: "rejected"; readonly rejection: Rejection },
    ) => void,
  ): void;
  /** Writes a snapshot in the background and drops the log that it and its predecessor cover. */
  checkpoint(done: (result: CheckpointResult) => void): void;
  /** The node's current slot. */
  currentSlot(): bigint;
  /** How it stands among the replicas of its cluster; nothing, or absent, when it is alone. */
  replication?(): ReplicationView | undefined;
}

/** A configuration that cannot run, as an error of the node. */
export type { ConfigError };
