/**
 * One shipping node over a disk in memory, in virtual time: whoever drives it decides what slot it is, when the process ends
 * and what the disk does. A turn of the process is one event; what it says leaves at the end of its turn, and a
 * process that ends in it has said nothing. A judge looks after every turn.
 */
import { type CoreConfig, type EngineConfig, U64_MAX } from "../../../core/config.ts";
import type { CheckpointResult, Metrics } from "../../../node/api.ts";
import { inspectDataDirectory } from "../../../node/data_dir.ts";
import type { TickOutcome } from "../../../node/expiration.ts";
import type { Node } from "../../../node/node.ts";
import { openNode } from "../../../node/open_node.ts";
import { ANY_SLOT_LEAD } from "../../../node/recover.ts";
import type { ClientCommand } from "../../model/words.ts";
import { openDirectory } from "../disk/data_directory.ts";
import type { MemoryDisk, PlannedFault } from "../disk/memory_disk.ts";
import type { Survival } from "../disk/memory_file.ts";
import { SeededRandom } from "../random.ts";
import { EventQueue } from "../world/queue.ts";
import { Transcript } from "../world/transcript.ts";
import type { Request } from "../workload/plain.ts";
import {
  type CrashPlan,
  CrashWire,
  type EngineCrashPoint,
  planCrash,
  type RecoveryCrashPoint,
} from "./crash_point.ts";
import { corruptLastFrame, tearLastFrame } from "./damage.ts";
import { SingleJudge } from "./judge.ts";
import { Mailbox } from "./mailbox.ts";
import { type PersistFault, type Refusal, SingleProcess, type Started } from "./process.ts";
import { SINGLE_CORE, SINGLE_ENGINE, type SingleOptions } from "./settings.ts";
import { type Answer, codeOf, type Ticket } from "./ticket.ts";
import { SingleViolation } from "./violation.ts";
import type { WatchedDisk } from "./watched_disk.ts";

/** What can happen to the storage. The last two end the process first. */
export type StorageFault =
  | { readonly kind: "append_failure" }
  | { readonly kind: "sync_failure" }
  | { readonly kind: "corrupt_last_frame" }
  | { readonly kind: "torn_tail"; readonly truncateBytes: number };

/** One expiration. */
export interface Expired {
  readonly reservationId: bigint;
  readonly deadlineSlot: bigint;
  readonly lsn: bigint;
  readonly code: string;
}

/** How a tick ended; no outcome when the process did. */
export interface Ticked {
  readonly outcome: TickOutcome | undefined;
  readonly expired: readonly Expired[];
}

const EVENTS_MAX = 100_000;

/** See the top of this file. */
export class SingleNode {
  readonly seed: number;
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
  readonly transcript = new Transcript();
  readonly queue = new EventQueue(this.transcript);
  readonly judge: SingleJudge;
  readonly process: SingleProcess;
  /** What happened in words, if it is traced. */
  readonly words: string[] = [];
  readonly #options: SingleOptions;
  readonly #random: SeededRandom;
  readonly #mailbox: Mailbox;
  readonly #originSlot: bigint;
  #slot: bigint;
  /** Whether the end of the log was taken away on purpose. */
  #isTorn = false;

  /**
   * @param options What is different; nothing is started yet.
   */
  constructor(options: SingleOptions = {}) {
    this.#options = options;
    this.seed = options.seed ?? 0;
    this.core = { ...SINGLE_CORE, ...options.core };
    this.engine = { ...SINGLE_ENGINE, ...options.engine };
    this.#random = new SeededRandom(this.seed);
    this.#slot = this.#originSlot = options.slot ?? 1n;
    this.judge = new SingleJudge(this.core, {
      nowMs: () => this.queue.nowMs,
      slot: () => this.slot,
      isClocked: options.isClocked ?? false,
      violated: (what) => this.violated(what),
    });
    this.#mailbox = new Mailbox({
      nowMs: () => this.queue.nowMs,
      lsn: () => this.judge.truth.lsn,
      sent: (ticket) => this.judge.sent(ticket),
      published: (ticket, answer) => this.#note(ticket, answer),
      violated: (what) => this.violated(what),
    });
    this.process = this.#makeProcess();
  }

  /** Makes a harness and starts its node, which must start. */
  static start(options: SingleOptions = {}): SingleNode {
    const single = new SingleNode(options);
    const started = single.restart();
    if (started.kind === "started") return single;
    throw new Error(`The node does not start: ${started.kind}`);
  }

  /** The current slot: the last that was advanced to, or later by as long as the disk took; never past the last there is. */
  get slot(): bigint {
    const passed = BigInt(Math.floor(this.queue.nowMs / this.core.slotDurationMs));
    const now = this.#originSlot + passed;
    if (now > U64_MAX) return U64_MAX;
    return now > this.#slot ? now : this.#slot;
  }

  get isRunning(): boolean {
    return this.process.isRunning;
  }

  /** The running node. */
  get node(): Node {
    return this.process.node;
  }

  /** What the node's process will find when it starts again. */
  get disk(): MemoryDisk {
    return this.process.disk;
  }

  /** Figures as of the current slot. */
  metrics(): Metrics {
    return this.node.metrics(this.slot);
  }

  /** Lets time pass. What was under way ends on the way. */
  advanceTo(slot: bigint): void {
    if (slot < this.#slot) throw new Error(`Slot ${slot} is in the past: it is ${this.#slot}`);
    this.#slot = slot;
    const untilMs = Number(slot - this.#originSlot) * this.core.slotDurationMs;
    while (untilMs > this.queue.nowMs && this.queue.step(untilMs));
  }

  /** Submits a command in the current slot and does not wait. */
  send(request: Request | ClientCommand, slot?: bigint): Ticket {
    return this.sendAll([request], slot)[0]!;
  }

  /** Submits commands in one turn and does not wait. */
  sendAll(requests: readonly (Request | ClientCommand)[], slot?: bigint): Ticket[] {
    const { node } = this;
    const at = slot ?? (this.#options.isClocked ? undefined : this.slot);
    const tickets = requests.map((request) => this.#mailbox.ticket(request, at));
    this.process.enter(() => {
      for (const ticket of tickets) this.#mailbox.submit(node, ticket);
    });
    return tickets;
  }

  /** Submits a command and lets everything happen. */
  submit(request: Request | ClientCommand, slot?: bigint): Ticket {
    const ticket = this.send(request, slot);
    this.settle();
    return ticket;
  }

  /**
   * Submits commands that are ready in one slot, in an order that the seed decides, and lets everything happen.
   *
   * @returns The tickets in that order.
   */
  submitReadyBatch(slot: bigint, requests: readonly (Request | ClientCommand)[]): Ticket[] {
    if (requests.length === 0) throw new Error("Nothing is ready");
    this.advanceTo(slot);
    const left = [...requests];
    const order = requests.map(() => left.splice(this.#random.below(left.length), 1)[0]!);
    const tickets = this.sendAll(order);
    this.settle();
    return tickets;
  }

  /** Expires what is due in the current slot, as many as one tick may. */
  tick(): Ticked {
    const { node } = this;
    const from = this.judge.truth.op;
    let outcome: TickOutcome | undefined;
    this.process.enter(() =>
      node.tickExpirations(this.#options.isClocked ? undefined : this.slot, (told) => {
        this.#mailbox.atEndOfTurn(() => outcome = told);
      })
    );
    this.settle();
    return { outcome, expired: this.#expiredSince(from) };
  }

  /** One turn of the worker that expires what is due by the node's clock; does not wait. */
  expireDue(): void {
    const { node } = this;
    this.process.enter(() => node.expireDue());
  }

  /** Writes a snapshot and lets everything happen; nothing is told when the process ends meanwhile. */
  checkpoint(): CheckpointResult | undefined {
    const told = this.beginCheckpoint();
    this.settle();
    return told();
  }

  /** Begins a checkpoint and does not wait; answers how it ended when asked. */
  beginCheckpoint(): () => CheckpointResult | undefined {
    const { node } = this;
    let result: CheckpointResult | undefined;
    this.process.enter(() =>
      node.checkpoint((told) => {
        if (told.kind === "done") this.process.checkpointed();
        this.#mailbox.atEndOfTurn(() => {
          result = told;
          if (told.kind !== "done") return;
          this.judge.checkpointed(node, told.previousSnapshotLsn, this.disk.list());
        });
      })
    );
    return () => result;
  }

  /** Lets the next thing happen, if there is one. */
  runNext(): void {
    if (this.process.isBusy) this.queue.step(Infinity);
  }

  /** Lets everything happen that has been asked for. */
  settle(): void {
    for (let events = 0; this.process.isBusy; events++) {
      if (events > EVENTS_MAX) this.violated("liveness: it does not come to rest");
      this.queue.step(Infinity);
    }
  }

  /**
   * Ends the process if it runs, and starts it again.
   *
   * @param how What the system still has: all that was written, or what survives when the power fails.
   */
  restart(how: Survival | "kill" = "kill"): Started {
    const started = this.process.restart(how);
    this.#say(() =>
      `start after ${typeof how === "string" ? how : "a power failure"}: ${started.kind}`
    );
    return started;
  }

  /** The process ends between two turns. */
  end(): void {
    this.process.end();
  }

  /** Lets the storage go wrong. */
  injectStorageFault(fault: StorageFault): void {
    switch (fault.kind) {
      case "append_failure":
        return this.failNextPersist("before_append");
      case "sync_failure":
        return this.failNextPersist("sync");
      case "corrupt_last_frame":
        return this.#damage((disk) => corruptLastFrame(disk));
      case "torn_tail":
        if (fault.truncateBytes < 1) throw new Error("A torn tail lacks at least one byte");
        this.#isTorn = true;
        return this.#damage((disk) => tearLastFrame(disk, fault.truncateBytes));
    }
  }

  /** Lets the next write of a batch fail. */
  failNextPersist(fault: PersistFault): void {
    this.process.arm({ persistFault: fault });
  }

  /** Ends the process at one of some points, which the seed chooses; once, and not before it is reached. */
  armNextEngineCrash(seed: number, points: readonly EngineCrashPoint[]): CrashPlan {
    const plan = planCrash(seed, points);
    this.process.arm({ engineCrash: new CrashWire(plan) });
    return plan;
  }

  /** The same in the next start. */
  armNextRecoveryCrash(seed: number, points: readonly RecoveryCrashPoint[]): CrashPlan {
    const plan = planCrash(seed, points);
    this.process.arm({ recoveryCrash: plan });
    return plan;
  }

  /** Lets some operation of the disk fail in the next start. */
  armNextRecoveryFault(fault: PlannedFault): void {
    this.process.arm({ recoveryFault: fault });
  }

  /** A promise is broken. */
  violated(what: string): never {
    const { nowMs, happened } = this.queue;
    const when = `seed ${this.seed}, ${nowMs.toFixed(1)} ms, event ${happened}`;
    throw new SingleViolation(what, when, this.words);
  }

  #makeProcess(): SingleProcess {
    return new SingleProcess({
      queue: this.queue,
      random: this.#random,
      diskMs: this.#options.diskMs ?? [0, 0],
      observer: this.judge.mirror,
      open: (disk, later) => this.#open(disk, later),
      found: (disk, isPowerLost) => {
        this.judge.found(disk, isPowerLost, this.#isTorn);
        this.#isTorn = false;
      },
      started: (node) => this.judge.started(node, this.disk.list()),
      turned: (node) => {
        this.judge.turned(node);
        this.#mailbox.endTurn();
      },
      ended: () => {
        this.#mailbox.forget();
        this.#say(() => "the process has ended");
      },
      isVerdict: (error) => error instanceof SingleViolation,
    });
  }

  #open(disk: WatchedDisk, later: (task: () => void) => void): Node | Refusal {
    const found = inspectDataDirectory(disk);
    if (found.kind === "damaged") {
      return { failure: "metadata", error: found.error.message, fault: undefined };
    }
    const { core, engine } = this;
    const segmentBytes = this.#options.segmentBytes ?? 4_096;
    const open = this.#options.open ?? openNode;
    const line = (level: string) => (text: string): void => this.#say(() => `${level} ${text}`);
    return open({
      disk,
      clusterId: openDirectory(disk, core, segmentBytes),
      replicaId: 1n,
      core,
      engine,
      clock: { nowMs: () => this.queue.nowMs },
      later,
      log: { info: line("info"), warn: line("warn"), error: line("error") },
      hashSeed: 7,
      expectFresh: false,
      segmentBytes,
      ...(this.#options.isClocked ? {} : { slotLeadMax: ANY_SLOT_LEAD }),
    });
  }

  #note(ticket: Ticket, answer: Answer): void {
    this.judge.published(ticket, answer);
    const { order, command } = ticket;
    const code = codeOf(ticket);
    const isCommitted = answer.kind === "committed";
    this.transcript.mix(order, isCommitted ? Number(answer.outcome.appliedLsn) : -1);
    for (let i = 0; i < code.length; i++) this.transcript.mix(i, code.charCodeAt(i));
    this.#say(() => `submission ${order} ${command.kind}: ${code}`);
  }

  #expiredSince(op: number): Expired[] {
    return this.judge.truth.after(op).flatMap(({ command, outcome }) => {
      if (command?.kind !== "expire") return [];
      const { reservationId, deadlineSlot } = command;
      return [{ reservationId, deadlineSlot, lsn: outcome!.appliedLsn, code: outcome!.code }];
    });
  }

  #damage(work: (disk: MemoryDisk) => boolean): void {
    if (this.isRunning) this.end();
    if (!work(this.disk)) throw new Error("The active segment has no frame to damage");
  }

  #say(words: () => string): void {
    if (this.#options.isTraced) this.words.push(`${this.queue.nowMs.toFixed(1)} ${words()}`);
  }
}
