/**
 * A node for tests of the wire, the server and the client: a small model of resources and reservations that
 * remembers every command it was given and answers as a script says. It never fails by itself.
 */
import { type Command, CommandTag, createCommand, Field } from "../../core/command.ts";
import { codecErrorName, decodeCommand } from "../../core/command_codec.ts";
import { DEFAULT_CORE_CONFIG, DEFAULT_ENGINE_CONFIG } from "../../core/config.ts";
import { createOutcome, type Outcome, OutcomeField, ResultCode } from "../../core/outcome.ts";
import { ReservationState, ResourceState } from "../../core/tables.ts";
import { readU128, readU64, writeU128, writeU64 } from "../../core/words.ts";
import type {
  CheckpointResult,
  Metrics,
  NodeApi,
  NodeIdentity,
  ReadRefusal,
  Rejection,
  ReplicationView,
  ReservationRead,
  ResourceRead,
  ResultSink,
  TickResult,
} from "../../node/api.ts";

/** One command as the node was given it. */
export interface Received {
  readonly bytes: Uint8Array;
  readonly slot: bigint | undefined;
}

/** What to do with a command: reject it, or let the model decide. */
export type Script = (received: Received, position: number) => Rejection | "apply";

interface Claim {
  readonly resourceId: bigint;
  readonly holderId: bigint;
  readonly createdLsn: bigint;
  readonly deadlineSlot: bigint;
  state: ReservationState;
}

/** See the top of the file. */
export class WireNode implements NodeApi {
  readonly identity: NodeIdentity = {
    clusterId: Uint8Array.from({ length: 16 }, (_, i) => i),
    replicaId: 1n,
    core: DEFAULT_CORE_CONFIG,
    engine: DEFAULT_ENGINE_CONFIG,
  };
  /** Every command, in order. */
  readonly received: Received[] = [];
  /** Decides over commands; the model applies them unless told. */
  script: Script = () => "apply";
  /** When true, answers wait for {@linkcode WireNode.answerHeld}. */
  holds = false;
  /** The same for reads. */
  holdsReads = false;
  checkpointResult: CheckpointResult = { kind: "already_running" };
  metricsResult: Metrics = SAMPLE_METRICS;
  /** When set, it is one of several and this is how it stands. */
  standing: ReplicationView | undefined;
  /** When set, what reads answer. */
  readRefusal: ReadRefusal | undefined;
  #held: (() => void)[] = [];
  #lsn = 0n;
  readonly #command: Command = createCommand(DEFAULT_CORE_CONFIG.maxBundleSize);
  readonly #outcome = createOutcome();
  readonly #remembered = new Map<string, Outcome>();
  readonly #resources = new Map<bigint, bigint | undefined>();
  readonly #claims = new Map<bigint, Claim>();

  /** Answers that wait. */
  get heldCount(): number {
    return this.#held.length;
  }

  /** Gives the answers that wait, in order, in one burst. */
  answerHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const answer of held) answer();
  }

  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, end - at).slice();
    this.received.push({ bytes, slot });
    const position = this.received.length - 1;
    this.#answer(() => {
      const decision = this.script({ bytes, slot }, position);
      if (decision !== "apply") sink.rejected(token, decision);
      else this.#apply(bytes, slot ?? this.currentSlot(), sink, token);
    });
  }

  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    const answer = (): void => done(this.readRefusal);
    if (this.holdsReads) this.#held.push(answer);
    else answer();
  }

  getResource(resourceId: bigint): ResourceRead {
    const observedLsn = this.#lsn;
    if (!this.#resources.has(resourceId)) return { kind: "not_found", observedLsn };
    const currentReservationId = this.#resources.get(resourceId);
    const state = currentReservationId === undefined
      ? ResourceState.available
      : ResourceState.reserved;
    const version = this.#lsn;
    return { kind: "found", resourceId, state, currentReservationId, version, observedLsn };
  }

  getReservation(reservationId: bigint, requiredLsn = 0n): ReservationRead {
    if (requiredLsn > this.#lsn) {
      return { kind: "fence_not_applied", requiredLsn, lastAppliedLsn: this.#lsn };
    }
    const claim = this.#claims.get(reservationId);
    if (claim === undefined) return { kind: "not_found", observedLsn: this.#lsn };
    const { state, holderId, createdLsn, deadlineSlot, resourceId } = claim;
    return {
      kind: "found",
      reservationId,
      holderId,
      state,
      epoch: 1n,
      createdLsn,
      deadlineSlot,
      releasedLsn: undefined,
      retireAfterSlot: undefined,
      memberResourceIds: [resourceId],
      observedLsn: this.#lsn,
    };
  }

  metrics(): Metrics {
    return this.metricsResult;
  }

  tickExpirations(_slot: bigint | undefined, done: (result: TickResult) => void): void {
    this.#answer(() => done({ kind: "applied", processedCount: 0, lastAppliedLsn: this.#lsn }));
  }

  checkpoint(done: (result: CheckpointResult) => void): void {
    this.#answer(() => done(this.checkpointResult));
  }

  currentSlot(): bigint {
    return 1_000n;
  }

  replication(): ReplicationView | undefined {
    return this.standing;
  }

  #answer(answer: () => void): void {
    if (this.holds) this.#held.push(answer);
    else answer();
  }

  #apply(bytes: Uint8Array, slot: bigint, sink: ResultSink, token: number): void {
    const view = new DataView(bytes.buffer);
    const end = decodeCommand(view, 0, bytes.length, this.#command);
    if (end !== bytes.length) {
      const reason = end < 0 ? codecErrorName(end) : "invalid_layout";
      return sink.rejected(token, {
        category: "definite",
        code: "invalid_request",
        reason: reason as "invalid_layout",
      });
    }
    const key = this.#command.words.subarray(0, 8).join();
    const remembered = this.#remembered.get(key);
    if (remembered !== undefined) {
      return sink.committed(token, { ...remembered, fromRetryCache: true });
    }
    this.#decide(slot);
    const { code, hasReservation, words } = this.#outcome;
    const kept = { code, hasReservation, fromRetryCache: false, words: words.slice() };
    this.#remembered.set(key, kept);
    sink.committed(token, this.#outcome);
    words.fill(0xdead); // The contract: whoever keeps an outcome copies it.
  }

  #decide(slot: bigint): void {
    const outcome = this.#outcome;
    outcome.words.fill(0);
    writeU64(outcome.words, OutcomeField.appliedLsn, ++this.#lsn);
    outcome.hasReservation = false;
    const subject = readU128(this.#command.words, Field.subjectId);
    switch (this.#command.tag) {
      case CommandTag.create_resource:
        outcome.code = this.#resources.has(subject) ? ResultCode.already_exists : ResultCode.ok;
        if (outcome.code === ResultCode.ok) this.#resources.set(subject, undefined);
        return;
      case CommandTag.reserve:
        return this.#reserve(subject, slot);
      case CommandTag.confirm:
        outcome.code = this.#move(subject, ReservationState.confirmed);
        return;
      case CommandTag.release:
        outcome.code = this.#move(subject, ReservationState.released);
        return;
      default:
        outcome.code = ResultCode.noop;
    }
  }

  #reserve(resourceId: bigint, slot: bigint): void {
    const outcome = this.#outcome;
    if (!this.#resources.has(resourceId)) outcome.code = ResultCode.resource_not_found;
    else if (this.#resources.get(resourceId) !== undefined) outcome.code = ResultCode.resource_busy;
    else {
      const deadlineSlot = slot + readU64(this.#command.words, Field.quantity);
      const reservationId = (5n << 64n) | this.#lsn;
      this.#resources.set(resourceId, reservationId);
      const holderId = readU128(this.#command.words, Field.holderId);
      const state = ReservationState.reserved;
      const claim = { resourceId, holderId, createdLsn: this.#lsn, deadlineSlot, state };
      this.#claims.set(reservationId, claim);
      outcome.code = ResultCode.ok;
      outcome.hasReservation = true;
      writeU128(outcome.words, OutcomeField.reservationId, reservationId);
      writeU64(outcome.words, OutcomeField.epoch, 1n);
      writeU64(outcome.words, OutcomeField.deadlineSlot, deadlineSlot);
    }
  }

  #move(reservationId: bigint, state: ReservationState): ResultCode {
    const claim = this.#claims.get(reservationId);
    if (claim === undefined) return ResultCode.reservation_not_found;
    claim.state = state;
    if (state === ReservationState.released) this.#resources.set(claim.resourceId, undefined);
    return ResultCode.ok;
  }
}

/** Metrics in which every field has another value. */
export const SAMPLE_METRICS: Metrics = {
  queueDepth: 1,
  queueCapacity: 2,
  acceptingWrites: true,
  haltReason: undefined,
  recovery: {
    startupKind: "snapshot_and_wal",
    loadedSnapshotLsn: 3n,
    replayedWalFrameCount: 4,
    replayedWalLastLsn: 5n,
    activeSnapshotLsn: 6n,
  },
  core: {
    lastAppliedLsn: 7n,
    lastRequestSlot: 8n,
    logicalSlotLag: 9n,
    expirationBacklog: 10,
    operationTableUsed: 11,
    operationTableCapacity: 12,
    operationTableUtilizationPct: 13,
    resourceTableUsed: 14,
    resourceTableCapacity: 15,
    reservationTableUsed: 16,
    reservationTableCapacity: 17,
    reservationMemberTableUsed: 18,
    reservationMemberTableCapacity: 19,
  },
  wal: {
    bytes: 20,
    segments: 21,
    framesSinceCheckpoint: 22,
    bytesSinceCheckpoint: 23,
    checkpointAgeMs: 24.5,
    lastSyncMs: 0.125,
    syncCount: 25,
    applyGap: 26,
  },
  counters: {
    committed: 27,
    rejectedDefinite: 28,
    rejectedIndefinite: 29,
    retryCacheHits: 30,
    expired: 31,
    checkpoints: 32,
    checkpointFailures: 33,
  },
};

/** A backup of three that is in step. */
export const STANDING: ReplicationView = {
  role: "backup",
  view: 4n,
  primary: 3n,
  commitOp: 41n,
  appliedOp: 40n,
  tipOp: 42n,
  peers: [
    { replicaId: 2n, connected: false, matchOp: 0n, lag: 0n, lastHeardMs: undefined },
    { replicaId: 3n, connected: true, matchOp: 0n, lag: 0n, lastHeardMs: 12 },
  ],
};
