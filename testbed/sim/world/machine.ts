/**
 * One replica's machine: its disk, its clock, and the process that runs on it or does not. What happens to a
 * process comes as events of the world; what was meant for an earlier life of it never arrives.
 */
import { DiskFault } from "../../../node/disk.ts";
import { ACTIVE_SEGMENT } from "../../../node/log/files.ts";
import { COPY_BYTES, decodeCopy, type ReplicaMetadata } from "../../../node/metadata/codec.ts";
import {
  loadMetadata,
  METADATA_FILE,
  settleMetadata,
  type StoredMetadata,
} from "../../../node/metadata/metadata.ts";
import { PEER_PROTOCOL_VERSION } from "../../../node/peer/message_types.ts";
import type { Clock } from "../../../node/slot_clock.ts";
import { LogMirror, type MirrorFrame } from "../judge/log_mirror.ts";
import type { EventKind, EventQueue } from "./queue.ts";
import type { Subject } from "./subject.ts";
import { MemoryDisk } from "../disk/memory_disk.ts";
import type { Survival } from "../disk/memory_file.ts";
import { SeededRandom } from "../random.ts";

/** What a machine needs of the world. */
export interface MachineHost {
  readonly queue: EventQueue;
  /** Starts a replica over the machine's disk. */
  open(machine: ClusterMachine, stored: StoredMetadata): Subject;
  /** It runs. */
  started(machine: ClusterMachine): void;
  /** One turn of it is over. */
  turned(machine: ClusterMachine): void;
  /** It is gone. */
  ended(machine: ClusterMachine, how: string): void;
  /** It stands still, or goes on. */
  changed(machine: ClusterMachine, change: "paused" | "resumed"): void;
  /** An entry became durable. */
  durable(machine: ClusterMachine, frame: MirrorFrame): void;
  /** Metadata became durable, or was found at a start. */
  remembered(machine: ClusterMachine, metadata: ReplicaMetadata, isWhole: boolean): void;
  /** It threw what no replica may throw. */
  bug(machine: ClusterMachine, error: unknown): void;
}

/** Milliseconds between two ticks of a replica. */
const TICK_MS = 20;

/** What comes to a process that stands still. */
interface Waiting {
  readonly task: () => void;
  readonly isRequest: boolean;
}

/** See the top of this file. */
export class ClusterMachine {
  readonly id: bigint;
  /** Position among the members, from 0. */
  readonly index: number;
  readonly random: SeededRandom;
  readonly mirror: LogMirror;
  /** Runs ahead or behind and faster or slower than the world's time. */
  readonly clock: Clock;
  /** Milliseconds that a write and sync take. */
  diskMs: readonly [number, number] = [0.1, 1];
  /** The same for the log alone, where that is another time; of use only where files do not wait for each other. */
  logMs: readonly [number, number] | undefined;
  /** Whether its disk works on several files at once, as one with a queue does: none of them waits for another. */
  isDiskParallel = false;
  clockRate = 1;
  clockOffsetMs = 0;
  /** Of the messages that its program speaks. */
  protocolVersion = PEER_PROTOCOL_VERSION;
  disk: MemoryDisk;
  /** The running replica. */
  subject: Subject | undefined;
  /** Counts starts. */
  incarnation = 0;
  isPaused = false;
  /** Why the last start did not succeed. */
  refusal: string | undefined;
  readonly #host: MachineHost;
  #backlog: Waiting[] = [];
  /** The tick that fell due meanwhile: it may come before what else has waited, or after. */
  #lateTick: (() => void) | undefined;
  /** When all that the disk was given is done: by file, or under one name if it does one thing after the other. */
  readonly #diskFreeMs = new Map<string, number>();
  /** Until when it stands still. */
  #stalledMs = 0;
  #isPowerLost = true;

  constructor(id: bigint, index: number, seed: number, host: MachineHost) {
    this.id = id;
    this.index = index;
    this.random = new SeededRandom(seed);
    this.#host = host;
    this.mirror = new LogMirror({
      nowMs: () => host.queue.nowMs,
      durable: (frame) => host.durable(this, frame),
      fileSynced: (name) => name === METADATA_FILE && this.#noteMetadata(),
    });
    this.clock = { nowMs: () => this.clockOffsetMs + host.queue.nowMs * this.clockRate };
    this.disk = this.newDisk();
  }

  get isRunning(): boolean {
    return this.subject !== undefined;
  }

  /** An empty disk of this machine. */
  newDisk(): MemoryDisk {
    return new MemoryDisk(this.#diskOptions());
  }

  /** Starts the process on whatever the disk holds; it may end at once. */
  start(): void {
    if (this.isRunning) return;
    this.incarnation++;
    this.isPaused = false;
    this.refusal = undefined;
    this.#diskFreeMs.clear();
    this.#stalledMs = 0;
    const wasPowerLost = this.#isPowerLost;
    this.#isPowerLost = false;
    this.enter(() => {
      this.mirror.rebuild(this.disk, wasPowerLost);
      const load = loadMetadata(this.disk);
      if (load.kind !== "loaded") {
        this.refusal = load.kind === "missing" ? "metadata missing" : load.error.message;
        return;
      }
      settleMetadata(this.disk, load.stored);
      this.#host.remembered(this, load.stored.metadata, true);
      this.subject = this.#host.open(this, load.stored);
      this.#host.started(this);
      this.#tickOn();
    });
  }

  /** From now on the clock runs at another pace; what it shows now does not change. */
  setClockRate(rate: number): void {
    this.clockOffsetMs += this.#host.queue.nowMs * (this.clockRate - rate);
    this.clockRate = rate;
  }

  /** The power fails. */
  crash(survival: Survival): void {
    this.#end("crash");
    this.disk = this.disk.crash(survival, this.#diskOptions());
    this.#isPowerLost = true;
  }

  /** The process ends at once; the system keeps what it wrote. */
  kill(): void {
    this.#end("kill");
  }

  /** Nothing reaches the process until {@linkcode ClusterMachine.resume}. */
  pause(): void {
    if (!this.isRunning || this.isPaused) return;
    this.isPaused = true;
    this.#host.changed(this, "paused");
  }

  /** Everything that was held back happens at once. */
  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#host.changed(this, "resumed");
    const { incarnation } = this;
    const waited = this.#backlog.splice(0);
    const tasks = this.random.oneIn(2) ? requestsFirst(waited) : waited.map(({ task }) => task);
    const tick = this.#lateTick;
    this.#lateTick = undefined;
    if (tick !== undefined && this.random.oneIn(2)) tasks.unshift(tick);
    else if (tick !== undefined) tasks.push(tick);
    for (const task of tasks) this.#deliver(incarnation, task);
  }

  /** What the disk is given to do from now on ends in order, and not before so many milliseconds are over. */
  stallDisk(ms: number): void {
    const { nowMs } = this.#host.queue;
    this.#stalledMs = Math.max(this.#stalledMs, nowMs, ...this.#diskFreeMs.values()) + ms;
  }

  /** Lets something reach the process after a delay, unless it ends before. */
  after(delayMs: number, task: () => void, kind: EventKind = "turn"): void {
    const { incarnation } = this;
    this.#host.queue.after(delayMs, () => this.#deliver(incarnation, task), kind);
  }

  /** Lets something reach the process in this event. */
  reach(task: () => void): void {
    this.#deliver(this.incarnation, task);
  }

  /** Lets a client's request reach the process in this event: connections have no order among each other. */
  request(task: () => void): void {
    this.#deliver(this.incarnation, task, true);
  }

  /** Lets something be done to the running replica in this event. */
  reachSubject(task: (subject: Subject) => void): void {
    this.reach(() => this.subject && task(this.subject));
  }

  /** Runs a turn of the process, whatever it does. */
  enter(task: () => void): void {
    try {
      task();
    } catch (error) {
      if (this.disk.isCrashed) return this.crash(this.random);
      if (error instanceof DiskFault && !this.isRunning) {
        this.refusal = error.message;
        return;
      }
      this.#host.bug(this, error);
    }
    this.#host.turned(this);
  }

  #deliver(incarnation: number, task: () => void, isRequest = false): void {
    if (incarnation !== this.incarnation || !this.isRunning) return;
    if (this.isPaused) this.#backlog.push({ task, isRequest });
    else this.enter(task);
  }

  #tickOn(): void {
    const { incarnation } = this;
    const tick = (): void => {
      this.subject?.tick();
      this.#tickOn();
    };
    this.#host.queue.after(TICK_MS + this.random.below(3), () => {
      if (this.isPaused && incarnation === this.incarnation) this.#lateTick = tick;
      else this.#deliver(incarnation, tick);
    }, "tick");
  }

  #end(how: string): void {
    this.#backlog = [];
    this.#lateTick = undefined;
    this.isPaused = false;
    if (!this.isRunning) return;
    this.subject = undefined;
    this.#host.ended(this, how);
  }

  #diskOptions(): ConstructorParameters<typeof MemoryDisk>[0] {
    return {
      seed: this.random.nextU32(),
      observer: this.mirror,
      schedule: (work, name) => this.#completeLater(work, name),
    };
  }

  /** What is done to one file is done in order. */
  #completeLater(work: () => void, name: string): void {
    const { nowMs } = this.#host.queue;
    const isLog = name.startsWith(ACTIVE_SEGMENT);
    const [min, max] = (isLog ? this.logMs : undefined) ?? this.diskMs;
    const takes = min + this.random.below(1_000) / 1_000 * (max - min);
    const queue = this.isDiskParallel ? name : "";
    const freeMs = Math.max(this.#diskFreeMs.get(queue) ?? 0, this.#stalledMs, nowMs) + takes;
    this.#diskFreeMs.set(queue, freeMs);
    this.after(freeMs - nowMs, work, "disk");
  }

  #noteMetadata(): void {
    const load = loadMetadata(this.disk);
    if (load.kind !== "loaded") return;
    const isWhole = !hasOlderCopy(this.disk.visible(METADATA_FILE));
    this.#host.remembered(this, load.stored.metadata, isWhole);
  }
}

/** Whether one copy still holds what was before. */
function hasOlderCopy(bytes: Uint8Array): boolean {
  const [first, second] = [bytes.subarray(0, COPY_BYTES), bytes.subarray(COPY_BYTES)].map(
    decodeCopy,
  );
  return first?.kind === "copy" && second?.kind === "copy" && first.sequence !== second.sequence;
}

/** A process that wakes up may read what clients sent before it reads what other replicas sent earlier. */
function requestsFirst(waiting: readonly Waiting[]): (() => void)[] {
  const requests = waiting.filter(({ isRequest }) => isRequest);
  const others = waiting.filter(({ isRequest }) => !isRequest);
  return [...requests, ...others].map(({ task }) => task);
}
