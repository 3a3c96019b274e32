/**
 * The process of a single node and the disk under it: started, run turn by turn, and ended wherever its disk's work can be
 * interrupted. What was meant for an earlier life of it never arrives.
 */
import { DiskFault } from "../../../node/disk.ts";
import { ACTIVE_SEGMENT } from "../../../node/log/files.ts";
import { Node, type StartupFacts } from "../../../node/node.ts";
import {
  CrashSignal,
  type DiskObserver,
  MemoryDisk,
  type MemoryDiskOptions,
  type PlannedFault,
} from "../disk/memory_disk.ts";
import type { Survival } from "../disk/memory_file.ts";
import type { SeededRandom } from "../random.ts";
import type { EventQueue } from "../world/queue.ts";
import { type CrashPlan, CrashWire, type LifeMoment } from "./crash_point.ts";
import { WatchedDisk } from "./watched_disk.ts";

/** Why a node does not start. */
export interface Refusal {
  /** Which part of the data it is about. */
  readonly failure: string;
  readonly error: string;
  /** Set when it was the disk that failed, and not what is on it. */
  readonly fault: DiskFault | undefined;
}

/** What a process needs of whoever runs it. */
export interface ProcessHost {
  readonly queue: EventQueue;
  readonly random: SeededRandom;
  /** Milliseconds that a write and sync take, least and most. */
  readonly diskMs: readonly [number, number];
  readonly observer: DiskObserver;
  /** Makes a node over a disk; `later` runs a task in a later turn of it. */
  open(disk: WatchedDisk, later: (task: () => void) => void): Node | Refusal;
  /** The disk is what a start will find. */
  found(disk: MemoryDisk, isPowerLost: boolean): void;
  started(node: Node): void;
  /** A turn is over. */
  turned(node: Node): void;
  ended(): void;
  /** Whether an error is a verdict and no end of the process. */
  isVerdict(error: unknown): boolean;
}

/** How the next write of a batch fails. `after_append` is in the system's memory and not on the disk. */
export type PersistFault = "before_append" | "after_append" | "sync";

/** How a start ended. */
export type Started =
  | { readonly kind: "started"; readonly startup: StartupFacts }
  | {
    readonly kind: "refused";
    readonly failure: string;
    readonly error: string;
    /** Whether it was the disk that failed, and not what is on it. */
    readonly isFault: boolean;
  }
  /** The process ended before it was up. */
  | { readonly kind: "crashed" };

/** What is armed for the life that runs, or for the next start. */
interface Armed {
  engineCrash?: CrashWire;
  persistFault?: PersistFault;
  recoveryCrash?: CrashPlan;
  recoveryFault?: PlannedFault;
}

/** See the top of this file. */
export class SingleProcess {
  /** Moments so far at which the process could have ended in the middle of its disk's work. */
  moments = 0;
  /** Ends the process at this moment, counted from 1. */
  crashAtMoment = 0;
  /** Ends the process after this event, counted from 1. */
  crashAfterEvent = 0;
  /** How often a plan or the disk has ended it. */
  crashes = 0;
  /** What its next start will find. */
  disk: MemoryDisk;
  readonly #host: ProcessHost;
  #node: Node | undefined;
  #incarnation = 0;
  #pending = 0;
  #isEnded = false;
  #armed: Armed = {};
  /** Looks at the moments of a start, while there is one. */
  #recoveryWire: CrashWire | undefined;
  #isStarting = false;

  constructor(host: ProcessHost) {
    this.#host = host;
    this.disk = new MemoryDisk(this.#diskOptions());
  }

  get isRunning(): boolean {
    return this.#node !== undefined;
  }

  /** Whether something is to happen yet. */
  get isBusy(): boolean {
    return this.#pending > 0;
  }

  /** The running node. */
  get node(): Node {
    if (this.#node === undefined) throw new Error("The node is not running: restart it first");
    return this.#node;
  }

  /** Runs a turn of the process, whatever it does. */
  enter(task: () => void): void {
    try {
      task();
    } catch (error) {
      if (!this.#isEnding(error)) throw error;
      return this.#crashed();
    }
    if (this.#node !== undefined) this.#host.turned(this.#node);
  }

  /** Ends the process if it runs, and starts it again; see `SingleNode.restart`. */
  restart(how: Survival | "kill"): Started {
    if (this.isRunning) this.end();
    const isPowerLost = how !== "kill" || this.disk.isCrashed;
    if (isPowerLost) {
      this.disk = this.disk.crash(how === "kill" ? "keep" : how, this.#diskOptions());
    }
    this.#host.found(this.disk, isPowerLost);
    this.#armStart();
    this.#isStarting = true;
    try {
      return this.#open();
    } finally {
      this.#isStarting = false;
    }
  }

  /** The process ends between two turns. */
  end(): void {
    this.#node = undefined;
    this.#incarnation++;
    const { recoveryCrash, recoveryFault } = this.#armed;
    this.#armed = {
      ...(recoveryCrash === undefined ? {} : { recoveryCrash }),
      ...(recoveryFault === undefined ? {} : { recoveryFault }),
    };
    this.disk.plan(undefined);
    this.#host.ended();
  }

  /** Adds to what is armed, each thing in place of an earlier one. */
  arm(more: Armed): void {
    Object.assign(this.#armed, more);
  }

  /** Nothing that was armed happens any more. */
  relieve(): void {
    this.#armed = {};
    this.disk.relieve();
  }

  /** A checkpoint has ended well: the process may end here. */
  checkpointed(): void {
    this.#moment(this.#incarnation, { when: "after", action: "checkpoint" });
  }

  #armStart(): void {
    const { recoveryCrash: plan, recoveryFault } = this.#armed;
    const segments = this.disk.list().filter((name) => name.startsWith(ACTIVE_SEGMENT)).length;
    this.#recoveryWire = plan && new CrashWire(plan, segments);
    if (recoveryFault !== undefined) this.disk.plan(recoveryFault);
    this.#armed = {};
  }

  #open(): Started {
    const incarnation = ++this.#incarnation;
    this.#isEnded = false;
    const disk = new WatchedDisk(this.disk, (moment) => this.#moment(incarnation, moment));
    try {
      const opened = this.#host.open(disk, (task) => this.#after(0, task));
      if (!(opened instanceof Node)) {
        const { failure, error, fault } = opened;
        return { kind: "refused", failure, error, isFault: fault !== undefined };
      }
      this.#node = opened;
      this.#host.started(opened);
      return { kind: "started", startup: opened.startup };
    } catch (error) {
      if (this.#isEnding(error)) {
        this.#crashed();
        return { kind: "crashed" };
      }
      if (!(error instanceof DiskFault)) throw error;
      return { kind: "refused", failure: "disk", error: error.message, isFault: true };
    }
  }

  /** Lets something reach the process later, unless it ends before. */
  #after(delayMs: number, task: () => void): void {
    const incarnation = this.#incarnation;
    const { queue } = this.#host;
    this.#pending++;
    queue.after(delayMs, () => {
      this.#pending--;
      if (incarnation !== this.#incarnation || !this.isRunning) return;
      this.enter(task);
      if (queue.happened === this.crashAfterEvent && this.isRunning) this.#crashed();
    });
  }

  /** Something is done; the process may end here. */
  #moment(incarnation: number, moment: LifeMoment): void {
    if (this.#isEnded || incarnation !== this.#incarnation) throw new CrashSignal();
    this.moments++;
    const wire = this.#isStarting ? this.#recoveryWire : this.#armed.engineCrash;
    if (wire?.strikes(moment) || this.moments === this.crashAtMoment) {
      this.#isEnded = true;
      throw new CrashSignal();
    }
    if (moment.action === "append" && moment.when === "before") this.#failAppend(moment);
  }

  #failAppend({ name, at, bytes }: Extract<LifeMoment, { readonly name: string }>): void {
    const { persistFault } = this.#armed;
    delete this.#armed.persistFault;
    const nth = { nth: 1, effect: "io_error" } as const;
    if (persistFault === "before_append") this.disk.plan({ ...nth, action: "write" });
    if (persistFault === "sync") this.disk.plan({ ...nth, action: "sync" });
    if (persistFault !== "after_append") return;
    this.disk.open(name).write(at!, bytes!);
    throw new DiskFault("io_error", "sync", name, "written, and nothing is known of the sync");
  }

  #isEnding(error: unknown): boolean {
    return !this.#host.isVerdict(error) && (this.#isEnded || this.disk.isCrashed);
  }

  #crashed(): void {
    this.crashes++;
    this.end();
  }

  #diskOptions(): MemoryDiskOptions {
    const { random, observer, diskMs: [min, max] } = this.#host;
    return {
      seed: random.nextU32(),
      observer,
      schedule: (work) => this.#after(min + random.below(1_000) / 1_000 * (max - min), work),
    };
  }
}
