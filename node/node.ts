/** One node: the executor, its expirations and checkpoints, and reads, behind the transport-neutral face. */
import { health, lastAppliedLsn, viewReservation, viewResource } from "../core/query.ts";
import type {
  CheckpointResult,
  Metrics,
  NodeApi,
  NodeIdentity,
  ReadRefusal,
  ReservationRead,
  ResourceRead,
  ResultSink,
  StartupKind,
} from "./api.ts";
import type { Checkpointer, CheckpointPolicy } from "./checkpoint.ts";
import type { Executor } from "./executor.ts";
import type { Expiration, TickOutcome } from "./expiration.ts";
import type { LogWriter } from "./log/store.ts";
import type { Driver } from "./replica/driver.ts";
import type { SlotClock } from "./slot_clock.ts";

/** How the data was found at start-up; never changes afterwards. */
export interface StartupFacts {
  readonly startupKind: StartupKind;
  readonly loadedSnapshotLsn: bigint | undefined;
  readonly replayedWalFrameCount: number;
  readonly replayedWalLastLsn: bigint | undefined;
}

/** What a node is made of. */
export interface NodeParts {
  readonly identity: NodeIdentity;
  readonly executor: Executor;
  readonly expiration: Expiration;
  readonly checkpointer: Checkpointer;
  readonly writer: LogWriter;
  readonly slots: SlotClock;
  readonly startup: StartupFacts;
  readonly driver: Driver;
}

/** One replica's state in service, alone or among others. */
export class Node implements NodeApi {
  readonly identity: NodeIdentity;
  readonly startup: StartupFacts;
  readonly #parts: NodeParts;

  /**
   * @param parts Put together by `openNode`.
   */
  constructor(parts: NodeParts) {
    this.identity = parts.identity;
    this.startup = parts.startup;
    this.#parts = parts;
  }

  /** Takes one encoded client command in. */
  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    this.#parts.executor.submit(view, at, end, slot, sink, token);
  }

  /** A single node is its own majority; one among others asks them. */
  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    this.#parts.driver.confirmAuthority(done);
  }

  /** What carries out the replication protocol. */
  get driver(): Driver {
    return this.#parts.driver;
  }

  /** The write path. */
  get executor(): Executor {
    return this.#parts.executor;
  }

  /** The log. */
  get writer(): LogWriter {
    return this.#parts.writer;
  }

  /** The snapshots. */
  get checkpointer(): Checkpointer {
    return this.#parts.checkpointer;
  }

  /** Strict read of a resource. */
  getResource(resourceId: bigint, requiredLsn?: bigint): ResourceRead {
    const refusal = this.#fence(requiredLsn);
    if (refusal !== undefined) return refusal;
    const { engine } = this.#parts.executor;
    const record = viewResource(engine, resourceId);
    const observedLsn = lastAppliedLsn(engine);
    return record === undefined
      ? { kind: "not_found", observedLsn }
      : { kind: "found", ...record, observedLsn };
  }

  /** Strict read of a reservation. */
  getReservation(
    reservationId: bigint,
    requiredLsn?: bigint,
    currentSlot?: bigint,
  ): ReservationRead {
    const refusal = this.#fence(requiredLsn);
    if (refusal !== undefined) return refusal;
    const slot = currentSlot ?? this.currentSlot();
    const { engine } = this.#parts.executor;
    const record = viewReservation(engine, reservationId, slot);
    const observedLsn = lastAppliedLsn(engine);
    return typeof record === "string"
      ? { kind: record, observedLsn }
      : { kind: "found", ...record, observedLsn };
  }

  /** Figures; served even when halted. */
  metrics(currentSlot?: bigint): Metrics {
    const { executor, checkpointer, writer } = this.#parts;
    return {
      queueDepth: executor.queueDepth,
      queueCapacity: this.identity.engine.maxSubmissionQueue,
      acceptingWrites: executor.acceptingWrites,
      haltReason: executor.haltReason,
      recovery: { ...this.startup, activeSnapshotLsn: checkpointer.activeSnapshotLsn },
      core: this.#coreMetrics(currentSlot ?? this.currentSlot()),
      wal: {
        bytes: writer.segments.reduce((bytes, segment) => bytes + segment.end, 0),
        segments: writer.segments.length,
        framesSinceCheckpoint: checkpointer.framesSince,
        bytesSinceCheckpoint: checkpointer.bytesSince,
        checkpointAgeMs: checkpointer.ageMs,
        lastSyncMs: executor.syncs.lastMs,
        syncCount: executor.syncs.count,
        applyGap: executor.applyGap,
      },
      counters: {
        ...executor.counters,
        checkpoints: checkpointer.completed,
        checkpointFailures: checkpointer.failed,
      },
    };
  }

  /** Expires what is due. An explicit slot may not be further ahead of the clock than a command's may. */
  tickExpirations(currentSlot: bigint | undefined, done: (outcome: TickOutcome) => void): void {
    const { executor, expiration } = this.#parts;
    const rejection = currentSlot === undefined ? undefined : executor.checkLead(currentSlot);
    if (rejection !== undefined) return done({ kind: "rejected", rejection });
    const tick = currentSlot === undefined
      ? this.#clockTick()
      : { currentSlot, dueThrough: currentSlot };
    expiration.tick({ ...tick, isAsked: true }, done);
  }

  /** Writes a snapshot in the background. */
  checkpoint(done: (result: CheckpointResult) => void): void {
    this.#parts.checkpointer.start(done);
  }

  /** The node's current slot. */
  currentSlot(): bigint {
    return this.#parts.slots.now();
  }

  /** One turn of the background expiration worker. */
  expireDue(): void {
    const { executor, expiration } = this.#parts;
    const { wheel } = executor.engine;
    if (wheel.scheduled === 0 || expiration.isBusy || executor.haltReason !== undefined) return;
    if (!executor.isServing) return;
    expiration.tick({ ...this.#clockTick(), isAsked: false }, () => {});
  }

  /** One turn of the background checkpoint worker. */
  checkpointIfDue(policy: CheckpointPolicy | undefined): void {
    const { checkpointer, executor } = this.#parts;
    if (executor.haltReason === undefined && checkpointer.isDue(policy)) {
      checkpointer.start(() => {});
    }
  }

  /** Takes no new command; settles when everything taken in is answered. */
  drain(): Promise<void> {
    this.#parts.executor.beginDrain();
    return new Promise((resolve) => this.#parts.executor.whenIdle(resolve));
  }

  /** Ends all that is under way and closes the log's files. */
  close(): void {
    this.#parts.driver.stop();
    this.#parts.writer.close();
  }

  /** Due is what fell due in a slot that is over: a command may have come late in its slot, and its time to live is whole. */
  #clockTick(): { currentSlot: bigint; dueThrough: bigint } {
    const currentSlot = this.currentSlot();
    return { currentSlot, dueThrough: currentSlot === 0n ? 0n : currentSlot - 1n };
  }

  #fence(requiredLsn: bigint | undefined): ReadRefusal | undefined {
    const { executor } = this.#parts;
    if (executor.haltReason !== undefined) return { kind: "engine_halted" };
    if (requiredLsn === undefined || requiredLsn === 0n) return undefined;
    const applied = lastAppliedLsn(executor.engine);
    if (applied !== undefined && applied >= requiredLsn) return undefined;
    return { kind: "fence_not_applied", requiredLsn, lastAppliedLsn: applied };
  }

  #coreMetrics(currentSlot: bigint): Metrics["core"] {
    const { engine } = this.#parts.executor;
    const figures = health(engine, currentSlot);
    const { config } = engine;
    const used = figures.operationTableUsed;
    return {
      ...figures,
      operationTableCapacity: config.maxOperations,
      operationTableUtilizationPct: Math.floor((used * 100) / config.maxOperations),
      resourceTableCapacity: config.maxResources,
      reservationTableCapacity: config.maxReservations,
      reservationMemberTableCapacity: config.maxReservations * config.maxBundleSize,
    };
  }
}
