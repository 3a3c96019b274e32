/** The log of a real replica, read from its files while nothing is being added to it. */
import { type FrameCursor, FrameKind } from "../../../core/log_frame.ts";
import { chainHash } from "../../../core/log_hash.ts";
import { type Tip, TipWord } from "../../../core/log_tip.ts";
import { readU64, writeU64 } from "../../../core/words.ts";
import type { ClusterLayout, ReplicaLayout } from "../../../cluster/workspace/layout.ts";
import { configFingerprint } from "../../../node/config/text.ts";
import { findSegments } from "../../../node/log/files.ts";
import { LogReplay, type LogVisitor } from "../../../node/log/replay.ts";
import { ReadDisk } from "../../../node/offline/read_disk.ts";
import type { MirrorFrame } from "../../../testbed/sim/judge/log_mirror.ts";

/** Largest payload that is read. */
const PAYLOAD_BYTES_MAX = 1024 * 1024;

/** What a replica's files hold of its log. */
export interface ReplicaLog {
  readonly replicaId: bigint;
  /** The op before the first of `frames`. */
  readonly baseOp: number;
  /** In the order of ops. */
  readonly frames: readonly MirrorFrame[];
}

/**
 * Reads what there is. The replica may run as long as it adds nothing.
 *
 * @param fromOp The first op that is wanted; the hash of its entry stands for all before it.
 * @throws {Error} When the files are damaged, or changed meanwhile.
 */
export function readReplicaLog(
  layout: ClusterLayout,
  replica: ReplicaLayout,
  fromOp: number,
): ReplicaLog {
  const disk = new ReadDisk(replica.directory);
  const { core } = layout.config;
  const shardId = new Uint32Array(2);
  writeU64(shardId, 0, core.shardId);
  const fingerprint = configFingerprint(core);
  const identity = { clusterId: layout.clusterId, shardId, configFingerprint: fingerprint };
  const found = findSegments(disk, identity);
  if (found.kind !== "found") throw new Error(`replica ${replica.id}: the log is ${found.kind}`);
  const collector = new Collector(fromOp);
  const replay = new LogReplay(disk, PAYLOAD_BYTES_MAX, collector, found.segments);
  const failure = replay.run();
  if (failure !== undefined) throw new Error(`replica ${replica.id}: ${JSON.stringify(failure)}`);
  return { replicaId: replica.id, baseOp: collector.baseOp, frames: collector.frames };
}

class Collector implements LogVisitor {
  baseOp = 0;
  readonly frames: MirrorFrame[] = [];
  readonly #fromOp: number;
  readonly #hash = new Uint32Array(2);

  constructor(fromOp: number) {
    this.#fromOp = fromOp;
  }

  begin(base: Tip): undefined {
    this.baseOp = Math.max(Number(readU64(base, TipWord.op)), this.#fromOp - 1);
  }

  frame(frame: FrameCursor): undefined {
    const { words, at, kind, bytes, payloadAt } = frame;
    const op = Number(readU64(words, frame.opAt));
    if (op < this.#fromOp) return;
    chainHash(words, at >>> 2, this.#hash, 0);
    this.frames.push({
      op,
      lsn: Number(readU64(words, frame.lsnAt)),
      slot: readU64(words, frame.slotAt),
      view: readU64(words, frame.viewAt),
      hash: readU64(this.#hash, 0),
      isCommand: kind === FrameKind.client_command || kind === FrameKind.internal_command,
      isInternal: kind === FrameKind.internal_command,
      payload: bytes.slice(payloadAt, payloadAt + frame.payloadBytes),
      writtenMs: 0,
      isDurable: true,
    });
  }
}
