/**
 * Files to a scratch engine, for checking: the same reader, order and apply path as a start, but nothing is
 * mended, nothing is written, and it stops at any op.
 */
import { createCommand } from "../../core/command.ts";
import { codecErrorName } from "../../core/command_codec.ts";
import type { CoreConfig } from "../../core/config.ts";
import { digest } from "../../core/digest.ts";
import { type FrameCursor, FrameKind } from "../../core/log_frame.ts";
import { chainHash } from "../../core/log_hash.ts";
import { TipWord } from "../../core/log_tip.ts";
import type { Tip } from "../../core/log_tip.ts";
import { createOutcome, ResultCode } from "../../core/outcome.ts";
import { applyEntry } from "../../core/replay.ts";
import { createEngine, type Engine, Position, POSITION_WORDS } from "../../core/state.ts";
import { copyU64, readU64, writeU64 } from "../../core/words.ts";
import { configFingerprint } from "../config/text.ts";
import type { Disk } from "../disk.ts";
import { findSegments } from "../log/files.ts";
import { LogReplay, type LogVisitor } from "../log/replay.ts";
import type { ReplicaMetadata } from "../metadata/codec.ts";
import type { SnapshotHeader } from "../snapshot/format.ts";
import { type BlockSink, loadSnapshot } from "../snapshot/reader.ts";
import { RestoringSink } from "../snapshot/restore.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE, snapshotBytesMax } from "../snapshot/store.ts";
import { OneSnapshot } from "./one_snapshot.ts";

/** Largest payload that any version writes. */
const PAYLOAD_BYTES_MAX = 1024 * 1024;

/** A state that was rebuilt from files. */
export interface ReplayedState {
  readonly op: bigint;
  readonly lsn: bigint;
  /** Chain hash at `op`. */
  readonly hash: bigint;
  readonly digest: bigint;
}

/** Damage, with the file and the place. */
export class DamagedData extends Error {
  override readonly name = "DamagedData";
}

/** Everything a log's frames say about its history. */
export interface History {
  /** The last frame before the first. */
  readonly baseOp: bigint;
  readonly baseHash: bigint;
  readonly tipOp: bigint;
  readonly tipHash: bigint;
  /** How the log ends. */
  readonly ends: "clean_eof" | "torn_tail";
  /** Chain hash at an op of the log, or at its base. */
  hashAt(op: bigint): bigint | undefined;
}

/**
 * Reads a whole log without applying it.
 *
 * @param disk The data directory.
 * @param metadata Its metadata.
 * @throws {DamagedData} When it cannot be read to its end.
 */
export function readHistory(disk: Disk, metadata: ReplicaMetadata): History {
  const hashes = new HashList();
  let base: Tip | undefined;
  const visitor: LogVisitor = {
    begin: (tip) => {
      base = tip.slice();
      return undefined;
    },
    frame: (frame) => {
      hashes.add(frame);
      return undefined;
    },
  };
  const replay = runLog(disk, metadata, visitor);
  const baseOp = readU64(base!, TipWord.op);
  const baseHash = readU64(base!, TipWord.hash);
  return {
    baseOp,
    baseHash,
    tipOp: readU64(replay.tip, TipWord.op),
    tipHash: readU64(replay.tip, TipWord.hash),
    ends: replay.stop.kind === "torn_tail" ? "torn_tail" : "clean_eof",
    hashAt: (op) => op === baseOp ? baseHash : hashes.at(op - baseOp - 1n),
  };
}

/**
 * Rebuilds the state at one op.
 *
 * @param disk The data directory.
 * @param metadata Its metadata.
 * @param toOp The last op to apply; the log goes at least so far.
 * @returns The state; `undefined` when every snapshot lies behind the op and the log begins behind them.
 * @throws {DamagedData} When the files do not lead there although they should.
 */
export function replayTo(
  disk: Disk,
  metadata: ReplicaMetadata,
  toOp: bigint,
): ReplayedState | undefined {
  const start = restore(disk, metadata, toOp);
  if (start.header === undefined && start.skipped) return undefined;
  const applier = new Applier(metadata.core, start, toOp);
  runLog(disk, metadata, applier);
  if (applier.op !== toOp) {
    throw new DamagedData(`the files lead to op ${applier.op}, not to op ${toOp}`);
  }
  const { engine } = start;
  return {
    op: toOp,
    lsn: readU64(engine.progress, 0),
    hash: applier.hash,
    digest: digest(engine),
  };
}

function runLog(disk: Disk, { clusterId, core }: ReplicaMetadata, visitor: LogVisitor): LogReplay {
  const shardId = new Uint32Array(2);
  writeU64(shardId, 0, core.shardId);
  const identity = { clusterId, shardId, configFingerprint: configFingerprint(core) };
  const found = findSegments(disk, identity);
  if (found.kind === "none") throw new DamagedData("the log is missing: no segment is there");
  if (found.kind === "corruption") {
    throw new DamagedData(`${found.file} at byte ${found.at}: ${found.error}`);
  }
  const replay = new LogReplay(disk, PAYLOAD_BYTES_MAX, visitor, found.segments);
  const failure = replay.run();
  if (failure === undefined) return replay;
  switch (failure.kind) {
    case "corruption":
      throw new DamagedData(`${failure.file} at byte ${failure.at}: ${failure.error}`);
    case "rejected":
      throw new DamagedData(`${failure.file} at byte ${failure.at}: ${failure.why}`);
    case "disk_fault":
      throw failure.fault;
    case "missing_log":
      throw new DamagedData("the log is missing");
  }
}

interface Restored {
  readonly engine: Engine;
  readonly header: SnapshotHeader | undefined;
  /** Whether there are snapshots that reach further than was asked for. */
  readonly skipped: boolean;
}

/** The newest sound snapshot that reaches no further, or an empty engine. */
function restore(disk: Disk, metadata: ReplicaMetadata, toOp: bigint): Restored {
  const { core, clusterId } = metadata;
  const identity = { clusterId, shardId: core.shardId, fingerprint: configFingerprint(core) };
  let skipped = false;
  for (const name of [SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE]) {
    const alone = new OneSnapshot(disk, name);
    const load = loadSnapshot(alone, identity, snapshotBytesMax(core), (header) => {
      return header.op > toOp ? new Skipped() : new RestoringSink(core, 0, header);
    });
    if (load.kind === "refused") throw new DamagedData(`${name}: ${load.refusal.message}`);
    if (load.kind !== "loaded") continue;
    const { sink, header } = load;
    if (sink instanceof RestoringSink) return { engine: sink.engine!, header, skipped };
    skipped = true;
  }
  return { engine: createEngine(core, { hashSeed: 0 }), header: undefined, skipped };
}

class Skipped implements BlockSink {
  accept(): undefined {}
  finish(): undefined {}
}

/** Applies what lies between a snapshot and an op; what lies outside is only read. */
class Applier implements LogVisitor {
  op: bigint;
  hash = 0n;
  readonly #engine: Engine;
  readonly #snapshot: SnapshotHeader | undefined;
  readonly #toOp: bigint;
  readonly #command;
  readonly #outcome = createOutcome();
  readonly #position = new Uint32Array(POSITION_WORDS);
  readonly #words = new Uint32Array(2);

  constructor(core: CoreConfig, { engine, header }: Restored, toOp: bigint) {
    this.#engine = engine;
    this.#snapshot = header;
    this.#toOp = toOp;
    this.op = header?.op ?? 0n;
    this.hash = header?.chainHash ?? 0n;
    this.#command = createCommand(core.maxBundleSize);
  }

  begin(base: Tip): string | undefined {
    const baseOp = readU64(base, TipWord.op);
    const reached = this.#snapshot?.op ?? 0n;
    if (baseOp > reached) {
      return `the log begins at op ${baseOp + 1n}, the snapshots reach op ${reached}`;
    }
    return baseOp === reached ? this.#join(readU64(base, TipWord.hash)) : undefined;
  }

  frame(frame: FrameCursor): string | undefined {
    const op = readU64(frame.words, frame.opAt);
    if (op > this.#toOp || (this.#snapshot !== undefined && op < this.#snapshot.op)) {
      return undefined;
    }
    chainHash(frame.words, frame.at >>> 2, this.#words, 0);
    const hash = readU64(this.#words, 0);
    if (op === this.#snapshot?.op) return this.#join(hash);
    this.op = op;
    this.hash = hash;
    return this.#apply(frame);
  }

  #join(hash: bigint): string | undefined {
    if (this.#snapshot === undefined) this.hash = hash;
    return this.hash === hash ? undefined : "the log's history is not the snapshot's";
  }

  #apply(frame: FrameCursor): string | undefined {
    const internal = frame.kind === FrameKind.internal_command;
    if (!internal && frame.kind !== FrameKind.client_command) return undefined;
    copyU64(this.#position, Position.lsn, frame.words, frame.lsnAt);
    copyU64(this.#position, Position.slot, frame.words, frame.slotAt);
    const at = frame.payloadAt;
    const end = at + frame.payloadBytes;
    const [command, outcome] = [this.#command, this.#outcome];
    const failed = applyEntry(
      this.#engine,
      internal,
      frame.data,
      at,
      end,
      this.#position,
      command,
      outcome,
    );
    if (failed !== 0) return codecErrorName(failed);
    return outcome.code === ResultCode.slot_overflow ? "slot overflow" : undefined;
  }
}

/** Chain hashes in order, eight bytes each. */
class HashList {
  #words = new Uint32Array(1_024);
  #count = 0;

  add(frame: FrameCursor): void {
    const at = this.#count * 2;
    if (at === this.#words.length) {
      const more = new Uint32Array(at * 2);
      more.set(this.#words);
      this.#words = more;
    }
    chainHash(frame.words, frame.at >>> 2, this.#words, at);
    this.#count++;
  }

  at(index: bigint): bigint | undefined {
    const i = Number(index);
    return i >= 0 && i < this.#count ? readU64(this.#words, i * 2) : undefined;
  }
}
