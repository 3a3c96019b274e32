/**
 * AllocDB as a library: the client for a running server, and the engine in memory for programs that want
 * the allocator without a network or a disk.
 *
 * ```ts ignore
 * import { AllocDbClient } from "@allocdb/allocdb";
 *
 * await using db = await AllocDbClient.connect({ address: "127.0.0.1:7100" });
 * const claim = await db.reserve({ resourceId: 21n, holderId: 7n, ttlMs: 600_000 });
 * if (claim.kind === "committed" && claim.ok) console.log(claim.reservationId, claim.epoch);
 * ```
 *
 * @module
 */

// The client.
export { AllocDbClient, type ReadOptions, type SlotOptions } from "./node/client/client.ts";
export {
  type CallOptions,
  type ClientCommand,
  type CommandBase,
  type Committed,
  type ConnectOptions,
  type CreateResource,
  type HolderAction,
  type NotSent,
  type OperatorAction,
  type Rejected,
  type Reserve,
  type ReserveBundle,
  type ServerInfo,
  type SubmitResult,
  TransportError,
  type TransportErrorCode,
  type Ttl,
  type Unknown,
  type WriteOptions,
} from "./node/client/types.ts";
export type { ClusterHello, Member } from "./node/wire/cluster.ts";
export type { TickReply } from "./node/wire/replies.ts";
export type {
  ServerLimits,
  ServerMemory,
  ServerStatus,
  ServerTraffic,
} from "./node/wire/status.ts";

// What servers answer.
export type {
  CheckpointResult,
  CoreMetrics,
  Metrics,
  NotFound,
  NotPrimary,
  Observed,
  PeerView,
  ReadRefusal,
  Rejection,
  ReplicationView,
  ReservationRead,
  ReservationView,
  ResourceRead,
  ResourceView,
  Retired,
  StartupKind,
  TickResult,
} from "./node/api.ts";
export { DiskFault, type DiskFaultKind } from "./node/disk.ts";

// The engine.
export { Allocator } from "./node/allocator.ts";
export { type CoreConfig, DEFAULT_CORE_CONFIG, type EngineConfig } from "./core/config.ts";
export { ResultCode, type ResultName, SlotOverflowKind } from "./core/outcome.ts";
export { ReservationState, ResourceState } from "./core/tables.ts";
