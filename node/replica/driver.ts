/**
 * Carries out what the protocol decides, and tells it what has happened: log, memory, clock and executor of one
 * replica on one side, `node/vsr/` on the other. Source: docs/decisions/0010-replication.md.
 */
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import type { NotPrimary, ReadRefusal } from "../api.ts";
import { DiskFault } from "../disk.ts";
import type { Executor } from "../executor.ts";
import type { FlushListener, FlushLoop } from "../flush_loop.ts";
import { ACTIVE_SEGMENT } from "../log/files.ts";
import type { LogWriter } from "../log/store.ts";
import type { ReplicaRole } from "../vsr/role.ts";
import type { SlotClock } from "../slot_clock.ts";
import type { Effect, Event, StoreEffect } from "../vsr/events.ts";
import type { LogRead, ProtocolLog, SnapshotFacts } from "../vsr/log_port.ts";
import type { Message } from "../vsr/messages.ts";
import { hasLease } from "../vsr/lead.ts";
import { createState, type ProtocolOptions, step } from "../vsr/protocol.ts";
import { isLeading, primaryOf, roleOf, type State } from "../vsr/state.ts";
import type { DroppedSuffix } from "./lines.ts";
import type { ReplicaMemory } from "./memory.ts";

/** What a driver works with. */
export interface DriverParts {
  readonly executor: Executor;
  readonly writer: LogWriter;
  readonly flush: FlushLoop;
  readonly slots: SlotClock;
  readonly memory: ReplicaMemory;
  readonly protocol: Omit<ProtocolOptions, "log" | "slot">;
  readonly nowMs: () => number;
  readonly outside: ReplicaOutside;
}

/** What is around one replica. Nothing here may call back into it before it returns, except `send`'s transport later. */
export interface ReplicaOutside {
  /** Sends a message; what it points to is copied before this returns. */
  send(to: bigint, message: Message): void;
  /** What was sent in this turn should leave now: a write to the disk is about to begin. */
  sendNow(): void;
  /** Role or view are other ones now. */
  roleChanged(role: ReplicaRole, view: bigint): void;
  /** The replica must not go on. */
  faulted(reason: string): void;
  /** The disk failed. */
  diskFailed(fault: DiskFault): void;
  /** The replica needs a snapshot. */
  fetchSnapshot(wanted: Extract<Effect, { readonly kind: "fetch_snapshot" }>): void;
  /** The newest snapshot there is. */
  snapshot(): SnapshotFacts | undefined;
  /** Entries that were not committed are about to be dropped. */
  dropping(suffix: DroppedSuffix): void;
}

/** Nobody is around: a single node. */
export const ALONE: ReplicaOutside = {
  send() {},
  sendNow() {},
  roleChanged() {},
  faulted() {},
  diskFailed() {},
  fetchSnapshot() {},
  snapshot: () => undefined,
  dropping() {},
};

/** A strict read that waits until it is certain that this still is the primary. */
interface Reader {
  readonly round: bigint;
  readonly done: (refusal: ReadRefusal | undefined) => void;
}

/** Memory that batches may take while peers have not been sent them. */
const RETAINED_BYTES_MAX = 32 * 1024 * 1024;

/** From so much on a batch does not wait for the one before it. */
const GATHERED_BYTES_MAX = 128 * 1024;

/** Runs the protocol of one replica. */
export class Driver implements FlushListener, ProtocolLog {
  readonly #parts: DriverParts;
  readonly #state: State;
  readonly #events: Event[] = [];
  #isStepping = false;
  #isStopped = false;
  /** Whether no tick has passed since the latest batch left. */
  #mayHold = false;
  #readers: Reader[] = [];

  /** @param parts What to work with. */
  constructor(parts: DriverParts) {
    this.#parts = parts;
    const slot = (): bigint => parts.slots.byClock();
    this.#state = createState({ ...parts.protocol, log: this, slot });
    parts.flush.listen(this);
  }

  /** What the protocol knows. To read. */
  get state(): Readonly<State> {
    return this.#state;
  }

  get role(): ReplicaRole {
    return roleOf(this.#state);
  }

  /** Whom clients should ask. */
  get primary(): NotPrimary {
    const { view, status, primaryHeardMs, timing } = this.#state;
    if (view === 0n) return { view, primary: undefined };
    const isKnown = status === "normal" &&
      (isLeading(this.#state) ||
        this.#parts.nowMs() - primaryHeardMs < timing.electionMsMin);
    return { view, primary: isKnown ? primaryOf(this.#state, view) : undefined };
  }

  /** Takes an event in; what it causes is done before this returns, unless something is being done already. */
  take(event: Event): void {
    if (this.#isStopped) return;
    if (event.kind === "tick") this.#mayHold = false;
    this.#events.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        for (const effect of step(this.#state, next, this.#parts.nowMs())) this.#do(effect);
      }
    } finally {
      this.#isStepping = false;
    }
    this.#release();
    if (this.#parts.writer.pendingBytes > 0 && !this.holds()) this.#parts.flush.request();
  }

  /** Nothing happens any more. Who waits is told that nobody can tell. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#parts.flush.stop();
    this.#parts.executor.endLeading();
    this.#refuseReaders();
  }

  /** See `NodeApi.confirmAuthority`. */
  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    const { executor } = this.#parts;
    if (executor.haltReason !== undefined) return done({ kind: "engine_halted" });
    if (this.#isStopped || !executor.isServing) return done(this.#refusal());
    if (this.#state.quorum === 1 || hasLease(this.#state, this.#parts.nowMs())) {
      return done(undefined);
    }
    this.#state.nowMs = this.#parts.nowMs();
    this.#readers.push({ round: nextRound(this.#state), done });
    this.take({ kind: "authority_wanted" });
  }

  /**
   * While a batch is on its way to a majority the next one gathers: with many clients a few large batches instead of
   * many small ones, each of which costs three syncs. A tick ends the wait, whatever has become of the majority.
   */
  holds(): boolean {
    const { writer } = this.#parts;
    if (!this.#mayHold || this.#state.quorum === 1 || !isLeading(this.#state)) return false;
    return writer.pendingBytes < GATHERED_BYTES_MAX && writer.sealedOp > this.#state.commitOp;
  }

  sealed(): void {
    this.#mayHold = true;
    if (this.#state.quorum === 1 || !isLeading(this.#state)) return;
    this.take({ kind: "log_changed" });
    this.#parts.outside.sendNow();
  }

  durable(): void {
    this.#parts.executor.applyDurable();
    this.take({ kind: "log_changed" });
  }

  failed(fault: DiskFault): void {
    this.#parts.executor.haltOnFlush(fault);
    this.take({ kind: "failed" });
    this.#parts.outside.diskFailed(fault);
  }

  get tipOp(): bigint {
    return readU64(this.#parts.writer.tip, TipWord.op);
  }

  get tipHash(): bigint {
    return readU64(this.#parts.writer.tip, TipWord.hash);
  }

  get syncedOp(): bigint {
    return readU64(this.#parts.writer.syncedOp, 0);
  }

  get memoryOp(): bigint {
    const { writer } = this.#parts;
    return writer.retained[0]?.firstOp ?? writer.sealedOp + 1n;
  }

  hashAt(op: bigint): bigint | undefined {
    return this.#parts.writer.hashAt(op);
  }

  read(fromOp: bigint, bytesMax: number): LogRead {
    return this.#parts.writer.readFrames(fromOp, bytesMax);
  }

  append(frames: Uint8Array): boolean {
    const { writer, flush, slots } = this.#parts;
    if (writer.putFrames(frames) !== undefined) return false;
    slots.observe(writer.tip, TipWord.slot);
    flush.request();
    return true;
  }

  cut(op: bigint): boolean {
    const { writer, executor } = this.#parts;
    if (writer.isFlushing || writer.failure !== undefined) return false;
    const { commitOp } = this.#state;
    this.#parts.outside.dropping({ commitOp, keptOp: op, tipOp: this.tipOp });
    const fault = writer.cutAfter(op);
    if (fault === undefined) return true;
    executor.haltIfLogFailed();
    this.#events.push({ kind: "failed" });
    this.#parts.outside.diskFailed(fault);
    return false;
  }

  snapshot(): SnapshotFacts | undefined {
    return this.#parts.outside.snapshot();
  }

  #do(effect: Effect): void {
    const { executor, outside, slots } = this.#parts;
    switch (effect.kind) {
      case "send":
        return outside.send(effect.to, effect.message);
      case "store":
        return this.#store(effect);
      case "commit":
        return executor.commitThrough(effect.op);
      case "role":
        return this.#setRole(effect.role, effect.view);
      case "authority":
        return this.#answerReaders(effect.round);
      case "slot":
        return slots.follow(effect.slot);
      case "fetch_snapshot":
        return outside.fetchSnapshot(effect);
      case "unreadable":
        return this.damaged(effect.op);
      case "fault":
        this.#events.push({ kind: "failed" });
        return outside.faulted(effect.reason);
    }
  }

  /** Part of the log is damaged, as only reading it could show: the next recovery looks at all of it. */
  damaged(op: bigint): void {
    this.take({ kind: "failed" });
    const fault = new DiskFault("io_error", "read", ACTIVE_SEGMENT, `op ${op} is unreadable`);
    this.#parts.outside.diskFailed(fault);
  }

  /** What is committed but not yet durable here a crash may take: remembered, it would pass for a loss at the next start. */
  #store(effect: StoreEffect): void {
    const { commitOp } = this.#state;
    const heldOp = commitOp < this.syncedOp ? commitOp : this.syncedOp;
    this.#parts.memory.store(effect, heldOp, (fault) => {
      if (this.#isStopped) return;
      if (fault === undefined) return this.take({ kind: "stored" });
      this.take({ kind: "failed" });
      this.#parts.outside.diskFailed(fault);
    });
  }

  #setRole(role: ReplicaRole, view: bigint): void {
    const { executor, outside } = this.#parts;
    if (role === "primary") executor.beginLeading(view);
    else {
      executor.endLeading();
      this.#refuseReaders();
    }
    outside.roleChanged(role, view);
  }

  #answerReaders(round: bigint): void {
    const ready = this.#readers.filter((reader) => reader.round <= round);
    this.#readers = this.#readers.filter((reader) => reader.round > round);
    for (const { done } of ready) done(undefined);
  }

  #refuseReaders(): void {
    for (const { done } of this.#readers.splice(0)) done(this.#refusal());
  }

  #refusal(): ReadRefusal {
    return { kind: "not_primary", ...this.primary };
  }

  /** Keeps batches in memory until they are applied and every peer that keeps up has been sent them. */
  #release(): void {
    const { executor, writer } = this.#parts;
    const applied = executor.appliedOp;
    let through = applied;
    if (isLeading(this.#state)) {
      for (const { isUp, mode, nextOp } of this.#state.peers.values()) {
        if (isUp && mode === "stream" && nextOp <= through) through = nextOp - 1n;
      }
    }
    writer.release(through);
    if (through < applied) writer.releaseBeyond(RETAINED_BYTES_MAX, applied);
  }
}

/** The round that somebody who asks now has to wait for: one that starts later than this. */
function nextRound(state: State): bigint {
  return state.round + 1n;
}
