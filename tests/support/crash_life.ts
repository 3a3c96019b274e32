/**
 * One seeded life of a node: commands, retries, expirations, rotations and checkpoints, with one misfortune in
 * it and some more during the recoveries from it. After each the disk is compared with what was acknowledged.
 * What the life does is drawn from one source and its misfortunes from another, so that two lives with the
 * same seed are the same up to the point where one of them is struck.
 */
import { assert, assertEquals } from "@std/assert";
import { DiskFault } from "../../node/disk.ts";
import { Node } from "../../node/node.ts";
import { CLUSTER_ID } from "../../testbed/sim/disk/data_directory.ts";
import { HistoryOracle } from "./history_oracle.ts";
import { LifeCommands, RESOURCES } from "../../testbed/sim/workload/life_commands.ts";
import { MemoryDisk, type PlannedFault } from "../../testbed/sim/disk/memory_disk.ts";
import type { Survival } from "../../testbed/sim/disk/memory_file.ts";
import type { ClientCommand } from "../../testbed/model/words.ts";
import { NodeHarness, type Ticket } from "./node_harness.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

/** What a life goes through. */
export interface LifeOptions {
  readonly seed: number;
  readonly steps: number;
  /** The misfortune, counted from the creation of the data directory on. */
  readonly plan: PlannedFault | undefined;
  /** What an unsynced sector's fate is drawn from, or one fate for all; also seeds what follows. */
  readonly survival: Survival;
  readonly luckSeed: number;
  /** Whether the disk takes its time: commands then arrive while others are being written. */
  readonly deferred: boolean;
}

/** What happened in a life, to see that it was not empty. */
export interface LifeReport {
  readonly struck: boolean;
  readonly recoveries: number;
  readonly recoveriesStruck: number;
  readonly entries: number;
  readonly retried: number;
}

const RECOVERIES_MAX = 12;
const SEGMENT_BYTES = 2_048;
/** So few that what waits and what comes fit a batch: nothing is refused for want of room. */
const WAITING_MAX = 4;

/** A submission. */
interface Sent {
  readonly command: ClientCommand;
  readonly ticket: Ticket;
}

/** Lives one life to its end. Throws when something acknowledged is lost, or something is there twice. */
export function live(options: LifeOptions): LifeReport {
  return new Life(options).run();
}

class Life {
  readonly #options: LifeOptions;
  readonly #random: SeededRandom;
  readonly #luck: SeededRandom;
  readonly #harness: NodeHarness;
  readonly #oracle: HistoryOracle;
  readonly #commands: LifeCommands;
  /** Since the disk was last looked at, in order. */
  #sent: Sent[] = [];
  #struck = false;
  #recoveries = 0;
  #recoveriesStruck = 0;
  #retried = 0;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#commands = new LifeCommands(this.#random);
    this.#luck = new SeededRandom(options.luckSeed);
    this.#harness = new NodeHarness({
      segmentBytes: SEGMENT_BYTES,
      disk: new MemoryDisk({ deferred: options.deferred, seed: options.luckSeed }),
      // Every operation is remembered to the end, so that a command is in the history once or not at all.
      core: {
        maxOperations: 1_000,
        reservationHistoryWindowSlots: 2n,
        maxClientRetryWindowSlots: 2_000n,
      },
    });
    this.#oracle = new HistoryOracle({
      core: this.#harness.core,
      clusterId: CLUSTER_ID,
      segmentBytes: SEGMENT_BYTES,
    });
  }

  run(): LifeReport {
    this.#harness.disk.plan(this.#options.plan);
    this.#guard(() => this.#start());
    for (let step = 0; step < this.#options.steps; step++) {
      this.#guard(() => this.#step());
      this.#noteHeld();
    }
    this.#guard(() => this.#harness.run());
    this.#harness.disk.plan(undefined);
    this.#observe();
    this.#send(this.#commands.draw());
    this.#harness.run();
    for (const survival of ["lose", "keep"] as const) {
      this.#harness.crash(survival);
      this.#harness.reopen();
      assertEquals(this.#verify().length, 0, "nothing was left unanswered");
    }
    return {
      struck: this.#struck,
      recoveries: this.#recoveries,
      recoveriesStruck: this.#recoveriesStruck,
      entries: this.#oracle.length,
      retried: this.#retried,
    };
  }

  #start(): void {
    const opened = this.#harness.open();
    if (!(opened instanceof Node)) throw opened.fault ?? new Error(opened.error);
  }

  /** Runs something that may be struck, and comes back with a node that runs. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof DiskFault) && !isCrashed(this.#harness.disk)) throw error;
      return this.#recover();
    }
    if (this.#harness.metrics.haltReason !== undefined) this.#recover();
  }

  #step(): void {
    const random = this.#random;
    switch (random.below(10)) {
      case 0:
        this.#harness.advanceSlots(1 + random.below(6));
        return;
      case 1:
        this.#harness.node.tickExpirations(undefined, () => {});
        return this.#harness.run();
      case 2:
        return this.#checkpoint();
      default:
        this.#submitSome();
        return random.oneIn(3) ? this.#harness.turn() : this.#harness.run();
    }
  }

  /** Commands go on while the snapshot is written. What it may make superfluous is looked at before. */
  #checkpoint(): void {
    this.#harness.run();
    if (this.#harness.metrics.haltReason !== undefined) return;
    this.#observe();
    this.#harness.node.checkpoint(() => {});
    this.#submitSome();
    this.#harness.run();
  }

  #submitSome(): void {
    if (this.#harness.metrics.queueDepth > WAITING_MAX) this.#harness.run();
    for (let left = 1 + this.#random.below(WAITING_MAX); left > 0; left--) {
      this.#send(this.#commands.draw());
    }
  }

  #send(command: ClientCommand): void {
    const ticket = this.#harness.submit(command);
    this.#sent.push({ command, ticket });
  }

  #noteHeld(): void {
    for (const { ticket } of this.#sent) {
      if (ticket.answer?.kind !== "committed") continue;
      const { reserved } = ticket.answer.outcome;
      if (reserved !== undefined) this.#commands.noteHeld(reserved.reservationId);
    }
  }

  /** From a dead or halted node to a running one that has everything. */
  #recover(): void {
    this.#struck = true;
    this.#loseProcess();
    for (let attempt = 0; !this.#tryOpen(attempt); attempt++) {
      assert(attempt < RECOVERIES_MAX, "recovery does not succeed although the disk does");
      this.#recoveriesStruck++;
      this.#loseProcess();
    }
    this.#recoveries++;
    this.#retry(this.#verify());
  }

  /** A fault leaves it to chance whether the system goes down too; a crash is a power failure. */
  #loseProcess(): void {
    const { disk } = this.#harness;
    if (this.#options.deferred || isCrashed(disk) || this.#luck.oneIn(2)) {
      this.#harness.crash(this.#options.survival);
    } else this.#harness.kill();
  }

  #tryOpen(attempt: number): boolean {
    const { disk } = this.#harness;
    const trouble = attempt < 3 && !this.#luck.oneIn(3);
    const effects = ["crash", "io_error", "disk_full"] as const;
    const effect = effects[this.#luck.below(3)]!;
    disk.plan(trouble ? { nth: 1 + this.#luck.below(14), effect, tornBytes: 700 } : undefined);
    try {
      const opened = this.#harness.open();
      if (!(opened instanceof Node)) assert(opened.fault !== undefined, opened.error);
      disk.plan(undefined);
      return opened instanceof Node;
    } catch (error) {
      if (!(error instanceof DiskFault) && !isCrashed(disk)) throw error;
      return false;
    }
  }

  /** Compares the disk with what was sent and answered since the last time. Returns what has no answer. */
  #observe(): Sent[] {
    const sent = this.#sent;
    this.#sent = [];
    for (const { ticket } of sent) assert(!isRefused(ticket), "a sound node refuses nothing");
    const candidates = sent.filter(({ ticket }) => mayBeLogged(ticket)).map(({ ticket }) => ticket);
    this.#oracle.observe(this.#harness.disk, distinct(candidates, this.#oracle));
    this.#oracle.checkAcknowledged(sent.map(({ ticket }) => ticket));
    return sent.filter(({ ticket }) => mayBeLogged(ticket) && !isCommitted(ticket));
  }

  /** The same, and compares what readers see. */
  #verify(): Sent[] {
    const open = this.#observe();
    const { node, disk } = this.#harness;
    this.#oracle.compareState(disk);
    for (let id = 1n; id <= BigInt(RESOURCES); id++) {
      const { kind, ...record } = node.getResource(id);
      assertEquals(kind === "found" ? record : undefined, this.#oracle.resource(id));
    }
    const slot = node.currentSlot();
    for (const id of this.#commands.held) {
      const { kind, ...record } = node.getReservation(id, undefined, slot);
      assertEquals(kind === "found" ? record : kind, this.#oracle.reservation(id, slot));
    }
    return open;
  }

  /** What was never answered is sent again, and happens once however it ended the first time. */
  #retry(open: readonly Sent[]): void {
    for (const { command } of open) this.#send(command);
    this.#harness.run();
    const again = [...this.#sent];
    this.#retried += again.length;
    assertEquals(this.#observe().length, 0, "a retry was not answered");
    for (const { ticket } of again) assertEquals(this.#oracle.count(ticket.bytes), 1);
  }
}

function isCommitted({ answer }: Ticket): boolean {
  return answer?.kind === "committed";
}

/** Everything but what was certainly not taken. */
function mayBeLogged({ answer }: Ticket): boolean {
  return answer === undefined || answer.kind === "committed" ||
    answer.rejection.category === "indefinite";
}

function isRefused({ answer }: Ticket): boolean {
  return answer?.kind === "rejected" && answer.rejection.category === "definite";
}

/** Each command once, and only those that are not in the history yet: only these can add an entry. */
function distinct(tickets: readonly Ticket[], oracle: HistoryOracle): Ticket[] {
  const seen = new Set<string>();
  return tickets.filter(({ bytes }) => {
    const text = bytes.join();
    if (seen.has(text) || oracle.count(bytes) > 0) return false;
    seen.add(text);
    return true;
  });
}

function isCrashed(disk: MemoryDisk): boolean {
  try {
    disk.list();
    return false;
  } catch {
    return true;
  }
}
