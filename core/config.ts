/**
 * Every bound of the engine, fixed when a data directory is made. Changing one later would change what
 * replay decides, so the fingerprint of these values is part of every log segment and snapshot.
 */
export interface CoreConfig {
  /** High half of every reservation id. */
  readonly shardId: bigint;
  /** Resources, ever: there is no delete. */
  readonly maxResources: number;
  /** Reservations that are live or still readable as history. */
  readonly maxReservations: number;
  /** Operations remembered for retries. */
  readonly maxOperations: number;
  /** Resources in one bundle. */
  readonly maxBundleSize: number;
  /** Longest time to live, in slots. */
  readonly maxTtlSlots: bigint;
  /** Reservations that may fall due in the same bucket of the timing wheel. */
  readonly maxExpirationBucketLen: number;
  /** How long an ended reservation stays readable, in slots. */
  readonly reservationHistoryWindowSlots: bigint;
  /** How long, beyond the longest time to live, a retry is recognised, in slots. */
  readonly maxClientRetryWindowSlots: bigint;
  /** Real length of a slot in milliseconds: what turns a client's milliseconds into slots. */
  readonly slotDurationMs: number;
}

/** Bounds of the node around the engine; they may change from one start to the next. */
export interface EngineConfig {
  /** Commands that may wait for their log position. */
  readonly maxSubmissionQueue: number;
  /** Largest encoded command, in bytes. */
  readonly maxCommandBytes: number;
  /** Expirations that one tick may sequence. */
  readonly maxExpirationsPerTick: number;
}

/** Why a configuration was refused, under the names operators know. */
export type ConfigErrorKind =
  | "zero_capacity"
  | "bundle_size_too_large"
  | "history_window_too_large"
  | "operation_window_too_large"
  | "bucket_capacity_too_large"
  | "table_too_large"
  | "wheel_too_large"
  | "slot_duration_out_of_range"
  | "out_of_range";

/** A configuration that cannot run: which parameter, and what to do about it. */
export interface ConfigError {
  readonly kind: ConfigErrorKind;
  /** Name as in files and flags, e.g. `core.max_resources`. */
  readonly parameter: string;
  readonly message: string;
}

/** Largest u64. */
export const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Most rows of one table; keeps row + 1 and every word offset inside what typed arrays address. */
export const ROWS_MAX = 0x0800_0000;

/** Most words of one table: 16 GiB, what one typed array can hold. */
const TABLE_WORDS_MAX = 0x1_0000_0000;

/** Largest command that any node may be configured to take, in bytes: it still fits one frame of every log. */
const COMMAND_BYTES_MAX = 1024 * 1024;

/** Most resources one encoded bundle can name; a reservation record of that size still fits a snapshot block. */
const BUNDLE_SIZE_MAX = 0xffff;

/** Longest timing wheel, in slots: 64 Mi buckets. */
const WHEEL_SLOTS_MAX = 0x0400_0000n;

/** Longest time to live in real time: one hour. */
const TTL_MS_MAX = 3_600_000n;

/** Bounds a person can live with. Source: docs/semantics.md#bounds. */
export const DEFAULT_CORE_CONFIG: CoreConfig = {
  shardId: 0n,
  maxResources: 1_000_000,
  maxReservations: 1_000_000,
  maxOperations: 2_000_000,
  maxBundleSize: 16,
  maxTtlSlots: 360_000n,
  maxExpirationBucketLen: 1_000_000,
  reservationHistoryWindowSlots: 30_000n,
  maxClientRetryWindowSlots: 30_000n,
  slotDurationMs: 10,
};

/** Node bounds that go with {@linkcode DEFAULT_CORE_CONFIG}. */
export const DEFAULT_ENGINE_CONFIG: EngineConfig = {
  maxSubmissionQueue: 65_536,
  maxCommandBytes: 4_096,
  maxExpirationsPerTick: 4_096,
};

/** Words of one resource record. */
export const RESOURCE_STRIDE = 8;
/** Words of one reservation record before its members. */
export const RESERVATION_STRIDE_FIXED = 18;
/** Words of one operation record. */
export const OPERATION_STRIDE = 23;

/**
 * Rows of the operation table: `maxOperations` for everybody, and two more for each reservation, so that
 * every reservation can be freed (release, or revoke then reclaim) however full the table is.
 * Source: docs/semantics.md#a-full-operation-table.
 */
export function operationRows(config: CoreConfig): number {
  return config.maxOperations + 2 * config.maxReservations;
}

/** Bytes that a configuration may come to use in tables and indexes when all of them are full. */
export function tableBytes(config: CoreConfig): number {
  const rows = operationRows(config);
  const words = config.maxResources * RESOURCE_STRIDE +
    config.maxReservations * (RESERVATION_STRIDE_FIXED + config.maxBundleSize) +
    rows * OPERATION_STRIDE +
    2 * (bucketCount(config.maxResources) + bucketCount(config.maxReservations)) +
    2 * operationBuckets(config) +
    2 * Number(config.maxTtlSlots + 1n) + config.maxReservations;
  return words * 4;
}

/** Buckets of an index over `capacity` rows: a power of two, at most half full. */
export function bucketCount(capacity: number): number {
  let buckets = 2;
  while (buckets < 2 * capacity) buckets *= 2;
  return buckets;
}

/** Buckets of the operation index: at most half full but for the freeing headroom. */
export function operationBuckets(config: CoreConfig): number {
  let buckets = bucketCount(config.maxOperations);
  while (buckets < operationRows(config) * 1.04) buckets *= 2;
  return buckets;
}

/**
 * Checks a core configuration; the order of the checks is part of the contract.
 *
 * @param config The bounds to check.
 * @returns The first error, or `undefined` when the engine can run with it.
 */
export function checkCoreConfig(config: CoreConfig): ConfigError | undefined {
  return zeroCapacity(config) ?? outOfRange(config) ?? contradiction(config) ?? tooLarge(config);
}

/**
 * Checks the node's bounds.
 *
 * @param config The bounds to check.
 * @returns The first error, or `undefined`.
 */
export function checkEngineConfig(config: EngineConfig): ConfigError | undefined {
  for (
    const [parameter, value] of [
      ["engine.max_submission_queue", config.maxSubmissionQueue],
      ["engine.max_command_bytes", config.maxCommandBytes],
      ["engine.max_expirations_per_tick", config.maxExpirationsPerTick],
    ] as const
  ) {
    if (value === 0) return error("zero_capacity", parameter, "must be above 0");
    if (!isCount(value)) {
      return error("out_of_range", parameter, `must be a whole number up to ${ROWS_MAX}`);
    }
  }
  if (config.maxCommandBytes > COMMAND_BYTES_MAX) {
    return error(
      "out_of_range",
      "engine.max_command_bytes",
      `must not exceed ${COMMAND_BYTES_MAX}`,
    );
  }
  return undefined;
}

function zeroCapacity(config: CoreConfig): ConfigError | undefined {
  const bounds: readonly (readonly [string, number | bigint])[] = [
    ["core.max_resources", config.maxResources],
    ["core.max_reservations", config.maxReservations],
    ["core.max_operations", config.maxOperations],
    ["core.max_bundle_size", config.maxBundleSize],
    ["core.max_ttl_slots", config.maxTtlSlots],
    ["core.max_expiration_bucket_len", config.maxExpirationBucketLen],
  ];
  for (const [parameter, value] of bounds) {
    if (value === 0 || value === 0n) {
      return error("zero_capacity", parameter, "must be above 0");
    }
  }
  return undefined;
}

function outOfRange(config: CoreConfig): ConfigError | undefined {
  const counts: readonly (readonly [string, number])[] = [
    ["core.max_resources", config.maxResources],
    ["core.max_reservations", config.maxReservations],
    ["core.max_operations", config.maxOperations],
    ["core.max_bundle_size", config.maxBundleSize],
    ["core.max_expiration_bucket_len", config.maxExpirationBucketLen],
  ];
  for (const [parameter, value] of counts) {
    if (!isCount(value)) {
      return error("out_of_range", parameter, `must be a whole number up to ${ROWS_MAX}`);
    }
  }
  const slots: readonly (readonly [string, bigint])[] = [
    ["core.shard_id", config.shardId],
    ["core.max_ttl_slots", config.maxTtlSlots],
    ["core.reservation_history_window_slots", config.reservationHistoryWindowSlots],
    ["core.max_client_retry_window_slots", config.maxClientRetryWindowSlots],
  ];
  for (const [parameter, value] of slots) {
    if (value < 0n || value > U64_MAX) return error("out_of_range", parameter, "must fit 64 bits");
  }
  return undefined;
}

function contradiction(config: CoreConfig): ConfigError | undefined {
  if (config.maxBundleSize > config.maxResources) {
    return error(
      "bundle_size_too_large",
      "core.max_bundle_size",
      "must not exceed core.max_resources",
    );
  }
  if (config.reservationHistoryWindowSlots > config.maxTtlSlots) {
    return error(
      "history_window_too_large",
      "core.reservation_history_window_slots",
      "must not exceed core.max_ttl_slots",
    );
  }
  if (config.maxTtlSlots + config.maxClientRetryWindowSlots > U64_MAX) {
    return error(
      "operation_window_too_large",
      "core.max_client_retry_window_slots",
      "plus core.max_ttl_slots must fit 64 bits",
    );
  }
  if (config.maxExpirationBucketLen > config.maxReservations) {
    return error(
      "bucket_capacity_too_large",
      "core.max_expiration_bucket_len",
      "must not exceed core.max_reservations",
    );
  }
  return undefined;
}

function tooLarge(config: CoreConfig): ConfigError | undefined {
  if (config.maxBundleSize > BUNDLE_SIZE_MAX) {
    return error("table_too_large", "core.max_bundle_size", `must not exceed ${BUNDLE_SIZE_MAX}`);
  }
  const reservationWords = config.maxReservations *
    (RESERVATION_STRIDE_FIXED + config.maxBundleSize);
  if (reservationWords > TABLE_WORDS_MAX) {
    return error(
      "table_too_large",
      "core.max_reservations",
      "times core.max_bundle_size exceeds 16 GiB",
    );
  }
  if (
    operationRows(config) > ROWS_MAX || operationRows(config) * OPERATION_STRIDE > TABLE_WORDS_MAX
  ) {
    return error(
      "table_too_large",
      "core.max_operations",
      "plus twice core.max_reservations is too large",
    );
  }
  if (config.maxTtlSlots + 1n > WHEEL_SLOTS_MAX) {
    return error("wheel_too_large", "core.max_ttl_slots", `must be below ${WHEEL_SLOTS_MAX}`);
  }
  if (!Number.isInteger(config.slotDurationMs) || config.slotDurationMs < 1) {
    return error(
      "slot_duration_out_of_range",
      "core.slot_duration_ms",
      "must be a whole number above 0",
    );
  }
  if (config.maxTtlSlots * BigInt(config.slotDurationMs) > TTL_MS_MAX) {
    return error(
      "slot_duration_out_of_range",
      "core.slot_duration_ms",
      "times core.max_ttl_slots must not exceed one hour",
    );
  }
  return undefined;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= ROWS_MAX;
}

function error(kind: ConfigErrorKind, parameter: string, rule: string): ConfigError {
  return { kind, parameter, message: `${parameter} ${rule}` };
}
