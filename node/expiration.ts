/**
 * Expiring what is due: plan from the applied state, sequence as ordinary internal entries. A command queued
 * before the plan still wins: its confirm turns the expire into a noop.
 */
import { type Command, CommandTag, createCommand, Field } from "../core/command.ts";
import { type Outcome, OutcomeField, RESULT_NAMES } from "../core/outcome.ts";
import { Limit } from "../core/state.ts";
import { Reservation } from "../core/tables.ts";
import { collectDue, countDue } from "../core/timing_wheel.ts";
import { copyU64, readU128, readU64, writeU64 } from "../core/words.ts";
import type { Rejection, ResultSink, TickResult } from "./api.ts";
import type { Executor } from "./executor.ts";
import { expirationApplied, type NodeLog, tickCompleted, tickPlanned } from "./log_lines.ts";

/** When a tick happens and what it looks for. */
export interface Tick {
  /** The slot it happens in: the least that its entries get. */
  readonly currentSlot: bigint;
  /** Deadlines up to this slot are due. */
  readonly dueThrough: bigint;
  /** True when a person or host asked: every step is then logged. */
  readonly isAsked: boolean;
}

/** How a tick ended. */
export type TickOutcome =
  | TickResult
  | { readonly kind: "rejected"; readonly rejection: Rejection };

/** One batch of expirations on its way through the log. */
interface Batch {
  readonly currentSlot: bigint;
  readonly requestSlot: bigint;
  readonly isAsked: boolean;
  readonly done: (outcome: TickOutcome) => void;
  planned: number;
  answered: number;
  lastAppliedLsn: bigint | undefined;
  rejection: Rejection | undefined;
}

const WAITING_MAX = 1_024;

/** Plans and sequences expirations, one batch at a time: what is in flight is never planned again. */
export class Expiration implements ResultSink {
  readonly #executor: Executor;
  readonly #log: NodeLog;
  readonly #maxPerTick: number;
  readonly #rows: Uint32Array;
  readonly #command: Command = createExpire();
  readonly #slot = new Uint32Array(2);
  readonly #waiting: (() => void)[] = [];
  #batch: Batch | undefined;

  /**
   * @param executor Where entries are sequenced.
   * @param maxPerTick Most expirations of one tick.
   * @param log Where lines go.
   */
  constructor(executor: Executor, maxPerTick: number, log: NodeLog) {
    this.#executor = executor;
    this.#log = log;
    this.#maxPerTick = maxPerTick;
    this.#rows = new Uint32Array(maxPerTick);
  }

  /** Whether a batch is in flight. */
  get isBusy(): boolean {
    return this.#batch !== undefined;
  }

  /**
   * Expires what is due, at most `maxPerTick` reservations; waits its turn behind a batch in flight.
   *
   * @param tick When, and up to which deadline.
   * @param done Called once.
   */
  tick(tick: Tick, done: (outcome: TickOutcome) => void): void {
    if (this.#batch === undefined) return this.#start(tick, done);
    if (this.#waiting.length < WAITING_MAX) {
      this.#waiting.push(() => this.#start(tick, done));
      return;
    }
    const queue = { queueDepth: WAITING_MAX, queueCapacity: WAITING_MAX };
    done({ kind: "rejected", rejection: { category: "definite", code: "overloaded", ...queue } });
  }

  /** One expire was applied. */
  committed(_token: number, outcome: Outcome): void {
    const batch = this.#batch!;
    batch.lastAppliedLsn = readU64(outcome.words, OutcomeField.appliedLsn);
    if (batch.isAsked) this.#logApplied(batch, outcome);
    this.#answered(batch);
  }

  /** One expire could not be made durable. */
  rejected(_token: number, rejection: Rejection): void {
    const batch = this.#batch!;
    batch.rejection = rejection;
    this.#answered(batch);
  }

  #start(tick: Tick, done: (outcome: TickOutcome) => void): void {
    const { wheel } = this.#executor.engine;
    const { currentSlot, isAsked } = tick;
    writeU64(this.#slot, 0, tick.dueThrough);
    const due = collectDue(wheel, this.#slot, this.#rows);
    const dueCandidates = isAsked ? countDue(wheel, this.#slot) : due;
    writeU64(this.#slot, 0, currentSlot);
    this.#executor.raiseToSequenced(this.#slot);
    const rejection = this.#executor.checkInternal(this.#command, this.#slot);
    if (rejection !== undefined) {
      done({ kind: "rejected", rejection });
      return this.#startNext();
    }
    const requestSlot = readU64(this.#slot, 0);
    const counts = { planned: 0, answered: 0, lastAppliedLsn: undefined, rejection: undefined };
    const batch = { currentSlot, requestSlot, isAsked, done, ...counts };
    if (isAsked) this.#logPlanned(batch, dueCandidates);
    this.#sequence(batch, due);
  }

  #sequence(batch: Batch, due: number): void {
    this.#batch = batch;
    for (let i = 0; i < due; i++) {
      this.#describe(this.#rows[i]!);
      if (!this.#executor.submitInternal(this.#command, this.#slot, this, i)) break;
      batch.planned++;
    }
    if (batch.planned === 0) this.#finish(batch);
  }

  #describe(row: number): void {
    const { tables, limits } = this.#executor.engine;
    const { words, stride } = tables.reservations;
    const command = this.#command;
    copyU64(command.words, Field.subjectId, words, row * stride + Reservation.createdLsn);
    copyU64(command.words, Field.subjectId + 2, limits, Limit.shard);
    copyU64(command.words, Field.quantity, words, row * stride + Reservation.deadlineSlot);
  }

  #answered(batch: Batch): void {
    batch.answered++;
    if (batch.answered === batch.planned) this.#finish(batch);
  }

  #finish(batch: Batch): void {
    this.#batch = undefined;
    const { currentSlot, requestSlot, lastAppliedLsn, rejection } = batch;
    if (rejection !== undefined) batch.done({ kind: "rejected", rejection });
    else {
      const processedCount = batch.answered;
      if (batch.isAsked) {
        this.#log.info(tickCompleted({ currentSlot, requestSlot, processedCount, lastAppliedLsn }));
      }
      batch.done({ kind: "applied", processedCount, lastAppliedLsn });
    }
    this.#startNext();
  }

  #startNext(): void {
    this.#waiting.shift()?.();
  }

  #logPlanned(batch: Batch, dueCandidates: number): void {
    this.#log.info(tickPlanned({
      currentSlot: batch.currentSlot,
      requestSlot: batch.requestSlot,
      dueCandidates,
      maxPerTick: this.#maxPerTick,
      queueDepth: this.#executor.queueDepth,
    }));
  }

  #logApplied(batch: Batch, outcome: Outcome): void {
    const { words } = this.#executor.appliedCommand;
    this.#log.info(expirationApplied({
      requestSlot: batch.requestSlot,
      reservationId: readU128(words, Field.subjectId),
      deadlineSlot: readU64(words, Field.quantity),
      appliedLsn: readU64(outcome.words, OutcomeField.appliedLsn),
      resultCode: RESULT_NAMES[outcome.code]!,
    }));
  }
}

function createExpire(): Command {
  const command = createCommand(1);
  command.tag = CommandTag.expire;
  return command;
}
