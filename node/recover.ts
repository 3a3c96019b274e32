/** From files to a running engine: newest good snapshot, then every later entry of the log, by the live apply path. */
import { createCommand } from "../core/command.ts";
import { codecErrorName } from "../core/command_codec.ts";
import { type CoreConfig, U64_MAX } from "../core/config.ts";
import { type FrameCursor, FrameKind } from "../core/log_frame.ts";
import { chainHash } from "../core/log_hash.ts";
import { createTip, moveTip, type Tip, TipWord } from "../core/log_tip.ts";
import { createOutcome, ResultCode } from "../core/outcome.ts";
import { applyEntry } from "../core/replay.ts";
import { createEngine, type Engine, Position, POSITION_WORDS } from "../core/state.ts";
import { copyU64, readU64, writeU64 } from "../core/words.ts";
import { configFingerprint } from "./config/text.ts";
import { type Disk, DiskFault } from "./disk.ts";
import type { RecoveryFailureClass } from "./log_lines.ts";
import { type LogRecovery, recoverLog, type RecoveryFacts, salvageLog } from "./log/recovery.ts";
import type { LogVisitor } from "./log/replay.ts";
import { isUnreadable } from "./log/rescue.ts";
import type { LogDamage } from "./log/salvage.ts";
import type { LogOptions, LogWriter } from "./log/store.ts";
import type { StartupFacts } from "./node.ts";
import type { SnapshotHeader, SnapshotIdentity } from "./snapshot/format.ts";
import { RestoringSink } from "./snapshot/restore.ts";
import { loadSnapshot, type SnapshotError } from "./snapshot/reader.ts";
import { removeSnapshotTemporary, snapshotBytesMax } from "./snapshot/store.ts";

/** What to recover, and how. */
export interface RecoverParts {
  readonly disk: Disk;
  readonly clusterId: Uint8Array;
  readonly core: CoreConfig;
  readonly hashSeed: number;
  readonly logOptions: LogOptions;
  /** Whether a directory without a log is a new one. */
  readonly expectFresh: boolean;
  /** The last op that is known to be committed; entries behind it stay unapplied. All are, if not given. */
  readonly applyThrough?: bigint;
  /**
   * Whether a log that ends before the snapshot is given up for it. Entries behind the snapshot may be lost then, so only
   * a replica may do this, and it must ask its peers before it counts again.
   */
  readonly mayRestartLog?: boolean;
}

/** A recovered engine and the log behind it. */
export interface Recovered {
  readonly kind: "recovered";
  readonly engine: Engine;
  readonly writer: LogWriter;
  /** The last applied entry. */
  readonly tip: Tip;
  readonly identity: SnapshotIdentity;
  readonly startup: StartupFacts;
  /** The snapshot it started from. */
  readonly snapshot: SnapshotHeader | undefined;
  /** What is wrong with a newer snapshot than the one loaded. */
  readonly damagedSnapshot: string | undefined;
  readonly facts: RecoveryFacts;
  /** Whether the log ended before the snapshot and was given up. */
  readonly isLogRestarted: boolean;
}

/** Why the data must not be served; nothing on the disk was changed. */
export interface RecoveryRefusal {
  readonly kind: "refused";
  readonly failure: RecoveryFailureClass;
  /** File and reason, for operators. */
  readonly error: string;
  /** Set when it was the environment that failed. */
  readonly fault: DiskFault | undefined;
  /** Whether a sound file has a format version that this program does not read. */
  readonly isOtherVersion: boolean;
  /** Whether the log's bytes are damaged. */
  readonly isLogCorrupt: boolean;
  /** What a damaged log still holds, for a replica that can ask its peers. */
  readonly damage: LogDamage | undefined;
  /** Where a new log would go on behind the snapshot, if there is a good one. */
  readonly snapshotTip: Tip | undefined;
}

/**
 * Recovers one node.
 *
 * @param parts What to recover.
 * @returns The engine at the end of the log, or why there is none.
 */
export function recover(parts: RecoverParts): Recovered | RecoveryRefusal {
  try {
    const result = recoverFiles(parts);
    if (result.kind === "recovered" || !parts.mayRestartLog) return result;
    return lookInto(parts, result);
  } catch (error) {
    if (error instanceof DiskFault) return refuse("wal_file", error.message, error);
    throw error;
  }
}

function recoverFiles(parts: RecoverParts): Recovered | RecoveryRefusal {
  const { disk, core, clusterId } = parts;
  const fingerprint = configFingerprint(core);
  const identity = { clusterId, shardId: core.shardId, fingerprint };
  const loaded = restoreSnapshot(parts, identity);
  if (loaded.kind === "refused") return loaded;
  const shardId = new Uint32Array(2);
  writeU64(shardId, 0, core.shardId);
  const replay = new Replay(loaded.engine, loaded.header, parts);
  const options = { ...parts.logOptions, expectFresh: parts.expectFresh };
  const logIdentity = { clusterId, shardId, configFingerprint: fingerprint };
  const log = recoverLog(disk, logIdentity, options, replay);
  if (log.kind !== "recovered") {
    // The log may begin behind the older generation: only the newer one, if it can be read later, leads up to it.
    const unread = log.kind === "rejected" ? unreadable(loaded.damaged) : undefined;
    if (unread !== undefined && parts.mayRestartLog) return unread;
    const snapshotTip = loaded.header && tipOfSnapshot(loaded.header);
    return { ...describeLogFailure(log, replay), snapshotTip };
  }
  removeSnapshotTemporary(disk);
  const restartTip = replay.isBehindSnapshot ? tipOfSnapshot(loaded.header!) : undefined;
  if (restartTip !== undefined) {
    const fault = log.writer.restartAt(restartTip);
    if (fault !== undefined) return refuse("wal_file", fault.message, fault);
  }
  return {
    kind: "recovered",
    engine: loaded.engine,
    writer: log.writer,
    tip: restartTip ?? replay.appliedTip(log.facts.tip),
    isLogRestarted: restartTip !== undefined,
    identity,
    startup: replay.startup(),
    snapshot: loaded.header,
    damagedSnapshot: loaded.damaged?.message,
    facts: log.facts,
  };
}

/** A replica's damaged log is looked into: it may be whole but for files that it does not need. */
function lookInto(parts: RecoverParts, refusal: RecoveryRefusal): Recovered | RecoveryRefusal {
  const { fault } = refusal;
  const cannotRead = fault !== undefined && refusal.failure === "wal_file" && isUnreadable(fault);
  if (!refusal.isLogCorrupt && !cannotRead) return refusal;
  const { disk, core, clusterId } = parts;
  const shardId = new Uint32Array(2);
  writeU64(shardId, 0, core.shardId);
  const identity = { clusterId, shardId, configFingerprint: configFingerprint(core) };
  const { snapshotTip } = refusal;
  const coveredOp = snapshotTip === undefined ? 0n : readU64(snapshotTip, TipWord.op);
  const options = { ...parts.logOptions, expectFresh: false, coveredOp };
  const blind = { begin: () => undefined, frame: () => undefined };
  const log = salvageLog(disk, identity, options, blind);
  if (log.kind === "damaged") {
    // A disk that cannot read now may read later: nothing is given up for that, only mended.
    if (cannotRead && log.provenTip === undefined) return refusal;
    return { ...refusal, fault: undefined, damage: log };
  }
  if (log.kind !== "recovered") return refusal;
  log.writer.close();
  return recoverFiles(parts);
}

interface Loaded {
  readonly kind: "loaded";
  readonly engine: Engine;
  readonly header: SnapshotHeader | undefined;
  /** What is wrong with a newer snapshot than the one loaded. */
  readonly damaged: SnapshotError | undefined;
}

function restoreSnapshot(
  parts: RecoverParts,
  identity: SnapshotIdentity,
): Loaded | RecoveryRefusal {
  const { core, hashSeed } = parts;
  const result = loadSnapshot(
    parts.disk,
    identity,
    snapshotBytesMax(core),
    (header) => new RestoringSink(core, hashSeed, header),
  );
  switch (result.kind) {
    case "none": {
      const engine = createEngine(core, { hashSeed });
      return { kind: "loaded", engine, header: undefined, damaged: undefined };
    }
    case "loaded": {
      const { header, sink, damaged } = result;
      return { kind: "loaded", engine: sink.engine!, header, damaged };
    }
    case "refused": {
      const { kind, file, message } = result.refusal;
      if (kind === "unsupported_version") {
        return refuseVersion("snapshot_file", `${file}: ${message}`);
      }
      return refuse("config", `${file}: ${message}`);
    }
    default: {
      const unread = unreadable(...result.errors);
      if (unread !== undefined && parts.mayRestartLog) return unread;
      const text = result.errors.map((error) => `${error.file}: ${error.message}`).join("; ");
      const semantic = result.errors.every((error) => error.kind === "content_refused");
      return refuse(semantic ? "snapshot" : "snapshot_file", text);
    }
  }
}

/** A replica gives up nothing for a snapshot that the disk cannot read now: it may later. */
function unreadable(
  ...errors: readonly (SnapshotError | undefined)[]
): RecoveryRefusal | undefined {
  const fault = errors.find((error) => error?.fault !== undefined)?.fault;
  return fault && refuse("snapshot_file", fault.message, fault);
}

/** Feeds the log to the engine; refuses what cannot follow the snapshot. */
class Replay implements LogVisitor {
  /** Which class of failure a refusal of ours is. */
  failure: RecoveryFailureClass = "wal_file";
  readonly #engine: Engine;
  readonly #snapshot: SnapshotHeader | undefined;
  readonly #snapshotOp: bigint;
  readonly #command;
  readonly #outcome = createOutcome();
  readonly #position = new Uint32Array(POSITION_WORDS);
  readonly #hash = new Uint32Array(2);
  /** Up to where entries are applied, once one was not. */
  #applied: Tip | undefined;
  readonly #before: Tip = createTip();
  readonly #applyThrough: bigint | undefined;
  readonly #mayRestartLog: boolean;
  /** Whether the log ended before the snapshot, and may. */
  isBehindSnapshot = false;
  /** Entries behind the snapshot, applied or waiting to hear that they are committed. */
  #frames = 0;
  readonly #lastLsn = new Uint32Array(2);
  #skipping: boolean;

  constructor(engine: Engine, snapshot: SnapshotHeader | undefined, parts: RecoverParts) {
    this.#engine = engine;
    this.#applyThrough = parts.applyThrough;
    this.#mayRestartLog = parts.mayRestartLog ?? false;
    this.#snapshot = snapshot;
    this.#snapshotOp = snapshot?.op ?? 0n;
    this.#skipping = this.#snapshotOp > 0n;
    this.#command = createCommand(engine.config.maxBundleSize);
  }

  begin(base: Tip): string | undefined {
    this.#before.set(base);
    const baseOp = readU64(base, TipWord.op);
    if (baseOp > this.#snapshotOp) {
      return `the log starts at op ${
        baseOp + 1n
      } but the snapshot reaches only op ${this.#snapshotOp}`;
    }
    if (baseOp < this.#snapshotOp) return undefined;
    this.#skipping = false;
    return this.#matches(readU64(base, TipWord.hash));
  }

  frame(frame: FrameCursor): string | undefined {
    if (this.#skipping) return this.#skip(frame);
    this.#frames++;
    copyU64(this.#lastLsn, 0, frame.words, frame.lsnAt);
    if (this.#isUncertain(frame)) return undefined;
    copyU64(this.#position, Position.lsn, frame.words, frame.lsnAt);
    copyU64(this.#position, Position.slot, frame.words, frame.slotAt);
    const internal = frame.kind === FrameKind.internal_command;
    if (!internal && frame.kind !== FrameKind.client_command) return undefined;
    const at = frame.payloadAt;
    const failed = applyEntry(
      this.#engine,
      internal,
      frame.data,
      at,
      at + frame.payloadBytes,
      this.#position,
      this.#command,
      this.#outcome,
    );
    if (failed !== 0) return this.#fail("command_codec", codecErrorName(failed));
    if (this.#outcome.code !== ResultCode.slot_overflow) return undefined;
    return this.#fail("replay", "slot overflow");
  }

  /** The log must go at least as far as the snapshot. */
  end(tip: Tip): string | undefined {
    const op = readU64(tip, TipWord.op);
    if (op >= this.#snapshotOp) return undefined;
    this.isBehindSnapshot = this.#mayRestartLog;
    if (this.#mayRestartLog) return undefined;
    return `the log ends at op ${op} but the snapshot reaches op ${this.#snapshotOp}`;
  }

  /**
   * The last applied entry.
   *
   * @param tip The log's last entry.
   */
  appliedTip(tip: Tip): Tip {
    return (this.#applied ?? tip).slice();
  }

  startup(): StartupFacts {
    const loaded = this.#snapshot !== undefined;
    const replayed = this.#frames > 0;
    const kinds = ["fresh_start", "wal_only", "snapshot_only", "snapshot_and_wal"] as const;
    const lsn = this.#snapshot?.lsn ?? 0n;
    return {
      startupKind: kinds[(loaded ? 2 : 0) + (replayed ? 1 : 0)]!,
      loadedSnapshotLsn: lsn === 0n ? undefined : lsn,
      replayedWalFrameCount: this.#frames,
      replayedWalLastLsn: replayed ? readU64(this.#lastLsn, 0) : undefined,
    };
  }

  /** Whether nothing says that an entry is committed; the first such entry names the hash of the one before it. */
  #isUncertain(frame: FrameCursor): boolean {
    if (this.#applied !== undefined) return true;
    const { words } = frame;
    const through = this.#applyThrough;
    if (through === undefined || readU64(words, frame.opAt) <= through) {
      copyU64(this.#before, TipWord.op, words, frame.opAt);
      copyU64(this.#before, TipWord.lsn, words, frame.lsnAt);
      copyU64(this.#before, TipWord.slot, words, frame.slotAt);
      copyU64(this.#before, TipWord.view, words, frame.viewAt);
      return false;
    }
    copyU64(this.#before, TipWord.hash, words, frame.previousHashAt);
    this.#applied = this.#before;
    return true;
  }

  #skip(frame: FrameCursor): string | undefined {
    if (readU64(frame.words, frame.opAt) < this.#snapshotOp) return undefined;
    this.#skipping = false;
    moveTip(this.#before, frame.words, frame.at >>> 2);
    chainHash(frame.words, frame.at >>> 2, this.#hash, 0);
    return this.#matches(readU64(this.#hash, 0));
  }

  #matches(hash: bigint): string | undefined {
    if (this.#snapshot === undefined || hash === this.#snapshot.chainHash) return undefined;
    return "the log's history is not the snapshot's";
  }

  #fail(failure: RecoveryFailureClass, why: string): string {
    this.failure = failure;
    return why;
  }
}

/**
 * Where a log goes on behind a snapshot.
 *
 * @param header The snapshot's.
 * @returns The tip of the log that it is of.
 */
export function tipOfSnapshot(header: SnapshotHeader): Tip {
  const tip = createTip();
  writeU64(tip, TipWord.op, header.op);
  writeU64(tip, TipWord.lsn, header.lsn);
  writeU64(tip, TipWord.slot, header.requestSlot);
  writeU64(tip, TipWord.view, header.view);
  writeU64(tip, TipWord.hash, header.chainHash);
  return tip;
}

/** Damage that is about order rather than about bytes. */
const ORDER_ERRORS: readonly string[] = [
  "non_contiguous_op",
  "non_contiguous_lsn",
  "rewound_request_slot",
  "rewound_view",
];

/** Damage that is about whose log it is. */
const IDENTITY_ERRORS: readonly string[] = [
  "foreign_cluster",
  "foreign_shard",
  "configuration_mismatch",
];

function describeLogFailure(
  log: Exclude<LogRecovery, { kind: "recovered" }>,
  replay: Replay,
): RecoveryRefusal {
  switch (log.kind) {
    case "missing_log":
      return refuse("wal_file", "the log is missing: no segment is there");
    case "rejected":
      return refuse(replay.failure, `${log.file} at byte ${log.at}: ${log.why}`);
    case "disk_fault":
      return refuse("wal_file", log.fault.message, log.fault);
    case "corruption": {
      const text = `${log.file} at byte ${log.at}: ${log.error}`;
      if (log.error === "invalid_version") return refuseVersion("wal_file", text);
      if (IDENTITY_ERRORS.includes(log.error)) return refuse("config", text);
      const failure = ORDER_ERRORS.includes(log.error) ? "replay" : "wal_file";
      return { ...refuse(failure, text), isLogCorrupt: true };
    }
  }
}

function refuse(failure: RecoveryFailureClass, error: string, fault?: DiskFault): RecoveryRefusal {
  return {
    kind: "refused",
    failure,
    error,
    fault,
    isOtherVersion: false,
    isLogCorrupt: false,
    damage: undefined,
    snapshotTip: undefined,
  };
}

function refuseVersion(failure: RecoveryFailureClass, error: string): RecoveryRefusal {
  return { ...refuse(failure, error), isOtherVersion: true };
}

/** Slots far beyond any clock: for hosts that give every slot themselves. */
export const ANY_SLOT_LEAD: bigint = U64_MAX;
