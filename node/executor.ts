/**
 * Sequencing and applying: on the primary a command gets its lsn when it is taken in; on every replica what is
 * committed is applied in order, and whoever waits for it here is answered. Source: docs/architecture.md#one-command.
 */
import {
  applyFromGroup,
  beginGroup,
  createEntryGroup,
  decodeIntoGroup,
  type EntryGroup,
  GROUP_ENTRIES,
  readAhead,
} from "../core/apply_group.ts";
import { assert } from "../core/assert.ts";
import { type Command, createCommand, Field } from "../core/command.ts";
import { codecErrorName, decodeCommand, encodeCommand } from "../core/command_codec.ts";
import type { EngineConfig } from "../core/config.ts";
import { slotOverflow } from "../core/engine.ts";
import { hashKey } from "../core/fixed_map.ts";
import { NO_ROW } from "../core/ids.ts";
import { FrameCursor, FrameKind, type LogBuffer } from "../core/log_frame.ts";
import { recallLive } from "../core/operations.ts";
import { createOutcome, type Outcome, OutcomeField, ResultCode } from "../core/outcome.ts";
import { type Engine, Limit, Position, POSITION_WORDS, Progress } from "../core/state.ts";
import { bumpU64, compareU64, copyU64, readU128, readU64, writeU64 } from "../core/words.ts";
import type { NotPrimary, Rejection, ResultSink } from "./api.ts";
import { moveTip, type Tip, TipWord } from "../core/log_tip.ts";
import { DiskFault } from "./disk.ts";
import type { FlushLoop, SyncFigures } from "./flush_loop.ts";
import { ACTIVE_SEGMENT } from "./log/files.ts";
import type { LogRead } from "./log/reader.ts";
import type { LogWriter } from "./log/store.ts";
import {
  haltedOnInternalWalError,
  haltedOnWalError,
  lsnExhausted,
  type NodeLog,
} from "./log_lines.ts";
import { PendingQueue } from "./pending_queue.ts";
import type { SlotClock } from "./slot_clock.ts";

/** What the executor works with. */
export interface ExecutorParts {
  readonly engine: Engine;
  readonly config: EngineConfig;
  readonly writer: LogWriter;
  readonly flush: FlushLoop;
  readonly slots: SlotClock;
  /** The last entry that is applied. */
  readonly tip: Tip;
  readonly log: NodeLog;
  /** How far an explicit slot may be ahead of the clock, in slots. */
  readonly slotLeadMax: bigint;
  /** Runs a task in a later turn of the event loop. */
  readonly later: (task: () => void) => void;
  /** Where clients find the primary, for those who ask the wrong replica. */
  readonly primary: () => NotPrimary;
}

/** Figures that only grow. */
export interface ExecutorCounters {
  committed: number;
  rejectedDefinite: number;
  rejectedIndefinite: number;
  retryCacheHits: number;
  expired: number;
}

const ENGINE_HALTED: Rejection = { category: "indefinite", code: "engine_halted" };
const STORAGE_FAILURE: Rejection = { category: "indefinite", code: "storage_failure" };
const VIEW_CHANGED: Rejection = { category: "indefinite", code: "view_changed" };
const SHUTTING_DOWN: Rejection = { category: "definite", code: "shutting_down" };

/** Entries read back from files that are applied before others have their turn. */
const SLICE_ENTRIES = 8_192;

/** The write path of one shard. */
export class Executor {
  readonly engine: Engine;
  readonly counters: ExecutorCounters = {
    committed: 0,
    rejectedDefinite: 0,
    rejectedIndefinite: 0,
    retryCacheHits: 0,
    expired: 0,
  };
  readonly #parts: ExecutorParts;
  readonly #queue: PendingQueue;
  readonly #command: Command;
  readonly #group: EntryGroup;
  #appliedCommand: Command;
  readonly #recalled: Outcome = createOutcome();
  readonly #outcome: Outcome = createOutcome();
  readonly #cursor = new FrameCursor();
  /** Position of the last sequenced entry: lsn and slot. */
  readonly #sequenced = new Uint32Array(POSITION_WORDS);
  readonly #tip: Tip;
  readonly #position = new Uint32Array(POSITION_WORDS);
  readonly #slot = new Uint32Array(2);
  readonly #lsn = new Uint32Array(2);
  readonly #view = new Uint32Array(2);
  readonly #internal = new DataView(new ArrayBuffer(64));
  readonly #idle: (() => void)[] = [];
  #haltReason: string | undefined;
  #draining = false;
  #isLeading = false;
  /** Entries that will be applied next and that nobody here waits for: they were sequenced before this replica led. */
  #unwaited = Infinity;
  /** Everything up to here may be applied. */
  #committed: bigint;
  #isApplying = false;
  readonly #applyMore = (): void => this.#apply();

  /**
   * @param parts What to work with; engine and log stand at the same position.
   */
  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.engine = parts.engine;
    const { maxSubmissionQueue, maxExpirationsPerTick } = parts.config;
    this.#queue = new PendingQueue(maxSubmissionQueue + maxExpirationsPerTick);
    this.#command = createCommand(parts.engine.config.maxBundleSize);
    this.#group = createEntryGroup(parts.engine.config.maxBundleSize);
    this.#appliedCommand = this.#command;
    this.#tip = parts.tip.slice();
    this.#committed = readU64(this.#tip, TipWord.op);
    copyU64(this.#sequenced, Position.lsn, this.engine.progress, Progress.lastLsn);
    copyU64(this.#sequenced, Position.slot, this.engine.progress, Progress.lastSlot);
  }

  /** Client commands that are sequenced but not applied: what the submission queue's bound is about. */
  get queueDepth(): number {
    return this.#queue.clients;
  }

  /** Entries that are sequenced but not applied, expirations included. */
  get applyGap(): number {
    return this.#queue.length;
  }

  /** Why writes and reads are refused, if the log has failed. */
  get haltReason(): string | undefined {
    return this.#haltReason;
  }

  /** Whether a new command would be taken in. */
  get acceptingWrites(): boolean {
    return this.isServing && this.isSound;
  }

  /** Whether nothing but its role keeps it from taking a command in. */
  get isSound(): boolean {
    return this.#haltReason === undefined && !this.#draining && !this.#isExhausted();
  }

  /** Whether this replica leads and has applied everything that came before its view. */
  get isServing(): boolean {
    return this.#isLeading && this.#unwaited === 0;
  }

  /** Writes and syncs of the log. */
  get syncs(): Readonly<SyncFigures> {
    return this.#parts.flush.syncs;
  }

  /** The op of the last applied entry. */
  get appliedOp(): bigint {
    return readU64(this.#tip, TipWord.op);
  }

  /** The command applied last, for whoever is being answered. */
  get appliedCommand(): Command {
    return this.#appliedCommand;
  }

  /** Where the applied part of the log ends. */
  get appliedTip(): Tip {
    return this.#tip;
  }

  /**
   * This replica sequences commands from now on; it serves once everything in its log is applied.
   *
   * @param view The view that its entries belong to.
   */
  beginLeading(view: bigint): void {
    const { tip } = this.#parts.writer;
    writeU64(this.#view, 0, view);
    copyU64(this.#sequenced, Position.lsn, tip, TipWord.lsn);
    copyU64(this.#sequenced, Position.slot, tip, TipWord.slot);
    this.#parts.slots.refresh();
    this.#parts.slots.observe(tip, TipWord.slot);
    this.#unwaited = Number(readU64(tip, TipWord.op) - this.appliedOp);
    this.#isLeading = true;
  }

  /** Others may lead now: nobody can tell what becomes of what is sequenced and not applied. */
  endLeading(): void {
    this.#isLeading = false;
    this.#unwaited = Infinity;
    this.#abandon(VIEW_CHANGED);
  }

  /**
   * Applies what is committed and durable here; at once, unless it has to be read back from files. The rest follows
   * with {@linkcode Executor.applyDurable}: a snapshot must never be ahead of the log that it was made from.
   *
   * @param op The last committed entry.
   */
  commitThrough(op: bigint): void {
    if (op > this.#committed) this.#committed = op;
    this.applyDurable();
  }

  /** Applies what is committed and has become durable. */
  applyDurable(): void {
    if (!this.#isApplying) this.#apply();
  }

  /** Takes nothing new from now on. */
  beginDrain(): void {
    this.#draining = true;
  }

  /** Runs a task when nothing is pending: at once, or after the batch that makes it so. */
  whenIdle(task: () => void): void {
    if (this.#queue.length === 0) task();
    else this.#idle.push(task);
  }

  /** Takes one encoded client command in; see `NodeApi.submit`. */
  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    const command = this.#command;
    const refusal = this.#checkBytes(view, at, end, command);
    if (refusal !== undefined) return this.#reject(sink, token, refusal);
    if (this.#haltReason !== undefined) return this.#reject(sink, token, ENGINE_HALTED);
    if (!this.isServing) return this.#reject(sink, token, this.#notPrimary());
    this.#beginTurn();
    if (slot === undefined) copyU64(this.#slot, 0, this.#parts.slots.current, 0);
    else writeU64(this.#slot, 0, slot);
    const hash = hashKey(this.engine.tables.operationIndex, command.words, 0);
    if (recallLive(this.engine, command, this.#lookupSlot(slot), hash, this.#recalled)) {
      this.counters.retryCacheHits++;
      return sink.committed(token, this.#recalled);
    }
    const pending = this.#queue.find(command, hash);
    if (pending !== NO_ROW) return this.#queue.follow(pending, command, sink, token);
    const definite = this.#checkSequencing(command, slot);
    if (definite !== undefined) return this.#reject(sink, token, definite);
    if (!this.#sequence(FrameKind.client_command, view, at, end - at)) {
      return this.#reject(sink, token, this.#overloaded());
    }
    this.#queue.pushClient(command, hash, sink, token);
  }

  /**
   * Sequences one internal command at the slot in `slot`.
   *
   * @param command An expire.
   * @param slot Words of the slot; not below the last sequenced one.
   * @param sink Where the outcome goes.
   * @param token Handed back with it.
   * @returns False when there is no room for it now.
   */
  submitInternal(command: Command, slot: Uint32Array, sink: ResultSink, token: number): boolean {
    if (this.#haltReason !== undefined || !this.isServing || this.#isExhausted()) return false;
    if (this.#queue.room === 0) return false;
    copyU64(this.#slot, 0, slot, 0);
    const length = encodeCommand(this.#internal, 0, command);
    if (!this.#sequence(FrameKind.internal_command, this.#internal, 0, length)) return false;
    this.#queue.pushInternal(sink, token);
    this.#beginTurn();
    return true;
  }

  /** What keeps an internal command from being sequenced at a slot, room aside. Nothing was written. */
  checkInternal(command: Command, slot: Uint32Array): Rejection | undefined {
    if (this.#haltReason !== undefined) return ENGINE_HALTED;
    if (!this.isServing) return this.#notPrimary();
    if (this.#isExhausted()) return this.#exhausted();
    copyU64(this.#slot, 0, slot, 0);
    const kind = slotOverflow(this.engine, command, this.#slot, 0);
    return kind === 0 ? undefined : this.#overflow(command, kind);
  }

  /** The slot an internal command gets when it is asked for at `slot`: never below what is sequenced. */
  raiseToSequenced(slot: Uint32Array): void {
    if (compareU64(slot, 0, this.#sequenced, Position.slot) < 0) {
      copyU64(slot, 0, this.#sequenced, Position.slot);
    }
  }

  /**
   * Whether an explicit slot is further ahead of the clock than allowed. Of the clock, not of the last slot: else one client
   * could take everybody's time away step by step.
   */
  checkLead(slot: bigint): Rejection | undefined {
    const lead = this.#parts.slots.byClock() + this.#parts.slotLeadMax;
    const sequenced = readU64(this.#sequenced, Position.slot);
    const slotMax = lead > sequenced ? lead : sequenced;
    if (slot <= slotMax) return undefined;
    return { category: "definite", code: "slot_too_far", requestSlot: slot, slotMax };
  }

  /**
   * At which slot a retry is looked up: its own, or the clock's where its own would be refused. A slot that is too far
   * ahead must not make an applied command look forgotten, for the refusal would say that it was never applied.
   */
  #lookupSlot(slot: bigint | undefined): Uint32Array {
    if (slot === undefined || this.checkLead(slot) === undefined) return this.#slot;
    return this.#parts.slots.current;
  }

  #checkBytes(view: DataView, at: number, end: number, command: Command): Rejection | undefined {
    const { maxCommandBytes } = this.#parts.config;
    if (end - at > maxCommandBytes) {
      return {
        category: "definite",
        code: "command_too_large",
        encodedLen: end - at,
        maxCommandBytes,
      };
    }
    const next = decodeCommand(view, at, end, command);
    if (next === end) return undefined;
    const reason = next < 0 ? codecErrorName(next) : "invalid_layout";
    return {
      category: "definite",
      code: "invalid_request",
      reason: reason as "buffer_too_short" | "invalid_command_tag" | "invalid_layout",
    };
  }

  /** What keeps a fresh command from being sequenced, in the contract's order. Definite: nothing was written. */
  #checkSequencing(command: Command, slot: bigint | undefined): Rejection | undefined {
    if (this.#draining) return SHUTTING_DOWN;
    if (this.#isExhausted()) return this.#exhausted();
    const kind = slotOverflow(this.engine, command, this.#slot, 0);
    if (kind !== 0) return this.#overflow(command, kind);
    if (slot !== undefined) {
      const bounds = this.#checkExplicitSlot(slot);
      if (bounds !== undefined) return bounds;
    } else this.raiseToSequenced(this.#slot);
    return this.#queue.clients >= this.#parts.config.maxSubmissionQueue
      ? this.#overloaded()
      : undefined;
  }

  #checkExplicitSlot(slot: bigint): Rejection | undefined {
    if (compareU64(this.#slot, 0, this.#sequenced, Position.slot) < 0) {
      return {
        category: "definite",
        code: "slot_rewound",
        requestSlot: slot,
        lastRequestSlot: readU64(this.#sequenced, Position.slot),
      };
    }
    return this.checkLead(slot);
  }

  #exhausted(): Rejection {
    const lastAppliedLsn = readU64(this.engine.progress, Progress.lastLsn);
    return { category: "definite", code: "lsn_exhausted", lastAppliedLsn };
  }

  #overflow(command: Command, kind: 1 | 2 | 3): Rejection {
    const { limits } = this.engine;
    const deltas = [
      0n,
      readU64(limits, Limit.operationWindow),
      readU64(command.words, Field.quantity),
      readU64(limits, Limit.historyWindow),
    ];
    return {
      category: "definite",
      code: "slot_overflow",
      kind,
      requestSlot: readU64(this.#slot, 0),
      delta: deltas[kind]!,
    };
  }

  #notPrimary(): Rejection {
    return { category: "definite", code: "not_primary", ...this.#parts.primary() };
  }

  #overloaded(): Rejection {
    return {
      category: "definite",
      code: "overloaded",
      queueDepth: this.#queue.clients,
      queueCapacity: this.#parts.config.maxSubmissionQueue,
    };
  }

  /** Gives the entry its lsn and puts it into the batch that is written next. */
  #sequence(kind: FrameKind, view: DataView, at: number, length: number): boolean {
    copyU64(this.#lsn, 0, this.#sequenced, Position.lsn);
    assert(bumpU64(this.#lsn, 0, 1), "engine/lsn-not-exhausted");
    if (!this.#parts.writer.put(kind, this.#lsn, this.#slot, this.#view, view, at, length)) {
      return false;
    }
    copyU64(this.#sequenced, Position.lsn, this.#lsn, 0);
    copyU64(this.#sequenced, Position.slot, this.#slot, 0);
    this.#parts.slots.observe(this.#slot, 0);
    return true;
  }

  #isExhausted(): boolean {
    return this.#sequenced[Position.lsn] === 0xffff_ffff &&
      this.#sequenced[Position.lsn + 1] === 0xffff_ffff;
  }

  #reject(sink: ResultSink, token: number, rejection: Rejection): void {
    if (rejection.category === "definite") this.counters.rejectedDefinite++;
    else this.counters.rejectedIndefinite++;
    sink.rejected(token, rejection);
  }

  /** The first thing of a turn reads the clock and asks for the flush at its end. */
  #beginTurn(): void {
    if (this.#parts.flush.request()) this.#parts.slots.refresh();
  }

  /** Halts when the log has failed in another way than by a flush, which tells by itself. */
  haltIfLogFailed(): void {
    const { failure, isFlushing } = this.#parts.writer;
    if (failure === undefined || isFlushing || this.#haltReason !== undefined) return;
    this.#halt(failure, "maintenance");
  }

  /** Applies committed entries run by run, from the very bytes that were written. */
  #apply(): void {
    this.#isApplying = false;
    const { writer, later } = this.#parts;
    const from = this.appliedOp + 1n;
    const inMemory = writer.retained[0]?.firstOp ?? writer.sealedOp + 1n;
    const durable = readU64(writer.syncedOp, 0);
    const last = durable < this.#committed ? durable : this.#committed;
    const slice = from < inMemory ? from + BigInt(SLICE_ENTRIES) - 1n : last;
    const to = slice < last ? slice : last;
    if (to < from || this.#haltReason !== undefined) return;
    const read = writer.visit(from, to, this.#applyRun);
    this.#checkRead(read);
    this.haltIfLogFailed();
    if (this.#queue.length === 0) this.#runIdle();
    if (this.appliedOp >= last || this.#haltReason !== undefined) return;
    this.#isApplying = true;
    later(this.#applyMore);
  }

  readonly #applyRun = (buffer: LogBuffer, from: number, end: number): boolean => {
    const cursor = this.#cursor;
    cursor.buffer = buffer;
    let last = from;
    for (cursor.at = from; cursor.at < end;) {
      const start = cursor.at;
      this.#decodeGroup(cursor, end);
      cursor.at = start;
      for (let i = 0; i < this.#group.count; i++, cursor.at = cursor.end) {
        last = cursor.at;
        this.#applyFrame(cursor, i);
      }
    }
    moveTip(this.#tip, buffer.words, last >>> 2);
    return true;
  };

  /** What is committed must be readable: without it this replica cannot go on. */
  #checkRead(read: LogRead): void {
    if (read.kind === "read") return;
    const why = read.kind === "disk_fault"
      ? read.fault.message
      : read.kind === "corruption"
      ? `${read.file} at byte ${read.at}: ${read.error}`
      : `the log starts at op ${read.firstOp}`;
    this.#halt(new DiskFault("io_error", "read", ACTIVE_SEGMENT, why), "maintenance");
  }

  /** Decodes the next frames; leaves the cursor behind them. */
  #decodeGroup(cursor: FrameCursor, end: number): void {
    const group = this.#group;
    beginGroup(group);
    for (; group.count < GROUP_ENTRIES && cursor.at < end; cursor.at = cursor.end) {
      const internal = cursor.kind === FrameKind.internal_command;
      const { payloadAt: at, data, words, lsnAt } = cursor;
      const payloadEnd = at + cursor.payloadBytes;
      const failed = decodeIntoGroup(
        this.engine,
        group,
        internal,
        data,
        at,
        payloadEnd,
        words,
        lsnAt,
      );
      assert(failed === 0, "executor/sequenced-bytes-decode");
    }
    readAhead(this.engine, group);
  }

  #runIdle(): void {
    for (const task of this.#idle.splice(0)) task();
  }

  #applyFrame(cursor: FrameCursor, i: number): void {
    const position = this.#position;
    copyU64(position, Position.lsn, cursor.words, cursor.lsnAt);
    copyU64(position, Position.slot, cursor.words, cursor.slotAt);
    applyFromGroup(this.engine, this.#group, i, position, this.#outcome);
    this.#appliedCommand = this.#group.commands[i]!;
    this.counters.committed++;
    if (cursor.kind === FrameKind.internal_command && this.#outcome.code === ResultCode.ok) {
      this.counters.expired++;
    }
    if (this.#unwaited > 0) this.#unwaited--;
    else this.#answer();
    if (this.#isExhausted() && this.#queue.length === 0) this.#reportExhausted();
  }

  #answer(): void {
    const queue = this.#queue;
    const { headSink: sink, headToken: token } = queue;
    const followers = queue.shift();
    sink.committed(token, this.#outcome);
    if (followers.length === 0) return;
    const { code, hasReservation } = this.#outcome;
    this.#outcome.fromRetryCache = true;
    for (const follower of followers) {
      // Another command waited for a key that nobody remembers now: there is no conflict, and no answer either.
      if (!follower.isSame && code === ResultCode.operation_table_full) {
        this.#reject(follower.sink, follower.token, this.#overloaded());
        continue;
      }
      this.counters.retryCacheHits++;
      this.#outcome.code = follower.isSame ? code : ResultCode.operation_conflict;
      this.#outcome.hasReservation = follower.isSame && hasReservation;
      follower.sink.committed(follower.token, this.#outcome);
    }
  }

  #reportExhausted(): void {
    this.#parts.log.error(lsnExhausted(readU64(this.#outcome.words, OutcomeField.appliedLsn)));
  }

  /** The flush of a batch has failed: fail closed, for what the disk holds is unknown until the next start has looked. */
  haltOnFlush(fault: DiskFault): void {
    if (this.#haltReason === undefined) this.#halt(fault, "flush");
  }

  #halt(fault: DiskFault, during: "flush" | "maintenance"): void {
    this.#haltReason = fault.message;
    if (during === "flush") this.#logFailedFlush(fault);
    else this.#logFailedLog(fault);
    this.#abandon(STORAGE_FAILURE);
    this.#runIdle();
  }

  /** Answers everybody who waits that nobody can tell. */
  #abandon(rejection: Rejection): void {
    while (this.#queue.length > 0) {
      const { headSink: sink, headToken: token } = this.#queue;
      const followers = this.#queue.shift();
      this.#reject(sink, token, rejection);
      for (const follower of followers) this.#reject(follower.sink, follower.token, rejection);
    }
    this.#runIdle();
  }

  /** No entry was being written: the line says where the log stood. */
  #logFailedLog(fault: DiskFault): void {
    const requestSlot = readU64(this.engine.progress, Progress.lastSlot);
    const facts = { requestSlot, appliedLsn: this.#appliedLsn(), error: fault.message };
    this.#parts.log.error(haltedOnInternalWalError({ ...facts, phase: "before_append" }));
  }

  /** The line is about the first entry of the batch. */
  #logFailedFlush(fault: DiskFault): void {
    const cursor = this.#cursor;
    cursor.buffer = this.#parts.writer.flushed.buffer;
    cursor.at = 0;
    const facts = {
      requestSlot: readU64(cursor.words, cursor.slotAt),
      appliedLsn: this.#appliedLsn(),
      phase: fault.action === "sync" ? "sync" as const : "append" as const,
      error: fault.message,
    };
    if (cursor.kind === FrameKind.internal_command) {
      return this.#parts.log.error(haltedOnInternalWalError(facts));
    }
    const { payloadAt, payloadBytes } = cursor;
    const next = decodeCommand(cursor.data, payloadAt, payloadAt + payloadBytes, this.#command);
    assert(next > 0, "executor/sequenced-bytes-decode");
    const operationId = readU128(this.#command.words, Field.operationId);
    this.#parts.log.error(haltedOnWalError({ operationId, ...facts }));
  }

  #appliedLsn(): bigint | undefined {
    const applied = readU64(this.engine.progress, Progress.lastLsn);
    return applied === 0n ? undefined : applied;
  }
}
