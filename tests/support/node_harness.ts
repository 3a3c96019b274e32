/**
 * One real node over a disk in memory. The test decides when a turn of the event loop ends, what time it is,
 * what the disk does and when the power fails, so that every schedule can be had and had again.
 */
import type { CoreConfig, EngineConfig } from "../../core/config.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { CheckpointResult, Metrics, Rejection, ResultSink } from "../../node/api.ts";
import type { Disk } from "../../node/disk.ts";
import type { TickOutcome } from "../../node/expiration.ts";
import type { NodeLog } from "../../node/log_lines.ts";
import { Node } from "../../node/node.ts";
import { openNode } from "../../node/open_node.ts";
import type { RecoveryRefusal } from "../../node/recover.ts";
import { TINY_CONFIG } from "./core_builders.ts";
import { encodePlain, plainOutcome, type Request } from "../../testbed/sim/workload/plain.ts";
import { openDirectory } from "../../testbed/sim/disk/data_directory.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { Survival } from "../../testbed/sim/disk/memory_file.ts";
import type { ClientCommand, ModelOutcome } from "../../testbed/model/words.ts";

/** Bounds of the node around the engine, as low as those of the engine. */
export const TINY_ENGINE: EngineConfig = {
  maxSubmissionQueue: 16,
  maxCommandBytes: 256,
  maxExpirationsPerTick: 4,
};

/** What a harness can be asked to do differently. */
export interface HarnessOptions {
  readonly core?: Partial<CoreConfig>;
  readonly engine?: Partial<EngineConfig>;
  /** 4 KiB unless told, so that a few dozen commands rotate the log. */
  readonly segmentBytes?: number;
  /** How far explicit slots may be ahead; the node's own default unless told. */
  readonly slotLeadMax?: bigint;
  /** A disk with a past. */
  readonly disk?: MemoryDisk;
  /** Any other disk to run on; what a harness does to its own is then without effect. */
  readonly over?: Disk;
}

/** What became of a command. */
export type Answer =
  | { readonly kind: "committed"; readonly outcome: ModelOutcome }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

/** A submitted command. */
export interface Ticket {
  readonly bytes: Uint8Array;
  /** Undefined until it is answered; a second answer is an error. */
  answer: Answer | undefined;
}

/** A clock that stands still until it is moved. */
export interface ManualClock {
  ms: number;
  nowMs(): number;
}

/** Where ids that a test did not choose begin. */
const FRESH_OPERATION_IDS = 1n << 100n;
const TURNS_MAX = 10_000;

/** See the top of this file. */
export class NodeHarness implements ResultSink {
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
  readonly clock: ManualClock = { ms: 0, nowMs: () => this.clock.ms };
  /** The node's log since the harness was made, `level text`. */
  readonly lines: string[] = [];
  disk: MemoryDisk;
  readonly #options: HarnessOptions;
  #node: Node | undefined;
  #later: (() => void)[] = [];
  #tickets: Ticket[] = [];
  #nextOperationId = FRESH_OPERATION_IDS;

  /**
   * @param options What to do differently; nothing is opened yet.
   */
  constructor(options: HarnessOptions = {}) {
    this.#options = options;
    this.core = { ...TINY_CONFIG, ...options.core };
    this.engine = { ...TINY_ENGINE, ...options.engine };
    this.disk = options.disk ?? new MemoryDisk();
  }

  /** Makes a harness and starts its node, which must start. */
  static start(options: HarnessOptions = {}): NodeHarness {
    const harness = new NodeHarness(options);
    harness.reopen();
    return harness;
  }

  /** The running node. */
  get node(): Node {
    if (this.#node === undefined) throw new Error("The node is not running");
    return this.#node;
  }

  get metrics(): Metrics {
    return this.node.metrics();
  }

  /** Starts the node as `serve` does, on whatever the disk holds. */
  open(): Node | RecoveryRefusal {
    const { core } = this;
    const { slotLeadMax } = this.#options;
    const disk = this.#disk;
    const clusterId = openDirectory(disk, core, this.#segmentBytes);
    const opened = openNode({
      disk,
      clusterId,
      replicaId: 1n,
      core,
      engine: this.engine,
      clock: this.clock,
      later: (task) => void this.#later.push(task),
      log: this.#log(),
      hashSeed: 7,
      expectFresh: false,
      segmentBytes: this.#segmentBytes,
      ...(slotLeadMax === undefined ? {} : { slotLeadMax }),
    });
    this.#node = opened instanceof Node ? opened : undefined;
    return opened;
  }

  /** Starts the node, which must start. */
  reopen(): Node {
    const opened = this.open();
    if (opened instanceof Node) return opened;
    throw new Error(`Refused to start: ${opened.failure}: ${opened.error}`);
  }

  /** The process ends at once; the system keeps what it wrote. */
  kill(): void {
    this.#node = undefined;
    this.#later = [];
    this.#tickets = [];
  }

  /** The power fails. */
  crash(survival: Survival = "lose"): void {
    this.kill();
    this.disk = this.disk.crash(survival);
  }

  /** Submits a command under its own or a fresh operation id, and does not wait. */
  submit(request: Request | ClientCommand, slot?: bigint): Ticket {
    const key = { operationId: 0n, clientId: 1n };
    if (!("operationId" in request)) key.operationId = this.#nextOperationId++;
    return this.submitBytes(encodePlain({ ...key, ...request } as ClientCommand), slot);
  }

  /** Submits whatever bytes, and does not wait. */
  submitBytes(bytes: Uint8Array, slot?: bigint): Ticket {
    const ticket: Ticket = { bytes, answer: undefined };
    const token = this.#tickets.push(ticket) - 1;
    const { buffer, byteOffset, length } = bytes;
    this.node.submit(new DataView(buffer, byteOffset, length), 0, length, slot, this, token);
    return ticket;
  }

  /** Submits a command, lets everything happen and answers what became of it. */
  do(request: Request | ClientCommand, slot?: bigint): Answer {
    const ticket = this.submit(request, slot);
    this.run();
    return answerOf(ticket);
  }

  /** Submits a command that must commit. */
  commit(request: Request | ClientCommand, slot?: bigint): ModelOutcome {
    const answer = this.do(request, slot);
    if (answer.kind === "committed") return answer.outcome;
    throw new Error(`Rejected: ${answer.rejection.code}`);
  }

  /** Ends one turn of the event loop: what was asked for before it runs, what that asks for does not. */
  turn(): void {
    for (const task of this.#later.splice(0)) task();
  }

  /** Ends turns until nothing is left to do. */
  run(): void {
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      if (this.#later.length === 0) this.disk.settle();
      if (this.#later.length === 0) return;
      this.turn();
    }
    throw new Error("The node does not come to rest");
  }

  /** Moves the clock on. */
  advanceSlots(slots: number): void {
    this.clock.ms += slots * this.core.slotDurationMs;
  }

  /** Runs one expiration tick to its end. */
  tick(slot?: bigint): TickOutcome {
    let told: TickOutcome | undefined;
    this.node.tickExpirations(slot, (outcome) => told = once(told, outcome));
    this.run();
    return present(told);
  }

  /** Runs one checkpoint to its end. */
  checkpoint(): CheckpointResult {
    let told: CheckpointResult | undefined;
    this.node.checkpoint((result) => told = once(told, result));
    this.run();
    return present(told);
  }

  /** Stops as SIGTERM does: everything is answered first. */
  async stop(): Promise<void> {
    const drained = this.node.drain();
    this.run();
    await drained;
    this.node.close();
    this.kill();
  }

  /** Lines of one level that contain a text. */
  linesWith(text: string): string[] {
    return this.lines.filter((line) => line.includes(text));
  }

  committed(token: number, outcome: Outcome): void {
    this.#answer(token, { kind: "committed", outcome: plainOutcome(outcome) });
  }

  rejected(token: number, rejection: Rejection): void {
    this.#answer(token, { kind: "rejected", rejection });
  }

  get #segmentBytes(): number {
    return this.#options.segmentBytes ?? 4_096;
  }

  #answer(token: number, answer: Answer): void {
    const ticket = this.#tickets[token]!;
    ticket.answer = once(ticket.answer, answer);
  }

  /** What the node runs on. */
  get #disk(): Disk {
    return this.#options.over ?? this.disk;
  }

  #log(): NodeLog {
    const line = (level: string) => (text: string): void =>
      void this.lines.push(`${level} ${text}`);
    return { info: line("info"), warn: line("warn"), error: line("error") };
  }
}

/** The answer, which must be there. */
export function answerOf(ticket: Ticket): Answer {
  if (ticket.answer === undefined) throw new Error("Not answered");
  return ticket.answer;
}

/** The outcome or the rejection as a word: `ok`, `resource_busy`, `overloaded`, … or `nothing` yet. */
export function codeOf(ticket: Ticket): string {
  const { answer } = ticket;
  if (answer === undefined) return "nothing";
  return answer.kind === "committed" ? answer.outcome.code : answer.rejection.code;
}

function once<T>(before: T | undefined, now: T): T {
  if (before !== undefined) throw new Error("Answered twice");
  return now;
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("Never answered");
  return value;
}
