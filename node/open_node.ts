/** Puts a node together over recovered data. */
import type { CoreConfig, EngineConfig } from "../core/config.ts";
import { type Tip, TipWord } from "../core/log_tip.ts";
import { Progress } from "../core/state.ts";
import { readU64 } from "../core/words.ts";
import { Checkpointer } from "./checkpoint.ts";
import type { Disk } from "./disk.ts";
import { Executor } from "./executor.ts";
import { Expiration } from "./expiration.ts";
import { FlushLoop } from "./flush_loop.ts";
import { type NodeLog, recoveryComplete, recoveryFailed } from "./log_lines.ts";
import type { LogOptions } from "./log/store.ts";
import { Node } from "./node.ts";
import { recover, type Recovered, type RecoveryRefusal } from "./recover.ts";
import { ALONE, Driver, type ReplicaOutside } from "./replica/driver.ts";
import { NO_MEMORY, type ReplicaMemory } from "./replica/memory.ts";
import { type Clock, SlotClock } from "./slot_clock.ts";
import { SNAPSHOT_FILE } from "./snapshot/store.ts";
import { ACTIVE_SEGMENT } from "./log/files.ts";
import type { ProtocolOptions } from "./vsr/protocol.ts";
import { DEFAULT_TIMING } from "./vsr/timing.ts";

/** What a node needs besides when it is one of several replicas. */
export interface NodeReplication {
  readonly memory: ReplicaMemory;
  readonly outside: ReplicaOutside;
  /** Everything up to here was committed once. */
  readonly commitOpHint: bigint;
  /** The protocol's start; where the log stands comes from the log. */
  protocol(recovered: Recovered): Omit<ProtocolOptions, "log" | "slot">;
}

/** Everything a node needs from outside. */
export interface NodeOptions {
  readonly disk: Disk;
  /** What operators call the disk's directory, for log lines. */
  readonly directory?: string;
  /** 16 bytes. */
  readonly clusterId: Uint8Array;
  readonly replicaId: bigint;
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
  readonly clock: Clock;
  /** Runs a task in a later turn of the event loop. */
  readonly later: (task: () => void) => void;
  /** Runs a task once what has arrived in this turn is taken in, for group commit; `later` if not given. */
  readonly atEndOfTurn?: (task: () => void) => void;
  readonly log: NodeLog;
  /** Perturbs the layout of indexes; random in production. */
  readonly hashSeed: number;
  /** Whether a directory without a log is a new one. */
  readonly expectFresh: boolean;
  /** How far an explicit slot may be ahead of the clock, in slots; 100 if not given. */
  readonly slotLeadMax?: bigint;
  /** Length of a log segment in bytes; 64 MiB if not given. */
  readonly segmentBytes?: number;
  /** Most bytes of one batch; the log's default if not given. */
  readonly batchBytes?: number;
  /** Told how long each write and sync of a batch took, in milliseconds. */
  readonly onSync?: (ms: number) => void;
  /** Absent for a node without others. */
  readonly replication?: NodeReplication;
}

/** Length of a log segment, unless told otherwise. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
const SLOT_LEAD_MAX = 100n;
/** Largest payload of a frame: fixed, so that a smaller `max_command_bytes` never makes an old log unreadable. */
const PAYLOAD_BYTES_MAX = 1024 * 1024;
/** Most bytes of one batch: a full submission queue of ordinary commands fits. */
const BATCH_BYTES_MAX = 16 * 1024 * 1024;
/** What a segment needs besides one frame's payload. */
const SEGMENT_OVERHEAD_BYTES = 1024;

/**
 * Recovers a data directory's state and puts a node over it.
 *
 * @param options The directory and the outside world.
 * @returns The node, or why the data must not be served.
 */
export function openNode(options: NodeOptions): Node | RecoveryRefusal {
  const { disk, clusterId, core, hashSeed, expectFresh, log } = options;
  const logOptions = logOptionsOf(options);
  const applyThrough = options.replication?.commitOpHint;
  const recovered = recover({
    disk,
    clusterId,
    core,
    hashSeed,
    logOptions,
    expectFresh,
    ...(applyThrough === undefined ? {} : { applyThrough, mayRestartLog: true }),
  });
  if (recovered.kind === "refused") {
    const place = options.directory === undefined ? "" : `${options.directory}/`;
    const paths = { snapshot: place + SNAPSHOT_FILE, wal: place + ACTIVE_SEGMENT };
    log.error(recoveryFailed(recovered.failure, paths, recovered.error));
    return recovered;
  }
  const { startup, snapshot, damagedSnapshot, facts } = recovered;
  if (damagedSnapshot !== undefined) {
    log.warn(`newest snapshot is damaged, used the previous: ${damagedSnapshot}`);
  }
  if (facts.stop.kind === "torn_tail") {
    log.warn("repaired a torn tail: nothing in it was acknowledged");
  }
  log.info(recoveryComplete({ loadedSnapshot: snapshot !== undefined, ...startup }));
  return assemble(options, recovered);
}

/**
 * Sizes of a node's log.
 *
 * @param segmentBytes Length of a segment.
 * @returns What the log is opened with.
 */
export function logSizes(segmentBytes: number = SEGMENT_BYTES): LogOptions {
  const room = segmentBytes - SEGMENT_OVERHEAD_BYTES;
  const maxPayloadBytes = Math.min(PAYLOAD_BYTES_MAX, room);
  return { segmentBytes, maxPayloadBytes, batchBytes: BATCH_BYTES_MAX, retain: true };
}

function logOptionsOf(options: NodeOptions): LogOptions {
  const { batchBytes, segmentBytes } = options;
  return { ...logSizes(segmentBytes), ...(batchBytes === undefined ? {} : { batchBytes }) };
}

function assemble(options: NodeOptions, recovered: Recovered): Node {
  const { engine, writer, tip, identity, startup, snapshot, damagedSnapshot } = recovered;
  const { clock, later, log, disk } = options;
  const lastSlot = readU64(engine.progress, Progress.lastSlot);
  const slots = new SlotClock(clock, options.core.slotDurationMs, lastSlot);
  const nowMs = () => clock.nowMs();
  const flush = new FlushLoop({
    writer,
    nowMs,
    atEndOfTurn: options.atEndOfTurn ?? later,
    ...(options.onSync === undefined ? {} : { onSync: options.onSync }),
  });
  const executor: Executor = new Executor({
    engine,
    config: options.engine,
    writer,
    flush,
    slots,
    tip,
    log,
    slotLeadMax: options.slotLeadMax ?? SLOT_LEAD_MAX,
    later,
    primary: () => driver.primary,
  });
  const driver: Driver = new Driver({
    executor,
    writer,
    flush,
    slots,
    memory: options.replication?.memory ?? NO_MEMORY,
    outside: options.replication?.outside ?? ALONE,
    protocol: options.replication?.protocol(recovered) ?? alone(options.replicaId, tip),
    nowMs,
  });
  const loaded = snapshot === undefined ? undefined : { op: snapshot.op, lsn: snapshot.lsn };
  const newestIsDamaged = damagedSnapshot !== undefined;
  const parts = { disk, executor, writer, identity, log, nowMs, later, loaded, newestIsDamaged };
  const { clusterId, replicaId, core } = options;
  const node = new Node({
    identity: { clusterId, replicaId, core, engine: options.engine },
    executor,
    expiration: new Expiration(executor, options.engine.maxExpirationsPerTick, log),
    checkpointer: new Checkpointer(parts),
    writer,
    slots,
    startup,
    driver,
  });
  if (options.replication === undefined) driver.take({ kind: "start" });
  return node;
}

/** A cluster of one: whatever is durable is committed. */
function alone(replicaId: bigint, tip: Tip): Omit<ProtocolOptions, "log" | "slot"> {
  const view = readU64(tip, TipWord.view) || 1n;
  return {
    replicaId,
    members: [replicaId],
    timing: DEFAULT_TIMING,
    random: () => 0,
    view,
    logView: view,
    offer: undefined,
    commitOp: readU64(tip, TipWord.op),
    standing: "member",
    isManual: false,
  };
}
