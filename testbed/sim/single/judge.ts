/**
 * What a single node promises, looked at after every turn: it is compared with the model entry by entry, and with what
 * its disk saw being written. It believes nothing that the node says of itself.
 */
import { digest } from "../../../core/digest.ts";
import { firstViolation } from "../../../core/invariants.ts";
import type { CoreConfig } from "../../../core/config.ts";
import { TipWord } from "../../../core/log_tip.ts";
import { readU64 } from "../../../core/words.ts";
import { ACTIVE_SEGMENT } from "../../../node/log/files.ts";
import type { Node } from "../../../node/node.ts";
import {
  SNAPSHOT_FILE,
  SNAPSHOT_PREVIOUS_FILE,
  SNAPSHOT_TEMPORARY_FILE,
} from "../../../node/snapshot/store.ts";
import { equalReservations, equalResources, textOfOutcome } from "../judge/judges.ts";
import { LogMirror, type MirrorFrame } from "../judge/log_mirror.ts";
import { ClusterTruth, type Decided } from "../judge/truth.ts";
import type { MemoryDisk } from "../disk/memory_disk.ts";
import type { ModelOutcome } from "../../model/words.ts";
import type { Known } from "./commands.ts";
import type { Answer, Ticket } from "./ticket.ts";

/** What the judge needs of whoever runs the node. */
export interface SingleJudgeHost {
  nowMs(): number;
  /** As of which slot reads are compared. */
  slot(): bigint;
  /** Whether the node takes slots from its clock, so that times to live are times. */
  readonly isClocked: boolean;
  violated(what: string): never;
}

/** Reservations whose reads are compared, the latest ones. */
const COMPARED_MAX = 8;

/** See the top of this file. */
export class SingleJudge {
  readonly truth: ClusterTruth;
  readonly mirror: LogMirror;
  /** How often each judge had something to judge. */
  readonly judged = { decided: 0, published: 0, cached: 0, expirations: 0, compared: 0, starts: 0 };
  readonly #core: CoreConfig;
  readonly #host: SingleJudgeHost;
  /** Submissions that may still make an entry, in order. */
  #open: Ticket[] = [];
  /** Entries that somebody was told are his. */
  readonly #owned = new Set<bigint>();
  readonly #known: Known[] = [];
  /** When somebody asked for an entry, by lsn. */
  readonly #askedMs = new Map<bigint, number>();
  #comparedOp = -1;
  /** What the disk had durably before the latest start. */
  #durableOp = 0;
  /** Whether hosts gave slots: those of a clock are then times no more. */
  #hasSlotsGiven = false;
  /** Whether the latest start has come up. */
  #isUp = false;

  constructor(core: CoreConfig, host: SingleJudgeHost) {
    this.#core = core;
    this.#host = host;
    this.truth = new ClusterTruth(core);
    this.mirror = new LogMirror({
      nowMs: () => host.nowMs(),
      durable: () => {},
      fileSynced: () => {},
    });
  }

  /** All reservations that were ever made, oldest first. */
  get known(): readonly Known[] {
    return this.#known;
  }

  /** Something is submitted. */
  sent(ticket: Ticket): void {
    this.#open.push(ticket);
    if (ticket.slot !== undefined) this.#hasSlotsGiven = true;
  }

  /**
   * A checkpoint has ended well: there are two snapshots if there was one before, and nothing that neither of them needs.
   *
   * @param node Whose.
   * @param previousLsn The snapshot's before, if there was one.
   * @param names The files on its disk.
   */
  checkpointed(
    { writer, executor }: Node,
    previousLsn: bigint | undefined,
    names: readonly string[],
  ): void {
    const isKept = [SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE].every((name) => names.includes(name));
    if (previousLsn !== undefined && !isKept) {
      this.#host.violated("damage: a checkpoint has left one snapshot and not two");
    }
    const [, second] = writer.segments;
    if (second === undefined || executor.haltReason !== undefined) return;
    if (readU64(second.header.base, TipWord.op) > (previousLsn ?? 0n)) return;
    this.#host.violated(`bounds: the log keeps a file that ends before lsn ${previousLsn}`);
  }

  /**
   * A start is about to read a disk.
   *
   * @param disk As it is.
   * @param isPowerLost Whether what is there is all that there will be.
   * @param isDamaged Whether durable entries that nobody was told of may be gone.
   */
  found(disk: MemoryDisk, isPowerLost: boolean, isDamaged: boolean): void {
    // A start that did not come up may have renamed what it wrote, and no more.
    if (this.#isUp) this.#durableOp = Math.max(this.#durableOp, this.mirror.durableTip);
    if (isDamaged) this.#durableOp = 0;
    this.#isUp = false;
    this.mirror.rebuild(disk, isPowerLost);
  }

  /**
   * A node has come up: everything that was applied before must be there, and nothing may be left out or left over.
   *
   * @param node It.
   * @param names The files on its disk.
   */
  started(node: Node, names: readonly string[]): void {
    this.judged.starts++;
    this.#isUp = true;
    this.#comparedOp = -1;
    const { appliedOp } = node.executor;
    const leastOp = Math.max(this.truth.op, this.#durableOp);
    if (appliedOp < BigInt(leastOp)) {
      this.#host.violated(
        `durability: ${leastOp} entries were durable and ${appliedOp} are there after a start`,
      );
    }
    const used = node.writer.segments.map(({ name }) => name);
    const isLeft = (name: string): boolean =>
      name === SNAPSHOT_TEMPORARY_FILE || (name.startsWith(ACTIVE_SEGMENT) && !used.includes(name));
    const left = names.find(isLeft);
    if (left !== undefined) {
      this.#host.violated(`bounds: a start leaves ${left}, which is of no use`);
    }
    this.turned(node);
    this.#judgeLeftOut();
    this.#open = [];
  }

  /** A turn of the node is over. */
  turned(node: Node): void {
    const { executor } = node;
    if (executor.queueDepth > node.identity.engine.maxSubmissionQueue) {
      this.#host.violated(`bounds: ${executor.queueDepth} commands wait`);
    }
    const applied = Number(executor.appliedOp);
    if (applied < this.truth.op) this.#host.violated("applied entries are gone");
    for (let op = this.truth.op + 1; op <= applied; op++) this.#decide(op);
    if (applied === this.#comparedOp) return;
    this.#comparedOp = applied;
    this.#compareState(node);
  }

  /** Compares what readers see with the model; not of a halted node, which answers nobody. */
  compareReads(node: Node): void {
    const { lsn } = this.truth;
    const slot = this.#host.slot();
    this.judged.compared++;
    for (let id = 0n; id <= BigInt(this.#core.maxResources); id++) {
      const read = node.getResource(id);
      const view = read.kind === "found" ? read : undefined;
      const isTrue = this.truth.whenResource(id, (model) => equalResources(model, view), lsn, lsn);
      if (isTrue === undefined) this.#host.violated(`reads: resource ${id} is ${wordsOf(read)}`);
    }
    for (const { reservationId: id } of this.#known.slice(-COMPARED_MAX)) {
      const read = node.getReservation(id, undefined, slot);
      const view = read.kind === "found" ? read : read.kind as "retired" | "not_found";
      const matches = (model: Parameters<typeof equalReservations>[0]): boolean =>
        equalReservations(model, view);
      if (this.truth.whenReservation(id, slot, matches, lsn, lsn) === undefined) {
        this.#host.violated(`reads: reservation ${id} at slot ${slot} is ${wordsOf(read)}`);
      }
    }
  }

  /** Somebody hears how his command ended. */
  published(ticket: Ticket, answer: Answer): void {
    this.judged.published++;
    if (answer.kind === "committed") return this.#judgeCommitted(ticket, answer.outcome);
    const { category, code } = answer.rejection;
    if (category === "definite" && ticket.lsn !== undefined) {
      this.#host.violated(`definite means not done: ${nameOf(ticket)} is refused with ${code}`);
    }
  }

  #decide(op: number): void {
    const frame = this.mirror.frames.get(op);
    if (frame === undefined) return this.#host.violated(`op ${op} is applied and nowhere written`);
    if (!frame.isDurable || op > this.mirror.durableTip) {
      this.#host.violated(`durable before applied: op ${op} is applied and not yet durable`);
    }
    const decided = this.truth.decide(frame, this.#host.nowMs());
    this.judged.decided++;
    const { command, outcome } = decided;
    if (outcome?.fromRetryCache) {
      this.#host.violated(`once: op ${op} is a command that is remembered`);
    }
    if (command?.kind === "expire") return this.#judgeExpiration(decided);
    this.#own(frame);
    if (outcome?.reserved === undefined || !("holderId" in command!)) return;
    const { reservationId } = outcome.reserved;
    this.#known.push({ reservationId, holderId: command.holderId });
  }

  /** Somebody must have submitted it, and nobody who came later before him. */
  #own(frame: MirrorFrame): void {
    const at = this.#open.findIndex((ticket) =>
      ticket.lsn === undefined && mayBeLogged(ticket) && equalBytes(ticket.bytes, frame.payload)
    );
    if (at < 0) return this.#host.violated(`nobody submitted op ${frame.op}`);
    const ticket = this.#open[at]!;
    ticket.lsn = frame.lsn;
    this.#askedMs.set(BigInt(frame.lsn), ticket.sentMs);
    const later = this.#open.slice(at + 1).find(({ lsn }) => lsn !== undefined);
    if (later !== undefined) {
      this.#host.violated(`order: ${nameOf(ticket)} is behind ${nameOf(later)}`);
    }
  }

  /** Of what was never answered a prefix is in the log: whoever was left out while a later one was not, was lost. */
  #judgeLeftOut(): void {
    const last = this.#open.findLastIndex(({ lsn }) => lsn !== undefined);
    for (const ticket of this.#open.slice(0, Math.max(last, 0))) {
      const { command, told, lsn } = ticket;
      if (lsn !== undefined || told !== undefined) continue;
      if (this.truth.firstOf(command.clientId, command.operationId) !== undefined) continue;
      this.#host.violated(`order: ${nameOf(ticket)} was left out`);
    }
  }

  #judgeCommitted(ticket: Ticket, outcome: ModelOutcome): void {
    const what = nameOf(ticket);
    const { appliedLsn, fromRetryCache, code } = outcome;
    const decided = this.truth.atLsn(appliedLsn);
    if (decided?.command === undefined || decided.command.kind === "expire") {
      return this.#host.violated(`published after commit: ${what} is told of lsn ${appliedLsn}`);
    }
    if (fromRetryCache) this.#judgeWindow(ticket, decided);
    else if (this.#owned.has(appliedLsn)) {
      this.#host.violated(`waiters: ${what} is told of lsn ${appliedLsn}, which is another's`);
    } else this.#owned.add(appliedLsn);
    if (equalBytes(decided.frame.payload, ticket.bytes)) {
      const expected = textOfOutcome(decided.outcome);
      const got = textOfOutcome(outcome);
      if (got !== expected) this.#host.violated(`${what} is told ${got}, not ${expected}`);
      return;
    }
    const { clientId, operationId } = decided.command;
    const isSameKey = clientId === ticket.command.clientId &&
      operationId === ticket.command.operationId;
    if (isSameKey && fromRetryCache && code === "operation_conflict") return;
    this.#host.violated(`waiters: ${what} is told of lsn ${appliedLsn}, not its own`);
  }

  /**
   * What is older than the window must be executed afresh; not for whoever joins a command under way. By a clock a slot that
   * is too far ahead counts as the clock's.
   */
  #judgeWindow({ slot, sentLsn }: Ticket, { frame }: Decided): void {
    this.judged.cached++;
    if (slot === undefined || this.#host.isClocked || frame.lsn > sentLsn) return;
    const { maxTtlSlots, maxClientRetryWindowSlots } = this.#core;
    if (slot <= frame.slot + maxTtlSlots + maxClientRetryWindowSlots) return;
    this.#host.violated(`window: lsn ${frame.lsn} is remembered at slot ${slot}`);
  }

  #judgeExpiration({ command, outcome, frame }: Decided): void {
    if (command?.kind !== "expire" || outcome?.code !== "ok") return;
    this.judged.expirations++;
    if (frame.slot < command.deadlineSlot) {
      this.#host.violated(`never early: op ${frame.op} expires at slot ${frame.slot}`);
    }
    if (!this.#host.isClocked || this.#hasSlotsGiven) return;
    const lsn = command.reservationId & 0xffff_ffff_ffff_ffffn;
    const reserve = this.truth.atLsn(lsn);
    if (reserve?.command === undefined || !("ttlSlots" in reserve.command)) return;
    const dueMs = Number(reserve.command.ttlSlots) * this.#core.slotDurationMs;
    const givenMs = frame.writtenMs - this.#askedMs.get(lsn)!;
    if (givenMs >= dueMs - 1e-6) return;
    this.#host.violated(`never early: ${givenMs} ms were given of ${dueMs} ms`);
  }

  #compareState(node: Node): void {
    const { engine, haltReason } = node.executor;
    const broken = firstViolation(engine);
    if (broken !== undefined) this.#host.violated(`invariants: ${broken}`);
    if (digest(engine) !== this.truth.digest()) {
      this.#host.violated(
        `state: after op ${this.truth.op} it is not the one that its log leads to`,
      );
    }
    if (haltReason === undefined) this.compareReads(node);
  }
}

/** Everything but what was certainly not taken, or was answered from memory. */
function mayBeLogged({ told }: Ticket): boolean {
  if (told === undefined) return true;
  if (told.kind === "committed") return !told.outcome.fromRetryCache;
  return told.rejection.category === "indefinite";
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function nameOf({ command, order }: Ticket): string {
  return `submission ${order} (${command.kind} ${command.clientId}/${command.operationId})`;
}

function wordsOf(read: object): string {
  return Object.entries(read).map(([name, value]) => `${name} ${value}`).join(", ");
}
