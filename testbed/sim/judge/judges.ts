/**
 * What must never happen in a cluster, looked at after every turn of every replica. The judges know disks,
 * messages and what clients were told, and believe nothing that a replica says of itself. A violation begins
 * with the name of the promise that is broken.
 */
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../../core/tables.ts";
import type { ReservationView, ResourceView } from "../../../node/api.ts";
import type { ReplicaGlance } from "../../../node/replica/status.ts";
import type { ReplicaRole } from "../../../node/vsr/role.ts";
import { isRefusal, type Operation, type ReadAnswer } from "../workload/client.ts";
import { PAST_SLOTS } from "../workload/submitter.ts";
import type { MirrorFrame } from "./log_mirror.ts";
import type { ClusterMachine } from "../world/machine.ts";
import { RefusalJudge } from "./refusals.ts";
import { ClusterTruth, type Decided } from "./truth.ts";
import type { CoreConfig } from "../../../core/config.ts";
import type { ModelReservation, ModelResource } from "../../model/model.ts";
import type { ModelOutcome } from "../../model/words.ts";

/** What the judges need of the world. */
export interface JudgesHost {
  nowMs(): number;
  /** What clocks can have counted from one moment to another, at most. */
  elapsedMsMax(fromMs: number, toMs: number): number;
  /** The latest view whose log a replica ever remembered to hold in full. */
  enteredView(id: bigint): bigint;
  /** A read has shown that everything up to here was decided. */
  learned(lsn: number): void;
  violated(what: string): void;
}

/** What one replica has shown so far. */
interface Shown {
  /** Which life of the process, and which opening of its directory in it. */
  incarnation: number;
  reopens: number;
  /** Compared with the truth up to here, in this life. */
  judgedOp: number;
  role: ReplicaRole;
  commitOp: bigint;
  appliedOp: bigint;
  tipOp: bigint;
  view: bigint;
}

/** Who ever had one of the entries that compete for an op durably: bits by replica. */
interface Holding {
  readonly hash: bigint;
  holders: number;
}

/**
 * Virtual milliseconds after which nobody asks again for what was decided; the longest time to live comes on top.
 * Source: docs/simulator.md#memory.
 */
const KEPT_MS = 60_000;

/** Digests that are kept, the latest ones. */
const DIGESTS_MAX = 1_024;

const NOTHING_SHOWN: Shown = {
  incarnation: 0,
  reopens: 0,
  judgedOp: 0,
  role: "recovering",
  commitOp: 0n,
  appliedOp: 0n,
  tipOp: 0n,
  view: 0n,
};

interface Published {
  readonly machine: ClusterMachine;
  readonly operation: Operation;
  readonly outcome: ModelOutcome;
}

/** See the top of this file. */
export class ClusterJudges {
  readonly truth: ClusterTruth;
  readonly refusals: RefusalJudge;
  /** How often each judge had something to judge: a judge that never has is not one. */
  readonly judged = {
    decided: 0,
    published: 0,
    reads: 0,
    expirations: 0,
    digests: 0,
    linearized: 0,
    searched: 0,
    unknown: 0,
  };
  readonly #core: CoreConfig;
  readonly #host: JudgesHost;
  readonly #machines: readonly ClusterMachine[];
  readonly #shown: Shown[];
  /** Who had entries durably that are not decided yet, by op. */
  readonly #holdings = new Map<number, Holding[]>();
  readonly #primaries = new Map<bigint, string>();
  readonly #digests = new Map<bigint, bigint>();
  /** When an operation was first asked for, and what somebody knew then. */
  readonly #asked = new Map<string, { readonly ms: number; readonly learnedLsn: number }>();
  #published: Published[] = [];
  #reads: ReadAnswer[] = [];

  constructor(core: CoreConfig, machines: readonly ClusterMachine[], host: JudgesHost) {
    this.#core = core;
    this.#host = host;
    this.#machines = machines;
    this.truth = new ClusterTruth(core);
    this.refusals = new RefusalJudge((what) => this.#violated(what));
    this.#shown = machines.map(() => ({ ...NOTHING_SHOWN }));
  }

  /** A client asks for something, when `learnedLsn` is the highest that any client knows. */
  invoked({ command, invokedMs, wish }: Operation, learnedLsn: number): void {
    const key = `${command.clientId} ${command.operationId}`;
    // A time to live that begins in a slot of the past ends earlier.
    const ms = wish.slot === "past" ? invokedMs - pastMs(this.#core) : invokedMs;
    const first = this.#asked.get(key);
    if (first === undefined) this.#asked.set(key, { ms, learnedLsn });
    else if (ms < first.ms) this.#asked.set(key, { ...first, ms });
  }

  /** A replica has told how a command ended. */
  published(machine: ClusterMachine, operation: Operation, outcome: ModelOutcome): void {
    this.#published.push({ machine, operation, outcome });
  }

  /** A replica has answered a read. */
  read(answer: ReadAnswer): void {
    this.#reads.push(answer);
  }

  /** An entry became durable somewhere. */
  durable(machine: ClusterMachine, { op, hash }: MirrorFrame): void {
    if (op <= this.truth.op) return;
    const holdings = this.#holdings.get(op) ?? [];
    if (holdings.length === 0) this.#holdings.set(op, holdings);
    const bit = 1 << machine.index;
    const holding = holdings.find((other) => other.hash === hash);
    if (holding === undefined) holdings.push({ hash, holders: bit });
    else holding.holders |= bit;
  }

  /** A replica's turn is over. */
  turned(machine: ClusterMachine): void {
    const glance = machine.subject?.glance();
    // Without its state a replica has nothing to show: it only says what it once wrote down.
    if (glance?.isOpen === true) this.#look(machine, glance);
    if (this.#published.length > 0) {
      for (const published of this.#published.splice(0)) this.#judgePublished(published);
    }
    if (this.#reads.length > 0) {
      for (const answer of this.#reads.splice(0)) this.#judgeRead(answer);
    }
  }

  /** Compares the state of a replica with that of all others at the same op. */
  judgeDigest(machine: ClusterMachine): void {
    const { subject } = machine;
    if (subject === undefined || subject.status().state === "faulted") return;
    const state = subject.digest();
    if (state === undefined) return;
    const { op, digest } = state;
    const known = this.#digests.get(op) ??
      (op === BigInt(this.truth.op) ? this.truth.digest() : undefined);
    this.judged.digests++;
    if (known === undefined) this.#keepDigest(op, digest);
    else if (known !== digest) {
      this.#violated(`R4 same prefix, same state: replica ${machine.id} differs at op ${op}`);
    }
  }

  #keepDigest(op: bigint, digest: bigint): void {
    this.#digests.set(op, digest);
    if (this.#digests.size <= DIGESTS_MAX) return;
    for (const oldest of this.#digests.keys()) return void this.#digests.delete(oldest);
  }

  #look(machine: ClusterMachine, glance: ReplicaGlance): void {
    const shown = this.#shown[machine.index]!;
    const isSameLife = shown.incarnation === machine.incarnation &&
      shown.reopens === glance.reopens;
    if (isSameLife && isAsShown(shown, glance)) return;
    if (!isSameLife) {
      const { incarnation } = machine;
      Object.assign(shown, { ...NOTHING_SHOWN, incarnation, reopens: glance.reopens });
    }
    const { commitOp, appliedOp, view, tipOp, role } = glance;
    const who = (): string => `replica ${machine.id}`;
    if (commitOp < shown.commitOp) this.#violated(`R11 commit never goes back: ${who()}`);
    if (view < shown.view) this.#violated(`R11 view never goes back: ${who()}`);
    if (appliedOp > commitOp) this.#violated(`R14 only committed entries are applied: ${who()}`);
    if (commitOp > tipOp) this.#violated(`R14 nothing is committed that is not there: ${who()}`);
    const isNewStanding = role !== shown.role || view !== shown.view;
    shown.role = role;
    shown.view = view;
    shown.commitOp = commitOp;
    shown.appliedOp = appliedOp;
    shown.tipOp = tipOp;
    if (isNewStanding && role === "primary") this.#judgePrimary(machine, shown);
    if (Number(commitOp) > shown.judgedOp) this.#follow(machine, shown);
  }

  /**
   * At most one life of one replica leads a view. Where there is no other replica, every life leads the first view:
   * nobody else can have heard what an earlier one said.
   */
  #judgePrimary({ id }: ClusterMachine, { view, incarnation, reopens }: Shown): void {
    if (this.#machines.length === 1) return;
    const who = `replica ${id} life ${incarnation}.${reopens}`;
    const before = this.#primaries.get(view);
    if (before === undefined) this.#primaries.set(view, who);
    else if (before !== who) {
      this.#violated(`R1 one primary in a view: ${who} and ${before} in view ${view}`);
    }
  }

  #follow(machine: ClusterMachine, shown: Shown): void {
    const { frames } = machine.mirror;
    const commitOp = Number(shown.commitOp);
    for (let op = shown.judgedOp + 1; op <= commitOp; op++) {
      const frame = frames.get(op);
      const hash = this.truth.hashAt(op);
      if (hash === undefined) {
        this.#decide(machine, op, frame ?? this.#heldElsewhere(op), shown);
      } else if (frame !== undefined && frame.hash !== hash) {
        this.#violated(
          `R2 what is committed never changes: op ${op} of view ${
            this.truth.at(op)?.frame.view
          } is ` +
            `another one of view ${frame.view} on replica ${machine.id}`,
        );
      }
    }
    shown.judgedOp = commitOp;
  }

  /** A primary may know that an entry is committed before its own disk has it: a majority of others does. */
  #heldElsewhere(op: number): MirrorFrame | undefined {
    const copies = this.#machines.map(({ mirror }) => mirror.frames.get(op))
      .filter((copy) => copy?.isDurable === true);
    return copies.find((copy) =>
      2 * copies.filter((other) => other!.hash === copy!.hash).length > this.#machines.length
    );
  }

  #decide(
    machine: ClusterMachine,
    op: number,
    frame: MirrorFrame | undefined,
    { role, view }: Shown,
  ): void {
    if (frame === undefined) {
      return this.#violated(`R2 replica ${machine.id} commits op ${op}, which nobody has written`);
    }
    const held = this.#holdings.get(op)?.find(({ hash }) => hash === frame.hash)?.holders ?? 0;
    const holders = this.#machines.filter(({ index }) => (held & (1 << index)) !== 0);
    const counted = holders.filter(({ id }) =>
      role !== "primary" || this.#host.enteredView(id) >= view
    );
    if (counted.length <= this.#machines.length >>> 1) {
      this.#violated(
        `R3 a commit needs a majority: op ${op} is durable on ${holders.length} replicas, ` +
          `of which ${counted.length} hold the log of view ${view}`,
      );
    }
    this.#holdings.delete(op);
    const decided = this.truth.decide(frame, this.#host.nowMs());
    this.judged.decided++;
    this.refusals.decided(decided.command);
    this.#judgeExpiration(decided);
    this.#forget();
  }

  /** What is old is dropped everywhere, so that a long life costs no more memory than a short one. */
  #forget(): void {
    const { maxTtlSlots, slotDurationMs } = this.#core;
    const keptMs = KEPT_MS + Number(maxTtlSlots) * slotDurationMs;
    const beforeMs = this.#host.nowMs() - keptMs;
    const through = this.truth.forget(beforeMs, (key) => this.#asked.delete(key));
    if (through > 0) { for (const { mirror } of this.#machines) mirror.forgetThrough(through); }
  }

  /** How much is kept of the past, in entries of all maps: see {@linkcode ClusterTruth.forget}. */
  get kept(): number {
    const frames = this.#machines.reduce((sum, { mirror }) => sum + mirror.frames.size, 0);
    return this.truth.kept + this.#asked.size + this.#digests.size + this.#holdings.size + frames;
  }

  /** The time to live began when somebody asked, at the earliest. */
  #judgeExpiration({ command, outcome, frame }: Decided): void {
    if (command?.kind !== "expire" || outcome?.code !== "ok") return;
    const reserve = this.truth.atLsn(command.reservationId & 0xffff_ffff_ffff_ffffn)?.command;
    if (reserve === undefined || !("ttlSlots" in reserve)) return;
    const askedMs = this.#asked.get(`${reserve.clientId} ${reserve.operationId}`)?.ms ?? 0;
    const copies = this.#machines.map(({ mirror }) => mirror.frames.get(frame.op))
      .filter((copy) => copy?.hash === frame.hash);
    const expiredMs = Math.min(...copies.map((copy) => copy!.writtenMs));
    const dueMs = Number(reserve.ttlSlots) * this.#core.slotDurationMs;
    this.judged.expirations++;
    if (this.#host.elapsedMsMax(askedMs, expiredMs) >= dueMs - 1e-6) return;
    this.#violated(
      `R9 never early: ${dueMs} ms were asked for and ${expiredMs - askedMs} ms were given`,
    );
  }

  #judgePublished({ machine, operation, outcome }: Published): void {
    const { command, bytes } = operation;
    const what = `operation ${command.operationId} (${command.kind}) on replica ${machine.id}`;
    this.judged.published++;
    const decided = this.truth.atLsn(outcome.appliedLsn);
    if (decided === undefined) {
      return this.#violated(`R6 published after commit: ${what} at lsn ${outcome.appliedLsn}`);
    }
    if (outcome.code === "operation_conflict") return this.#judgeConflict(what, operation, decided);
    if (!equalBytes(decided.frame.payload, bytes)) {
      return this.#violated(`waiters: ${what} is told of lsn ${outcome.appliedLsn}, not its own`);
    }
    const { learnedLsn } = this.#asked.get(`${command.clientId} ${command.operationId}`)!;
    if (outcome.appliedLsn <= BigInt(learnedLsn)) {
      return this.#violated(`R7 in the order of time: ${what} comes before lsn ${learnedLsn}`);
    }
    const expected = textOfOutcome(decided.outcome);
    const got = textOfOutcome(outcome);
    if (got !== expected) this.#violated(`R7 ${what} is told ${got}, not ${expected}`);
  }

  /** A key belongs to the command that was executed under it, and to no other. */
  #judgeConflict(what: string, { command, bytes }: Operation, { frame, ...first }: Decided): void {
    const isSameKey = first.command?.kind !== "expire" &&
      first.command?.clientId === command.clientId &&
      first.command.operationId === command.operationId;
    const isRemembered = first.outcome?.code !== "operation_table_full";
    if (isSameKey && isRemembered && !equalBytes(frame.payload, bytes)) return;
    this.#violated(`R7 ${what} is told of a conflict with lsn ${frame.lsn}, which is none`);
  }

  /** What was read was so right behind the lsn that the answer names, and that is no older than what somebody knew. */
  #judgeRead(answer: ReadAnswer): void {
    const { result, floorLsn, requiredLsn, machine } = answer;
    if (isRefusal(result)) return;
    this.judged.reads++;
    const from = Math.max(floorLsn, Number(requiredLsn));
    const observed = Number(result.observedLsn ?? 0n);
    const { lsn: last } = this.truth;
    const isAllowed = observed >= from && observed <= last;
    if (isAllowed && this.#whenTrue(answer, observed, observed) !== undefined) {
      // The least that the view itself shows: fences are drawn from it, so that seeds go on to mean the lives they do.
      return this.#host.learned(this.#whenTrue(answer, from, observed)!);
    }
    const when = this.#whenTrue(answer, 0, last);
    const subject = answer.resourceId ?? answer.reservationId;
    const first = when === undefined ? "no lsn" : `lsn ${when}`;
    this.#violated(
      `R8 no stale read: replica ${machine.id} says of ${subject} as of lsn ${observed}, of ${from} ` +
        `to ${last}, what was first so at ${first}: ${Object.entries(result).join(" ")}`,
    );
  }

  /** The first lsn from `from` to `to` at which what was read was so. */
  #whenTrue(
    { resourceId, reservationId, slot, result }: ReadAnswer,
    from: number,
    to: number,
  ): number | undefined {
    const { truth } = this;
    if (resourceId !== undefined) {
      const view = result.kind === "found" ? result as ResourceView : undefined;
      return truth.whenResource(
        resourceId,
        (model) => equalResources(model, view),
        from,
        to,
      );
    }
    const view = result.kind === "found" ? result as ReservationView : result.kind;
    return truth.whenReservation(
      reservationId!,
      slot,
      (model) => equalReservations(model, view as ReservationView | "retired" | "not_found"),
      from,
      to,
    );
  }

  #violated(what: string): void {
    this.#host.violated(what);
  }
}

function isAsShown(shown: Shown, glance: ReplicaGlance): boolean {
  return shown.appliedOp === glance.appliedOp && shown.commitOp === glance.commitOp &&
    shown.tipOp === glance.tipOp && shown.view === glance.view && shown.role === glance.role;
}

function pastMs({ slotDurationMs }: CoreConfig): number {
  return Number(PAST_SLOTS + 1n) * slotDurationMs;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** The lsn, the code and what was reserved; not whether it was remembered. */
export function textOfOutcome(outcome: ModelOutcome | undefined): string {
  if (outcome === undefined) return "nothing";
  const { code, appliedLsn, reserved } = outcome;
  const place = reserved && `${reserved.reservationId} ${reserved.epoch} ${reserved.deadlineSlot}`;
  return `${code} at ${appliedLsn} ${place ?? ""}`;
}

/** Whether a reader was told what the model holds. */
export function equalResources(
  model: ModelResource | undefined,
  view: ResourceView | undefined,
): boolean {
  if (model === undefined || view === undefined) return model === view;
  return model.version === view.version && model.state === RESOURCE_STATE_NAMES[view.state] &&
    model.currentReservationId === view.currentReservationId;
}

/** The same of a reservation. */
export function equalReservations(
  model: ModelReservation | "retired" | "not_found",
  view: ReservationView | "retired" | "not_found",
): boolean {
  if (typeof model === "string" || typeof view === "string") return model === view;
  return model.state === RESERVATION_STATE_NAMES[view.state] && model.epoch === view.epoch &&
    model.holderId === view.holderId && model.deadlineSlot === view.deadlineSlot &&
    model.releasedLsn === view.releasedLsn && model.retireAfterSlot === view.retireAfterSlot &&
    model.memberResourceIds.join() === view.memberResourceIds.join();
}
