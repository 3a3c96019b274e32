/**
 * A node that does what a test tells it: for whoever speaks to clients and has to be seen with every answer
 * a node can give, not only with those a healthy one does.
 */
import { COMMAND_NAMES, createCommand, Field } from "../../core/command.ts";
import { decodeCommand } from "../../core/command_codec.ts";
import { DEFAULT_CORE_CONFIG, DEFAULT_ENGINE_CONFIG } from "../../core/config.ts";
import { createOutcome, OutcomeField, ResultCode, type ResultName } from "../../core/outcome.ts";
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

/** A submitted command as a test wants to see it. */
export interface SeenCommand {
  readonly name: string;
  readonly operationId: bigint;
  readonly clientId: bigint;
  readonly subjectId: bigint;
  readonly holderId: bigint;
  /** Time to live in slots, or epoch. */
  readonly quantity: bigint;
  readonly members: readonly bigint[];
  readonly slot: bigint | undefined;
}

/** What the node is to answer: a result code, a rejection, or nothing, ever. */
export type ScriptedAnswer = ResultName | Rejection | "silence";

/** Figures of a healthy node; every leaf differs, so that none can be mistaken for another. */
export const HEALTHY_METRICS: Metrics = {
  queueDepth: 3,
  queueCapacity: 64,
  acceptingWrites: true,
  haltReason: undefined,
  recovery: {
    startupKind: "snapshot_and_wal",
    loadedSnapshotLsn: 1_001n,
    replayedWalFrameCount: 12,
    replayedWalLastLsn: 1_013n,
    activeSnapshotLsn: 1_010n,
  },
  core: {
    lastAppliedLsn: 1_020n,
    lastRequestSlot: 9_007n,
    logicalSlotLag: 5n,
    expirationBacklog: 7,
    operationTableUsed: 210,
    operationTableCapacity: 1_000,
    operationTableUtilizationPct: 21,
    resourceTableUsed: 17,
    resourceTableCapacity: 101,
    reservationTableUsed: 19,
    reservationTableCapacity: 102,
    reservationMemberTableUsed: 23,
    reservationMemberTableCapacity: 408,
  },
  wal: {
    bytes: 65_536,
    segments: 2,
    framesSinceCheckpoint: 11,
    bytesSinceCheckpoint: 880,
    checkpointAgeMs: 4_500,
    lastSyncMs: 1.25,
    syncCount: 31,
    applyGap: 4,
  },
  counters: {
    committed: 1_021,
    rejectedDefinite: 29,
    rejectedIndefinite: 6,
    retryCacheHits: 37,
    expired: 41,
    checkpoints: 43,
    checkpointFailures: 8,
  },
};

/** A node whose answers are its public fields. */
export class ScriptedNode implements NodeApi {
  readonly identity: NodeIdentity = {
    clusterId: Uint8Array.from({ length: 16 }, (_, i) => i * 16),
    replicaId: 1n,
    core: DEFAULT_CORE_CONFIG,
    engine: DEFAULT_ENGINE_CONFIG,
  };
  /** Everything that was submitted, in order. */
  readonly seen: SeenCommand[] = [];
  /** Arguments of every read, in order. */
  readonly reads: (readonly (bigint | undefined)[])[] = [];
  /** Answer to the next submits. */
  answer: ScriptedAnswer | ((command: SeenCommand) => ScriptedAnswer) = "ok";
  resource: ResourceRead = {
    kind: "found",
    resourceId: 5n,
    state: ResourceState.available,
    currentReservationId: undefined,
    version: 2n,
    observedLsn: 9n,
  };
  reservation: ReservationRead = {
    kind: "found",
    reservationId: 2n ** 100n,
    holderId: 2n ** 128n - 1n,
    state: ReservationState.reserved,
    epoch: 1n,
    createdLsn: 3n,
    deadlineSlot: 2n ** 64n - 1n,
    releasedLsn: undefined,
    retireAfterSlot: undefined,
    memberResourceIds: [5n, 6n],
    observedLsn: 9n,
  };
  /** Whether reads are allowed; otherwise why not. */
  authority: ReadRefusal | "confirmed" | "silence" = "confirmed";
  figures: Metrics = HEALTHY_METRICS;
  /** When set, it is one of several and this is how it stands. */
  standing: ReplicationView | undefined;
  tick: TickResult | { kind: "rejected"; rejection: Rejection } | "silence" = {
    kind: "applied",
    processedCount: 2,
    lastAppliedLsn: 1_022n,
  };
  checkpointResult: CheckpointResult | "silence" = {
    kind: "done",
    snapshotLsn: 1_020n,
    previousSnapshotLsn: undefined,
    removedSegments: 1,
  };
  /** When set, every call throws it: what a bug looks like from outside. */
  bug: Error | undefined;
  #lsn = 0n;

  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    this.#fail();
    const command = decode(view, at, end, slot);
    this.seen.push(command);
    const answer = typeof this.answer === "function" ? this.answer(command) : this.answer;
    if (answer === "silence") return;
    if (typeof answer === "string") this.#commit(command, answer, sink, token);
    else sink.rejected(token, answer);
  }

  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    this.#fail();
    if (this.authority === "silence") return;
    done(this.authority === "confirmed" ? undefined : this.authority);
  }

  getResource(resourceId: bigint, requiredLsn?: bigint): ResourceRead {
    this.#fail();
    this.reads.push([resourceId, requiredLsn]);
    return this.resource;
  }

  getReservation(
    reservationId: bigint,
    requiredLsn?: bigint,
    currentSlot?: bigint,
  ): ReservationRead {
    this.#fail();
    this.reads.push([reservationId, requiredLsn, currentSlot]);
    return this.reservation;
  }

  metrics(): Metrics {
    this.#fail();
    return this.figures;
  }

  tickExpirations(
    _currentSlot: bigint | undefined,
    done: (result: TickResult | { kind: "rejected"; rejection: Rejection }) => void,
  ): void {
    this.#fail();
    if (this.tick !== "silence") done(this.tick);
  }

  checkpoint(done: (result: CheckpointResult) => void): void {
    this.#fail();
    if (this.checkpointResult !== "silence") done(this.checkpointResult);
  }

  replication(): ReplicationView | undefined {
    return this.standing;
  }

  currentSlot(): bigint {
    this.#fail();
    return 9_012n;
  }

  #fail(): void {
    if (this.bug !== undefined) throw this.bug;
  }

  #commit(command: SeenCommand, code: ResultName, sink: ResultSink, token: number): void {
    const outcome = createOutcome();
    this.#lsn++;
    outcome.code = ResultCode[code];
    writeU64(outcome.words, OutcomeField.appliedLsn, this.#lsn);
    if (code === "ok" && command.name.startsWith("reserve")) {
      outcome.hasReservation = true;
      writeU128(outcome.words, OutcomeField.reservationId, this.#lsn);
      writeU64(outcome.words, OutcomeField.epoch, 1n);
      const slot = command.slot ?? this.currentSlot();
      writeU64(outcome.words, OutcomeField.deadlineSlot, slot + command.quantity);
    }
    sink.committed(token, outcome);
    outcome.words.fill(0xdead); // The record is the caller's again: whoever kept it kept this.
  }
}

/** Room for every bundle; overwritten by each command. */
const DECODED = createCommand(0xffff);

function decode(
  view: DataView,
  at: number,
  end: number,
  slot: bigint | undefined,
): SeenCommand {
  const command = DECODED;
  const next = decodeCommand(view, at, end, command);
  if (next !== end) throw new Error(`Submitted bytes are no command: ${next}`);
  const { words, members, memberCount } = command;
  return {
    name: COMMAND_NAMES[command.tag]!,
    operationId: readU128(words, Field.operationId),
    clientId: readU128(words, Field.clientId),
    subjectId: readU128(words, Field.subjectId),
    holderId: readU128(words, Field.holderId),
    quantity: readU64(words, Field.quantity),
    members: Array.from({ length: memberCount }, (_, i) => readU128(members, i * 4)),
    slot,
  };
}
