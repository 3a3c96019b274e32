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
import { givingUpLine, mendedLine, mendingLine } from "./lines.ts";
import type { RecoveryRefusal } from "../recover.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE } from "../snapshot/store.ts";
import { frameAt, hashOf, previousHashOf } from "../vsr/frames.ts";
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

/** How long nothing of use has to come before what is missing is given up, and how often peers are asked. */
const MEND_MS_MAX = 10_000;
const ASK_MS = 250;

/** How often mending begins anew because more was damaged meanwhile. */
const MENDS_MAX = 5;

/** Steps that each give up more than the one before. */
type Step = "mend" | "truncate" | "reset" | "start_over";

/** Repairs one data directory; one attempt at a time. */
export class Repair {
  readonly #parts: RepairParts;
  #mending: Mending | undefined;
  #tried: Step | undefined;
  #mends = 0;
  /** Whether what came from peers did not fit any more what is missing. */
  #isOutdated = false;

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
    const mayMend = this.#tried === undefined || (this.#tried === "mend" && this.#isOutdated);
    if (mayMend && damage?.provenTip !== undefined) {
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
    const { nowMs } = this.#parts;
    const isTaken = range.refusal === undefined && mending.take(range.frames, nowMs());
    if (!isTaken) return this.#askElsewhere(mending);
    if (mending.isComplete) return this.#finishMend(mending);
    this.#ask(mending);
  }

  /**
   * Asks somebody else when nobody answers, and gives up in the end. As long as no majority has answered, there is nothing
   * to gain: a replica without its vote needs a majority, too, and replicas that each wait for one that is away must not
   * all be without theirs when it comes back.
   */
  tick(): void {
    const mending = this.#mending;
    if (mending === undefined) return;
    const nowMs = this.#parts.nowMs();
    const isRefused = mending.refusedBy.size >= this.#majority;
    if (isRefused && nowMs - mending.sinceMs >= MEND_MS_MAX) {
      this.#mending = undefined;
      return this.#giveUp(mending.refusal);
    }
    if (nowMs - mending.askedMs >= ASK_MS) this.#askNext(mending);
  }

  #mend(refusal: RecoveryRefusal, damage: LogDamage): void {
    this.#tried = "mend";
    this.#isOutdated = false;
    this.#mends++;
    const { log, nowMs } = this.#parts;
    log.warn(mendingLine(refusal.error, damage.holes.length));
    const mending = new Mending(refusal, damage.holes, nowMs());
    if (mending.isComplete) return this.#finishMend(mending);
    if (this.#parts.peers.length === 0) return this.#giveUp(refusal);
    this.#mending = mending;
    this.#askNext(mending);
  }

  #askNext(mending: Mending): void {
    const { peers } = this.#parts;
    mending.turn++;
    mending.asked = peers[mending.turn % peers.length]!;
    this.#ask(mending);
  }

  /** Peers that are a majority of all replicas, or all there are. */
  get #majority(): number {
    const { length } = this.#parts.peers;
    return Math.min(((length + 1) >>> 1) + 1, length);
  }

  /** Who has nothing of use may have it later, so that after a round of refusals the next one waits. */
  #askElsewhere(mending: Mending): void {
    mending.refusals++;
    if (mending.asked !== undefined) mending.refusedBy.add(mending.asked);
    if (mending.refusals % this.#parts.peers.length !== 0) return this.#askNext(mending);
    mending.asked = undefined;
    mending.turn++; // Somebody else begins: what came may have been wrong from its first entry on.
    mending.restartHole();
  }

  #ask(mending: Mending): void {
    mending.askedMs = this.#parts.nowMs();
    if (mending.asked !== undefined) this.#parts.send(mending.asked, mending.next());
  }

  #finishMend(mending: Mending): void {
    this.#mending = undefined;
    const { disk, log } = this.#parts;
    const { frames } = mending;
    const result = mendLog(disk, this.#identity(), this.#options(mending.refusal), frames);
    if (result.kind === "done") {
      log.info(mendedLine(frames.length));
      return this.#parts.repaired();
    }
    if (result.kind === "disk_fault") return this.#parts.diskFailed(result.fault);
    this.#isOutdated = this.#mends < MENDS_MAX;
    if (this.#isOutdated) return this.#parts.repaired(); // It is looked at again, and more may be missing now.
    this.#giveUp(mending.refusal);
  }

  /** From here on the replica cannot prove what it promised: its vote goes first. Without peers nothing is given up. */
  #giveUp(refusal: RecoveryRefusal): void {
    const isAlone = this.#parts.peers.length === 0;
    if (isAlone || this.#tried === "start_over") return this.#parts.hopeless(refusal.error);
    this.#tried = nextStep(this.#tried, refusal);
    const step = this.#tried;
    this.#parts.log.warn(givingUpLine(step, refusal.error));
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
  /** When more came than ever before. */
  sinceMs: number;
  /** Whose answer is waited for. */
  asked: bigint | undefined;
  askedMs = 0;
  turn = -1;
  refusals = 0;
  /** Who has answered, since more came than ever before, with nothing of use. */
  readonly refusedBy = new Set<bigint>();
  requestId = 0n;
  readonly #holes: readonly LogHole[];
  /** Hole by hole. */
  readonly #parts: Uint8Array[][];
  #hole = 0;
  #op = 0n;
  #hash = 0n;
  /** The last op that came in this hole, true or not: what comes again is no progress. */
  #highestOp = 0n;

  constructor(refusal: RecoveryRefusal, holes: readonly LogHole[], nowMs: number) {
    this.refusal = refusal;
    this.sinceMs = nowMs;
    this.#holes = holes;
    this.#parts = holes.map(() => []);
    this.restartHole();
  }

  get isComplete(): boolean {
    return this.#hole === this.#holes.length;
  }

  get frames(): Uint8Array[] {
    return this.#parts.map(joined);
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

  /** What came for this hole did not lead to its end. */
  restartHole(): void {
    const hole = this.#holes[this.#hole];
    if (hole === undefined) return;
    this.#parts[this.#hole] = [];
    this.#op = hole.firstOp - 1n;
    this.#hash = hole.previousHash;
  }

  /** Takes as many frames as follow and the hole has room for; false when nothing came of it. */
  take(bytes: Uint8Array, nowMs: number): boolean {
    const hole = this.#holes[this.#hole]!;
    let end = 0;
    for (let frame = frameAt(bytes, 0); frame !== undefined; frame = frameAt(bytes, end)) {
      if (frame.op !== this.#op + 1n || frame.op > hole.lastOp) break;
      if (previousHashOf(bytes.subarray(frame.at)) !== this.#hash) break;
      end = frame.end;
      this.#op = frame.op;
      this.#hash = hashOf(bytes, frame);
    }
    if (end === 0) return false;
    this.#parts[this.#hole]!.push(bytes.slice(0, end));
    if (this.#op > this.#highestOp) {
      this.#highestOp = this.#op;
      this.sinceMs = nowMs;
      this.refusedBy.clear();
    }
    return this.#op < hole.lastOp || this.#endHole(hole);
  }

  #endHole(hole: LogHole): boolean {
    const isRight = this.#hash === hole.hashAfter;
    if (isRight) this.#hole++;
    this.restartHole();
    return isRight;
  }
}

function nextStep(tried: Step | undefined, refusal: RecoveryRefusal): Step {
  if (refusal.failure === "snapshot_file" || refusal.failure === "snapshot") return "start_over";
  if (tried === undefined || tried === "mend") {
    return refusal.damage?.prefixTip === undefined ? "reset" : "truncate";
  }
  return tried === "truncate" ? "reset" : "start_over";
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
