/** What a server says about itself, and how it says it. Source: docs/wire.md#status. */
import type { CoreConfig, EngineConfig } from "../../core/config.ts";
import type { Metrics, ReplicationView } from "../api.ts";
import { MessageType, TEXT_BYTES_MAX } from "./messages.ts";
import { readMetrics, writeMetrics } from "./metrics.ts";
import type { WireReader } from "./reader.ts";
import { readReplication, writeReplication } from "./replication.ts";
import type { WireWriter } from "./writer.ts";

const ENGINE_FIELDS = ["maxSubmissionQueue", "maxCommandBytes", "maxExpirationsPerTick"] as const;
const LIMIT_FIELDS = [
  "maxConnections",
  "maxFrameBytes",
  "maxBatchCommands",
  "maxInFlightCommands",
  "maxUnsentBytes",
] as const;
const TRAFFIC_FIELDS = [
  "connectionsOpen",
  "connectionsAccepted",
  "connectionsRefused",
  "connectionsFailed",
  "requests",
  "commands",
  "bytesReceived",
  "bytesSent",
] as const;
const MEMORY_FIELDS = ["rssBytes", "heapUsedBytes", "heapTotalBytes", "externalBytes"] as const;

/** Bounds of a server towards its clients. */
export interface ServerLimits {
  /** Connections open at once; further ones are closed unanswered. */
  readonly maxConnections: number;
  /** Largest frame body, in bytes, in either direction. */
  readonly maxFrameBytes: number;
  /** Commands in one submit request. */
  readonly maxBatchCommands: number;
  /** Unanswered commands of one connection above which it is not read from. */
  readonly maxInFlightCommands: number;
  /** Unsent reply bytes of one connection above which it is not read from. */
  readonly maxUnsentBytes: number;
}

/** What passed through a server since it started. */
export interface ServerTraffic {
  /** Open now. */
  readonly connectionsOpen: number;
  /** Accepted in all. */
  readonly connectionsAccepted: number;
  /** Closed at once because `maxConnections` were open. */
  readonly connectionsRefused: number;
  /** Closed for breaking the protocol or a deadline. */
  readonly connectionsFailed: number;
  /** Requests taken in. */
  readonly requests: number;
  /** Commands in those requests. */
  readonly commands: number;
  /** Bytes read from sockets. */
  readonly bytesReceived: number;
  /** Bytes that the system has taken. */
  readonly bytesSent: number;
}

/** Memory of the server's process, in bytes. */
export interface ServerMemory {
  /** Resident set. */
  readonly rssBytes: number;
  /** JavaScript heap in use. */
  readonly heapUsedBytes: number;
  /** JavaScript heap reserved. */
  readonly heapTotalBytes: number;
  /** Outside the heap: tables and buffers. */
  readonly externalBytes: number;
}

/** Everything a server knows about itself. */
export interface ServerStatus {
  /** 16 bytes, made once when the data directory was. */
  readonly clusterId: Uint8Array;
  /** Which replica of the cluster. */
  readonly replicaId: bigint;
  /** Of the server's program. */
  readonly version: string;
  /** Since the server began to listen. */
  readonly uptimeMs: number;
  /** The node's slot. */
  readonly currentSlot: bigint;
  /** Bounds fixed with the data. */
  readonly core: CoreConfig;
  /** Bounds of the node. */
  readonly engine: EngineConfig;
  /** Bounds towards clients. */
  readonly limits: ServerLimits;
  /** What passed through. */
  readonly traffic: ServerTraffic;
  /** Of the process. */
  readonly memory: ServerMemory;
  /** The node's figures. */
  readonly metrics: Metrics;
  /** How it stands among the replicas of its cluster; absent where it is alone. */
  readonly replication?: ReplicationView | undefined;
}

/** `[17, request_id, identity, core, engine, limits, traffic, memory, metrics]`, and replication in a cluster. */
export function writeStatusReply(out: WireWriter, requestId: bigint, status: ServerStatus): void {
  const frame = out.beginFrame();
  out.array(status.replication === undefined ? 9 : 10);
  out.small(MessageType.status_reply);
  out.u64(requestId);
  out.array(5);
  out.bytes16(status.clusterId);
  out.u64(status.replicaId);
  out.text(status.version, TEXT_BYTES_MAX);
  out.u64(Math.max(0, Math.round(status.uptimeMs)));
  out.u64(status.currentSlot);
  writeCore(out, status.core);
  writeAll(out, ENGINE_FIELDS, status.engine);
  writeAll(out, LIMIT_FIELDS, status.limits);
  writeAll(out, TRAFFIC_FIELDS, status.traffic);
  writeAll(out, MEMORY_FIELDS, status.memory);
  writeMetrics(out, status.metrics);
  if (status.replication !== undefined) writeReplication(out, status.replication);
  out.endFrame(frame);
}

/**
 * Reads what follows the request id of a status reply.
 *
 * @param reader Behind the request id.
 * @param elements What the head of the message said.
 * @returns The status; meaningless when the reader has failed.
 */
export function readStatusReply(reader: WireReader, elements: number): ServerStatus {
  reader.require(elements === 9 || elements === 10);
  reader.array(5);
  return {
    clusterId: reader.bytes16(),
    replicaId: reader.u64(),
    version: reader.text(TEXT_BYTES_MAX),
    uptimeMs: reader.count(),
    currentSlot: reader.u64(),
    core: readCore(reader),
    engine: readAll(reader, ENGINE_FIELDS),
    limits: readAll(reader, LIMIT_FIELDS),
    traffic: readAll(reader, TRAFFIC_FIELDS),
    memory: readAll(reader, MEMORY_FIELDS),
    metrics: readMetrics(reader),
    replication: elements === 10 ? readReplication(reader) : undefined,
  };
}

function writeCore(out: WireWriter, core: CoreConfig): void {
  out.array(10);
  out.u64(core.shardId);
  out.u64(core.maxResources);
  out.u64(core.maxReservations);
  out.u64(core.maxOperations);
  out.u64(core.maxBundleSize);
  out.u64(core.maxTtlSlots);
  out.u64(core.maxExpirationBucketLen);
  out.u64(core.reservationHistoryWindowSlots);
  out.u64(core.maxClientRetryWindowSlots);
  out.u64(core.slotDurationMs);
}

function readCore(reader: WireReader): CoreConfig {
  reader.array(10);
  return {
    shardId: reader.u64(),
    maxResources: reader.count(),
    maxReservations: reader.count(),
    maxOperations: reader.count(),
    maxBundleSize: reader.count(),
    maxTtlSlots: reader.u64(),
    maxExpirationBucketLen: reader.count(),
    reservationHistoryWindowSlots: reader.u64(),
    maxClientRetryWindowSlots: reader.u64(),
    slotDurationMs: reader.count(),
  };
}

/** Counts only, in the order of `fields`. */
function writeAll<Name extends string>(
  out: WireWriter,
  fields: readonly Name[],
  values: Readonly<Record<Name, number>>,
): void {
  out.array(fields.length);
  for (const field of fields) out.u64(values[field]);
}

function readAll<Name extends string>(
  reader: WireReader,
  fields: readonly Name[],
): Record<Name, number> {
  reader.array(fields.length);
  return Object.fromEntries(fields.map((field) => [field, reader.count()])) as Record<Name, number>;
}
