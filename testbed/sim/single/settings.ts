/** What a single node's harness can be told, and the bounds that it has otherwise. */
import type { CoreConfig, EngineConfig } from "../../../core/config.ts";
import type { openNode } from "../../../node/open_node.ts";

/** Bounds so low that all of them are met. */
export const SINGLE_CORE: CoreConfig = {
  shardId: 0n,
  maxResources: 8,
  maxReservations: 8,
  maxOperations: 64,
  maxBundleSize: 4,
  maxTtlSlots: 16n,
  maxExpirationBucketLen: 8,
  reservationHistoryWindowSlots: 4n,
  maxClientRetryWindowSlots: 8n,
  slotDurationMs: 10,
};

/** The same around the engine. */
export const SINGLE_ENGINE: EngineConfig = {
  maxSubmissionQueue: 16,
  maxCommandBytes: 256,
  maxExpirationsPerTick: 4,
};

/** What a harness can be asked to do differently. */
export interface SingleOptions {
  /** Decides the order within a batch, and what the disk loses. */
  readonly seed?: number;
  readonly core?: Partial<CoreConfig>;
  readonly engine?: Partial<EngineConfig>;
  /** 4 KiB unless told, so that a few dozen commands rotate the log. */
  readonly segmentBytes?: number;
  /** The first slot; 1 unless told. */
  readonly slot?: bigint;
  /** Whether the node takes slots from its clock; otherwise every slot is given. */
  readonly isClocked?: boolean;
  /** Milliseconds that a write and sync take, least and most; none unless told. */
  readonly diskMs?: readonly [number, number];
  /** Makes the node; the shipping one unless something is to be broken in it. */
  readonly open?: typeof openNode;
  /** Whether to keep what happens in words. */
  readonly isTraced?: boolean;
}
