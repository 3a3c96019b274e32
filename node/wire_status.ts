/** What a server says about itself. Source: docs/wire.md#status. */
import type { CoreConfig, EngineConfig } from "../core/config.ts";
import type { Metrics } from "./api.ts";

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
  readonly connectionsOpen: number;
  readonly connectionsAccepted: number;
  /** Closed at once because `maxConnections` were open. */
  readonly connectionsRefused: number;
  /** Closed for breaking the protocol or a deadline. */
  readonly connectionsFailed: number;
  readonly requests: number;
  readonly commands: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** Memory of the server's process, in bytes. */
export interface ServerMemory {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
}

/** Everything a server knows about itself. */
export interface ServerStatus {
  readonly clusterId: Uint8Array;
  readonly replicaId: bigint;
  readonly version: string;
  readonly uptimeMs: number;
  readonly currentSlot: bigint;
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
  readonly limits: ServerLimits;
  readonly traffic: ServerTraffic;
  readonly memory: ServerMemory;
  readonly metrics: Metrics;
}
