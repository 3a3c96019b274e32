/**
 * Files that are not sound, on a replica that has peers. Entries that are missing between sound ones are fetched
 * by op and hash; what cannot be mended is given up, after the replica has durably given up its vote, and comes
 * from the others. Source: docs/decisions/0010-replication.md#damage.
 */
import { genesisTip, type LogIdentity } from "../../core/log_segment.ts";
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { type Disk, DiskFault } from "../disk.ts";
import {
  type LogDamage,
  mendLog,
  resetLog,
  type SalvageResult,
  truncateLog,
} from "../log/salvage.ts";
import type { LogHole } from "../log/survey.ts";
import type { NodeLog } from "../log_lines.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import { type StoredMetadata, storeMetadata } from "../metadata/metadata.ts";
import { logSizes } from "../open_node.ts";
import { logIdentity } from "./install.ts";
import type { RecoveryRefusal } from "../recover.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "../snapshot/store.ts";
import { type FrameAt, frameAt, hashOf } from "../vsr/frames.ts";
import type { LogRange, Message } from "../vsr/messages.ts";

/** What a repair works with. */
export interface RepairParts {
  readonly disk: Disk;
  readonly stored: StoredMetadata;
  readonly segmentBytes: number | undefined;
  readonly peers: readonly bigint[];
  readonly log: NodeLog;
  readonly nowMs: () => number;
  readonly send: (to: bigint, message: Message) => void;
  /** The files are as good as they get: open them again. */
  readonly repaired: () => void;
  /** Nothing helps. */
  readonly hopeless: (reason: string) => void;
  readonly diskFailed: (fault: DiskFault) => void;
}

/** How long peers are asked for what is missing before it is given up, and how often. */
const MEND_MS_MAX = 10_000;
const ASK_MS = 250;

/** Steps that each give up more than the one before. */
type Step = "mend" | "truncate" | "reset" | "start_over";

/** Repairs one data directory; one attempt at a time. */
export class Repair {
  readonly #parts: RepairParts;
  #mending: Mending | undefined;
  #tried: Step | undefined;

  /** @param parts What to work with. */
  constructor(parts: RepairParts) {
    this.#parts = parts;
  }

  /** Whether peers are being asked. */
  get isMending(): boolean {
    return this.#mending !== undefined;
  }

  /** The directory could not be opened: does the least that may help. */
  begin(refusal: RecoveryRefusal): void {
    this.#mending = undefined;
    const { damage } = refusal;
    if (refusal.failure === "config" || refusal.isOtherVersion) {
      return this.#parts.hopeless(refusal.error);
    }
    if (this.#tried === undefined && damage?.provenTip !== undefined) {
      return this.#mend(refusal, damage);
    }
    this.#giveUp(refusal);
  }

  /** Entries from a peer. */
  take(from: bigint, range: LogRange): void {
    const mending = this.#mending;
    if (mending === undefined || mending.asked !== from || range.requestId !== mending.requestId) {
      return;
    }
    if (range.refusal !== undefined || range.frames.length === 0) return this.#askNext(mending);
    mending.take(range.frames);
    if (mending.isComplete) return this.#finishMend(mending);
    this.#ask(mending);
  }

  /** Asks somebody else when nobody answers, and gives up in the end. */
  tick(): void {
    const mending = this.#mending;
    if (mending === undefined) return;
    const nowMs = this.#parts.nowMs();
    if (nowMs - mending.sinceMs >= MEND_MS_MAX) {
      this.#mending = undefined;
      return this.#giveUp(mending.refusal);
    }
    if (nowMs - mending.askedMs >= ASK_MS) this.#askNext(mending);
  }

  #mend(refusal: RecoveryRefusal, damage: LogDamage): void {
    this.#tried = "mend";
    const { log, nowMs } = this.#parts;
    log.warn(`log is damaged, asking peers: error=${refusal.error} holes=${damage.holes.length}`);
    const mending = new Mending(refusal, damage.holes, nowMs());
    if (mending.isComplete) return this.#finishMend(mending);
    this.#mending = mending;
    this.#askNext(mending);
  }

  #askNext(mending: Mending): void {
    const { peers } = this.#parts;
    if (peers.length === 0) return;
    mending.turn++;
    mending.asked = peers[mending.turn % peers.length]!;
    this.#ask(mending);
  }

  #ask(mending: Mending): void {
    mending.askedMs = this.#parts.nowMs();
    this.#parts.send(mending.asked, mending.next());
  }

  #finishMend(mending: Mending): void {
    this.#mending = undefined;
    const { disk, log } = this.#parts;
    const result = mendLog(disk, this.#identity(), this.#options(mending.refusal), mending.frames);
    if (result.kind === "done") {
      log.info(`log mended from peers: holes=${mending.frames.length}`);
      return this.#parts.repaired();
    }
    if (result.kind === "disk_fault") return this.#parts.diskFailed(result.fault);
    this.#giveUp(mending.refusal);
  }

  /** From here on the replica cannot prove what it promised: its vote goes first. */
  #giveUp(refusal: RecoveryRefusal): void {
    if (this.#tried === "start_over") return this.#parts.hopeless(refusal.error);
    this.#tried = nextStep(this.#tried, refusal);
    const step = this.#tried;
    this.#parts.log.warn(`giving up what is damaged: step=${step} error=${refusal.error}`);
    this.#giveUpVote((fault) => {
      if (fault !== undefined) return this.#parts.diskFailed(fault);
      this.#settle(this.#run(step, refusal), refusal);
    });
  }

  #run(step: Step, refusal: RecoveryRefusal): SalvageResult {
    const { disk } = this.#parts;
    const identity = this.#identity();
    const options = this.#options(refusal);
    try {
      if (step === "truncate") return truncateLog(disk, identity, options);
      if (step === "start_over") this.#moveSnapshotsAside();
      const tip = step === "reset" ? refusal.snapshotTip : undefined;
      return resetLog(disk, identity, options, tip ?? genesisTip(identity));
    } catch (error) {
      if (error instanceof DiskFault) return { kind: "disk_fault", fault: error };
      throw error;
    }
  }

  #settle(result: SalvageResult, refusal: RecoveryRefusal): void {
    switch (result.kind) {
      case "done":
        return this.#parts.repaired();
      case "disk_fault":
        return this.#parts.diskFailed(result.fault);
      case "refused":
      case "corruption":
        return this.#giveUp(refusal);
    }
  }

  #giveUpVote(done: (fault: DiskFault | undefined) => void): void {
    const { disk, stored } = this.#parts;
    if (stored.metadata.role === "recovering") return done(undefined);
    const next: ReplicaMetadata = { ...stored.metadata, role: "recovering", vote: null };
    storeMetadata(disk, stored, next, done);
  }

  /** Kept for whoever wants to know what happened; nothing reads them. */
  #moveSnapshotsAside(): void {
    const { disk } = this.#parts;
    for (const name of [SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE]) {
      if (disk.size(name) !== undefined) disk.rename(name, `${name}.damaged`);
    }
    disk.syncDirectory();
  }

  #identity(): LogIdentity {
    return logIdentity(this.#parts.stored.metadata);
  }

  #options({ snapshotTip }: RecoveryRefusal): Parameters<typeof mendLog>[2] {
    const sizes = logSizes(this.#parts.segmentBytes);
    return snapshotTip === undefined
      ? sizes
      : { ...sizes, coveredOp: readU64(snapshotTip, TipWord.op) };
  }
}

/** Entries that are missing, as far as they have come. */
class Mending {
  readonly refusal: RecoveryRefusal;
  readonly sinceMs: number;
  /** Hole by hole. */
  readonly frames: Uint8Array[];
  asked = 0n;
  askedMs = 0;
  turn = -1;
  requestId = 0n;
  readonly #holes: readonly LogHole[];
  #hole = 0;
  #op: bigint;
  #hash: bigint;

  constructor(refusal: RecoveryRefusal, holes: readonly LogHole[], nowMs: number) {
    this.refusal = refusal;
    this.sinceMs = nowMs;
    this.#holes = holes;
    this.frames = holes.map(() => new Uint8Array());
    this.#op = (holes[0]?.firstOp ?? 1n) - 1n;
    this.#hash = holes[0]?.previousHash ?? 0n;
  }

  get isComplete(): boolean {
    return this.#hole === this.#holes.length;
  }

  /** What to ask for next. */
  next(): Message {
    this.requestId++;
    return {
      kind: "get_log_range",
      requestId: this.requestId,
      prevOp: this.#op,
      prevHash: this.#hash,
      toOp: this.#holes[this.#hole]!.lastOp,
    };
  }

  /** Takes as many frames as the hole still has room for; they are checked when the log is mended. */
  take(bytes: Uint8Array): void {
    const hole = this.#holes[this.#hole]!;
    let end = 0;
    let last: FrameAt | undefined;
    for (let frame = frameAt(bytes, 0); frame !== undefined; frame = frameAt(bytes, end)) {
      if (frame.op !== this.#op + 1n || frame.op > hole.lastOp) break;
      last = frame;
      end = frame.end;
      this.#op = frame.op;
    }
    if (last === undefined) return;
    this.#hash = hashOf(bytes, last);
    this.frames[this.#hole] = joined(this.frames[this.#hole]!, bytes.subarray(0, end));
    if (this.#op < hole.lastOp) return;
    const next = this.#holes[++this.#hole];
    this.#op = (next?.firstOp ?? 1n) - 1n;
    this.#hash = next?.previousHash ?? 0n;
  }
}

function nextStep(tried: Step | undefined, refusal: RecoveryRefusal): Step {
  if (refusal.failure === "snapshot_file" || refusal.failure === "snapshot") return "start_over";
  if (tried === undefined || tried === "mend") {
    return refusal.damage?.prefixTip === undefined ? "reset" : "truncate";
  }
  return tried === "truncate" ? "reset" : "start_over";
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
