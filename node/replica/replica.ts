/**
 * One replica among others: a node over its data directory, the protocol with its peers, and what it does by
 * itself when either fails. Everything outside is handed in, so that daemon, tests and simulator run the same.
 */
import { digest } from "../../core/digest.ts";
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import type {
  CheckpointResult,
  Metrics,
  NodeApi,
  NodeIdentity,
  NotPrimary,
  ReadRefusal,
  ReplicationView,
  ReservationRead,
  ResourceRead,
  ResultSink,
} from "../api.ts";
import { DiskFault } from "../disk.ts";
import type { TickOutcome } from "../expiration.ts";
import type { ReplicaRole } from "../vsr/role.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import { loadMetadata, settleMetadata, type StoredMetadata } from "../metadata/metadata.ts";
import type { Node } from "../node.ts";
import { snapshotBytesMax } from "../snapshot/store.ts";
import type { SnapshotFacts } from "../vsr/log_port.ts";
import type { Message } from "../vsr/messages.ts";
import { checkTiming, DEFAULT_TIMING, type VsrTiming } from "../vsr/timing.ts";
import type { ReplicaOptions } from "./options.ts";
import { emptyMetrics } from "./empty_metrics.ts";
import {
  alreadyUncertainLine,
  committedPrefixLine,
  committingPrefixLine,
  discardingSuffixLine,
  faultedLine,
  faultingLine,
  metadataFaultLine,
  preparedFacts,
  snapshotInstalledLine,
  snapshotNotInstalledLine,
  transferFailedLine,
} from "./lines.ts";
import type { MetadataMemory } from "./memory.ts";
import { openInner } from "./open_inner.ts";
import { SnapshotReceiver, SnapshotSender } from "./transfer.ts";
import { installSnapshot } from "./install.ts";
import { answerRange } from "./range.ts";
import {
  createGlance,
  glanceAt,
  type ReplicaGlance,
  type ReplicaStatus,
  replicaStatus,
  replicationView,
} from "./status.ts";
import { Repair } from "./repair.ts";

/** Pauses before a data directory that failed is opened again. */
const REOPEN_MS_MIN = 250;
const REOPEN_MS_MAX = 30_000;
const CHECKPOINT_LOOK_MS = 1_000;
const HINT_MS = 10_000;

/**
 * Opens a replica. Bad data does not throw: the replica is then faulted, says why, and takes no part.
 *
 * @param options Its directory, its peers and the outside world.
 * @returns The replica.
 * @throws {RangeError} When its times do not fit together.
 */
export function openReplica(options: ReplicaOptions): Replica {
  return new Replica(options);
}

/** See {@linkcode openReplica}. */
export class Replica implements NodeApi {
  readonly identity: NodeIdentity;
  readonly timing: VsrTiming;
  readonly #options: ReplicaOptions;
  readonly #links = new Map<bigint, boolean>();
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  #stored: StoredMetadata;
  #repair: Repair;
  #node: Node | undefined;
  #memory: MetadataMemory | undefined;
  #faultReason: string | undefined;
  #reopenAtMs: number | undefined;
  #reopenMs = REOPEN_MS_MIN;
  #checkpointLookMs = 0;
  #hintMs = 0;
  #isClosed = false;
  /** What a new primary found in its log and has not applied yet ends here. */
  #prefixOp: bigint | undefined;
  #told: { role: ReplicaRole; view: bigint } | undefined;
  #counters = { reopens: 0, snapshotsInstalled: 0 };
  readonly #glance = createGlance();

  /** @param options See {@linkcode openReplica}. */
  constructor(options: ReplicaOptions) {
    const { stored, core, engine, disk } = options;
    const { clusterId, replicaId } = stored.metadata;
    this.#options = options;
    this.#stored = stored;
    this.identity = { clusterId, replicaId, core, engine };
    this.timing = { ...DEFAULT_TIMING, ...options.timing };
    const wrong = checkTiming(this.timing);
    if (wrong !== undefined) throw new RangeError(wrong);
    for (const id of options.members) if (id !== replicaId) this.#links.set(id, false);
    this.#sender = new SnapshotSender(disk, () => this.#node?.checkpointer.doubtNewest());
    this.#receiver = new SnapshotReceiver({
      disk,
      bytesMax: snapshotBytesMax(core),
      send: (to, message) => options.send(to, message),
      received: (facts) => this.#install(facts),
      failed: (fault) => options.log.warn(transferFailedLine(fault)),
    });
    this.#repair = this.#createRepair();
    this.#open();
  }

  /** A message from another replica. */
  receive(from: bigint, message: Message): void {
    if (this.#isClosed) return;
    const node = this.#node;
    if (node === undefined) {
      if (message.kind === "log_range") this.#repair.take(from, message);
      return;
    }
    switch (message.kind) {
      case "get_log_range":
        return this.#options.send(from, answerRange(node, message, this.timing.messageBytesMax));
      case "get_snapshot_chunk":
        return this.#options.send(from, this.#sender.chunk(message, this.#snapshot(), from));
      case "snapshot_chunk":
        return this.#receiver.take(from, message, this.#nowMs());
      default:
        node.driver.take({ kind: "message", from, message });
    }
  }

  /** The connection over which this replica sends to a peer has opened. */
  linkUp(peer: bigint): void {
    this.#setLink(peer, true);
  }

  /** It has ended. */
  linkDown(peer: bigint): void {
    this.#setLink(peer, false);
  }

  /** Everything that happens with time; to be called every 10 to 25 milliseconds. */
  tick(): void {
    if (this.#isClosed) return;
    const nowMs = this.#nowMs();
    if (this.#isReopenDue(nowMs)) this.#reopen();
    const node = this.#node;
    if (node === undefined) return this.#repair.tick();
    this.#watchLog(node);
    node.driver.take({ kind: "tick" });
    this.#watchPrefix(node);
    this.#receiver.tick(nowMs);
    if (!this.#options.manualExpiration) node.expireDue();
    this.#maintain(node, nowMs);
  }

  /** An operator wants the next view to begin. */
  startViewChange(): void {
    const node = this.#node;
    if (node === undefined) return;
    if (node.driver.role === "view_uncertain") {
      this.#options.log.info(alreadyUncertainLine(this.#now(node), node.driver.state.commitOp));
    }
    node.driver.take({ kind: "view_change_wanted" });
  }

  /** A number that replicas at the same op agree on. Reads all of the state; nothing while a checkpoint does. */
  digest(): { readonly op: bigint; readonly lsn: bigint; readonly digest: bigint } | undefined {
    const executor = this.#node?.executor;
    if (executor === undefined || executor.engine.capture.active) return undefined;
    const lsn = readU64(executor.appliedTip, TipWord.lsn);
    return { op: executor.appliedOp, lsn, digest: digest(executor.engine) };
  }

  /** What an operator sees. */
  status(): ReplicaStatus {
    return replicaStatus({
      identity: this.identity,
      members: this.#options.members,
      metadata: this.#stored.metadata,
      node: this.#node,
      role: this.#role,
      faultReason: this.#faultReason,
      links: this.#links,
      nowMs: this.#nowMs(),
      counters: this.#counters,
    });
  }

  /** What of it changes all the time. The same object at every call, so that looking often costs nothing. */
  glance(): Readonly<ReplicaGlance> {
    glanceAt(this.#glance, this.#node, this.#role, this.#counters.reopens);
    return this.#glance;
  }

  submit(
    view: DataView,
    at: number,
    end: number,
    slot: bigint | undefined,
    sink: ResultSink,
    token: number,
  ): void {
    const node = this.#node;
    if (node !== undefined) return node.submit(view, at, end, slot, sink, token);
    sink.rejected(token, { category: "definite", code: "not_primary", ...this.#noPrimary() });
  }

  confirmAuthority(done: (refusal: ReadRefusal | undefined) => void): void {
    if (this.#node === undefined) return done({ kind: "not_primary", ...this.#noPrimary() });
    this.#node.confirmAuthority(done);
  }

  getResource(resourceId: bigint, requiredLsn?: bigint): ResourceRead {
    return this.#node?.getResource(resourceId, requiredLsn) ?? { kind: "engine_halted" };
  }

  getReservation(
    reservationId: bigint,
    requiredLsn?: bigint,
    currentSlot?: bigint,
  ): ReservationRead {
    return this.#node?.getReservation(reservationId, requiredLsn, currentSlot) ??
      { kind: "engine_halted" };
  }

  metrics(currentSlot?: bigint): Metrics {
    const node = this.#node;
    if (node !== undefined) return node.metrics(currentSlot);
    return emptyMetrics(this.identity, this.#faultReason ?? "not open");
  }

  tickExpirations(currentSlot: bigint | undefined, done: (outcome: TickOutcome) => void): void {
    if (this.#node !== undefined) return this.#node.tickExpirations(currentSlot, done);
    const rejection = { category: "definite", code: "not_primary", ...this.#noPrimary() } as const;
    done({ kind: "rejected", rejection });
  }

  checkpoint(done: (result: CheckpointResult) => void): void {
    if (this.#node === undefined) return done({ kind: "engine_halted" });
    this.#node.checkpoint(done);
  }

  currentSlot(): bigint {
    return this.#node?.currentSlot() ?? 0n;
  }

  /** How it stands among the others. */
  replication(): ReplicationView {
    return replicationView(this.status());
  }

  /** Takes no new command; settles when everything taken in is answered. */
  drain(): Promise<void> {
    return this.#node?.drain() ?? Promise.resolve();
  }

  /** Ends everything and closes its files. */
  close(): void {
    this.#isClosed = true;
    const node = this.#node;
    if (node !== undefined) this.#remember(node);
    this.#closeNode();
  }

  get #role(): ReplicaRole {
    if (this.#node !== undefined) return this.#node.driver.role;
    return this.#repair.isMending ? "recovering" : "faulted";
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }

  /** What is remembered, with role and view as they are: they may still be on their way to the disk. */
  #now(node: Node | undefined): ReplicaMetadata {
    const { metadata } = this.#stored;
    if (node === undefined) return metadata;
    return { ...metadata, role: node.driver.role, view: node.driver.state.view };
  }

  #noPrimary(): NotPrimary {
    return { view: this.#stored.metadata.view, primary: undefined };
  }

  #open(): void {
    const inner = openInner({
      options: this.#options,
      stored: this.#stored,
      timing: this.timing,
      outside: {
        send: (to, message) => this.#options.send(to, message),
        sendNow: () => this.#options.sendNow?.(),
        roleChanged: (role, view) => {
          this.#beginPrefix(role);
          this.#tellRole(role, view);
        },
        faulted: (reason) => this.#fault(reason),
        diskFailed: (fault) => this.#diskFailed(fault),
        fetchSnapshot: (wanted) => this.#receiver.begin(wanted.from, wanted, this.#nowMs()),
        snapshot: () => this.#snapshot(),
        dropping: (suffix) => {
          this.#options.log.info(discardingSuffixLine(this.#now(this.#node), suffix));
        },
      },
    });
    if (inner.kind === "disk_failed") return this.#diskFailed(inner.fault);
    if (inner.kind === "refused") return this.#repair.begin(inner.refusal);
    this.#faultReason = undefined;
    this.#node = inner.node;
    this.#repair = this.#createRepair();
    this.#memory = inner.memory;
    inner.node.driver.take({ kind: "start" });
    for (const [peer, isUp] of this.#links) {
      if (isUp) inner.node.driver.take({ kind: "link", peer, isUp });
    }
  }

  #createRepair(): Repair {
    const { disk, log, members } = this.#options;
    return new Repair({
      disk,
      log,
      stored: this.#stored,
      segmentBytes: this.#options.segmentBytes,
      peers: members.filter((id) => id !== this.identity.replicaId),
      nowMs: () => this.#nowMs(),
      send: (to, message) => this.#options.send(to, message),
      repaired: () => this.#open(),
      hopeless: (reason) => {
        const path = this.#counters.reopens === 0 ? "open" : "recover";
        log.error(faultingLine(this.#stored.metadata, path, reason));
        this.#fault(reason);
        this.#tellRole("faulted", this.#stored.metadata.view);
      },
      diskFailed: (fault) => this.#diskFailed(fault),
    });
  }

  /** As after a restart of the process: what the disk holds is what counts. */
  #reopen(): void {
    this.#reopenAtMs = undefined;
    this.#counters.reopens++;
    try {
      const loaded = loadMetadata(this.#options.disk);
      if (loaded.kind !== "loaded") {
        const why = loaded.kind === "damaged"
          ? loaded.error.message
          : "replica.metadata is missing";
        this.#options.log.error(metadataFaultLine(this.#stored.metadata, why));
        this.#fault(why);
        // A disk that cannot be read now may be read later; what it then says is another matter.
        const isUnreadable = loaded.kind === "damaged" && loaded.error.kind === "unreadable";
        return isUnreadable ? this.#reopenLater() : undefined;
      }
      settleMetadata(this.#options.disk, loaded.stored);
      this.#stored = loaded.stored;
      this.#repair = this.#createRepair();
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      return this.#diskFailed(error);
    }
    this.#closeNode();
    this.#open();
    if (this.#node !== undefined) this.#reopenMs = REOPEN_MS_MIN;
  }

  /** A write to the metadata that is still under way would meet what is read and written then. */
  #isReopenDue(nowMs: number): boolean {
    if (this.#reopenAtMs === undefined || nowMs < this.#reopenAtMs) return false;
    return (this.#memory?.isQuiet ?? true) && !this.#stored.isStoring;
  }

  #closeNode(): void {
    const node = this.#node;
    this.#node = undefined;
    this.#memory = undefined;
    this.#prefixOp = undefined;
    this.#sender.close();
    this.#receiver.stop();
    node?.close();
  }

  #fault(reason: string): void {
    if (this.#faultReason !== undefined) return;
    this.#faultReason = reason;
    this.#options.log.error(faultedLine(reason));
  }

  /** A disk may come back, and what it then holds is looked at as after a crash. */
  #diskFailed(fault: DiskFault): void {
    this.#fault(fault.message);
    this.#reopenLater();
  }

  #reopenLater(): void {
    if (this.#reopenAtMs !== undefined) return;
    this.#reopenAtMs = this.#nowMs() + this.#reopenMs;
    this.#reopenMs = Math.min(this.#reopenMs * 2, REOPEN_MS_MAX);
  }

  /** Maintenance may find that the log failed, and applying that a part of it cannot be read, where no flush tells. */
  #watchLog(node: Node): void {
    if (node.driver.role === "faulted") return;
    node.executor.haltIfLogFailed();
    const { haltReason } = node.executor;
    if (haltReason === undefined) return;
    node.driver.take({ kind: "failed" });
    this.#fault(haltReason);
    this.#reopenLater();
  }

  #maintain(node: Node, nowMs: number): void {
    const { checkpoints } = this.#options;
    if (nowMs - this.#checkpointLookMs >= CHECKPOINT_LOOK_MS) {
      this.#checkpointLookMs = nowMs;
      node.checkpointIfDue(checkpoints);
    }
    if (nowMs - this.#hintMs < HINT_MS) return;
    this.#hintMs = nowMs;
    if (node.driver.role !== "faulted") this.#remember(node);
  }

  #remember(node: Node): void {
    this.#memory?.storeHints(node.executor.appliedOp, this.#snapshot()?.op ?? 0n);
  }

  /** A new primary has entries of earlier views in its log, which it must commit before it serves. */
  #beginPrefix(role: ReplicaRole): void {
    this.#prefixOp = undefined;
    const node = this.#node;
    if (role !== "primary" || node === undefined) return;
    const { tipOp } = node.driver;
    const { appliedOp } = node.executor;
    if (tipOp === appliedOp) return;
    this.#prefixOp = tipOp;
    const facts = preparedFacts(tipOp, appliedOp);
    this.#options.log.info(committingPrefixLine(this.#now(node), facts, appliedOp));
  }

  #watchPrefix(node: Node): void {
    const { appliedOp } = node.executor;
    if (this.#prefixOp === undefined || appliedOp < this.#prefixOp) return;
    this.#prefixOp = undefined;
    this.#options.log.info(committedPrefixLine(this.#now(node), appliedOp));
  }

  #snapshot(): SnapshotFacts | undefined {
    return this.#sender.facts(this.#node?.checkpointer.activeSnapshotLsn);
  }

  /** Nothing may be on its way to the disk: whatever comes after the note belongs to the next opening. */
  #install(facts: SnapshotFacts): void {
    const node = this.#node;
    const memory = this.#memory;
    if (node === undefined || memory === undefined) return;
    node.writer.whenQuiet(() =>
      memory.whenQuiet(() => {
        if (this.#node !== node) return;
        if (node.writer.isFlushing) return this.#install(facts);
        this.#installNow(node, facts);
      })
    );
  }

  #installNow(node: Node, facts: SnapshotFacts): void {
    const { disk, log } = this.#options;
    const result = isHeld(node, facts)
      ? "the replica has caught up without it"
      : installSnapshot(disk, this.#stored.metadata, facts);
    if (typeof result === "string") return log.warn(snapshotNotInstalledLine(facts, result));
    // From the note on nothing may be added to the log that it speaks of.
    this.#closeNode();
    if (result === undefined) {
      this.#counters.snapshotsInstalled++;
      log.info(snapshotInstalledLine(facts));
    } else log.warn(snapshotNotInstalledLine(facts, result.message));
    this.#reopen();
  }

  #setLink(peer: bigint, isUp: boolean): void {
    if (!this.#links.has(peer)) return;
    this.#links.set(peer, isUp);
    this.#node?.driver.take({ kind: "link", peer, isUp });
  }

  #tellRole(role: ReplicaRole, view: bigint): void {
    if (this.#told?.role === role && this.#told.view === view) return;
    this.#told = { role, view };
    this.#options.onRole?.(role, view);
  }
}

/** Whether there is nothing to gain, and what follows a snapshot in the log would be lost for it. */
function isHeld({ driver, writer }: Node, { op, hash }: SnapshotFacts): boolean {
  if (op <= driver.state.commitOp) return true;
  if (op > driver.tipOp) return false;
  const held = writer.hashAt(op);
  return held === undefined || held === hash;
}
