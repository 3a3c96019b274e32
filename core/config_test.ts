// Bounds are fixed for the life of a data directory, so a configuration is refused in a fixed order, each
// reason under the name and the parameter that operators know, and what is accepted must run.
import { assert, assertEquals } from "@std/assert";
import { TINY_CONFIG } from "../tests/support/core_builders.ts";
import {
  bucketCount,
  checkCoreConfig,
  checkEngineConfig,
  type CoreConfig,
  DEFAULT_CORE_CONFIG,
  DEFAULT_ENGINE_CONFIG,
  type EngineConfig,
  operationBuckets,
  operationRows,
  ROWS_MAX,
  tableBytes,
  U64_MAX,
} from "./config.ts";
import { createEngine } from "./state.ts";

/** One change that breaks one rule, in the order in which rules are checked. */
const BREACHES: readonly (readonly [Partial<CoreConfig>, string, string])[] = [
  [{ maxResources: 0 }, "zero_capacity", "core.max_resources"],
  [{ maxReservations: 0 }, "zero_capacity", "core.max_reservations"],
  [{ maxOperations: 0 }, "zero_capacity", "core.max_operations"],
  [{ maxBundleSize: 0 }, "zero_capacity", "core.max_bundle_size"],
  [{ maxTtlSlots: 0n }, "zero_capacity", "core.max_ttl_slots"],
  [{ maxExpirationBucketLen: 0 }, "zero_capacity", "core.max_expiration_bucket_len"],
  [{ maxResources: 1.5 }, "out_of_range", "core.max_resources"],
  [{ maxReservations: -1 }, "out_of_range", "core.max_reservations"],
  [{ maxOperations: Number.NaN }, "out_of_range", "core.max_operations"],
  [{ maxBundleSize: Infinity }, "out_of_range", "core.max_bundle_size"],
  [{ maxExpirationBucketLen: ROWS_MAX + 1 }, "out_of_range", "core.max_expiration_bucket_len"],
  [{ shardId: -1n }, "out_of_range", "core.shard_id"],
  [{ maxTtlSlots: -1n }, "out_of_range", "core.max_ttl_slots"],
  [{ reservationHistoryWindowSlots: -1n }, "out_of_range", "core.reservation_history_window_slots"],
  [
    { maxClientRetryWindowSlots: U64_MAX + 1n },
    "out_of_range",
    "core.max_client_retry_window_slots",
  ],
  [{ maxBundleSize: 9 }, "bundle_size_too_large", "core.max_bundle_size"],
  [
    { reservationHistoryWindowSlots: 9n },
    "history_window_too_large",
    "core.reservation_history_window_slots",
  ],
  [
    { maxClientRetryWindowSlots: U64_MAX - 7n },
    "operation_window_too_large",
    "core.max_client_retry_window_slots",
  ],
  [{ maxExpirationBucketLen: 9 }, "bucket_capacity_too_large", "core.max_expiration_bucket_len"],
];

/** Breaches that need more than one change to stand alone. */
const WIDE_BREACHES: readonly (readonly [Partial<CoreConfig>, string, string])[] = [
  [{ maxResources: ROWS_MAX, maxBundleSize: 65_536 }, "table_too_large", "core.max_bundle_size"],
  [
    { maxReservations: ROWS_MAX, maxResources: 99, maxBundleSize: 15 },
    "table_too_large",
    "core.max_reservations",
  ],
  [{ maxOperations: ROWS_MAX }, "table_too_large", "core.max_operations"],
  [{ maxReservations: ROWS_MAX / 2 }, "table_too_large", "core.max_operations"],
  [{ maxTtlSlots: 2n ** 26n }, "wheel_too_large", "core.max_ttl_slots"],
  [{ slotDurationMs: 0 }, "slot_duration_out_of_range", "core.slot_duration_ms"],
  [{ slotDurationMs: 0.5 }, "slot_duration_out_of_range", "core.slot_duration_ms"],
  [{ slotDurationMs: 450_001 }, "slot_duration_out_of_range", "core.slot_duration_ms"],
];

function errorOf(changes: Partial<CoreConfig>): readonly [string, string] | undefined {
  const error = checkCoreConfig({ ...TINY_CONFIG, ...changes });
  return error && [error.kind, error.parameter];
}

Deno.test("checkCoreConfig() refuses each breach under its name, and names the parameter in the message", () => {
  assertEquals(errorOf({}), undefined);
  for (const [changes, kind, parameter] of [...BREACHES, ...WIDE_BREACHES]) {
    const error = checkCoreConfig({ ...TINY_CONFIG, ...changes });
    assertEquals([error?.kind, error?.parameter], [kind, parameter]);
    assert(error?.message.startsWith(`${parameter} `));
  }
});

Deno.test("checkCoreConfig() answers the earlier of any two breaches", () => {
  for (const [first, [changes, kind, parameter]] of BREACHES.entries()) {
    for (const [later] of BREACHES.slice(first + 1)) {
      if (Object.keys(later).some((key) => key in changes)) continue;
      assertEquals(errorOf({ ...later, ...changes }), [kind, parameter]);
    }
  }
});

Deno.test("checkCoreConfig() accepts what lies just inside every bound, and an engine runs with it", () => {
  const inside: Partial<CoreConfig>[] = [
    { shardId: U64_MAX },
    { maxBundleSize: 8 },
    { maxExpirationBucketLen: 8 },
    { reservationHistoryWindowSlots: 8n, maxClientRetryWindowSlots: 0n },
    { reservationHistoryWindowSlots: 0n, maxClientRetryWindowSlots: U64_MAX - 8n },
    { slotDurationMs: 450_000 },
    {
      maxResources: 1,
      maxReservations: 1,
      maxOperations: 1,
      maxBundleSize: 1,
      maxExpirationBucketLen: 1,
    },
  ];
  for (const changes of inside) {
    assertEquals(errorOf(changes), undefined);
    createEngine({ ...TINY_CONFIG, ...changes });
  }
  assertEquals(errorOf({ maxTtlSlots: 3_600_000n, slotDurationMs: 1 }), undefined);
  assertEquals(
    errorOf({ maxTtlSlots: 3_600_001n, slotDurationMs: 1 })?.[0],
    "slot_duration_out_of_range",
  );
});

Deno.test("the default configuration runs in less than 600 MiB when everything is full", () => {
  assertEquals(checkCoreConfig(DEFAULT_CORE_CONFIG), undefined);
  assertEquals(checkEngineConfig(DEFAULT_ENGINE_CONFIG), undefined);
  const mebibytes = tableBytes(DEFAULT_CORE_CONFIG) / 2 ** 20;
  assertEquals(Math.round(mebibytes), 582, "docs/semantics.md#bounds says so");
});

Deno.test("tableBytes() is what an engine's tables and indexes take", () => {
  for (const changes of [{}, { maxBundleSize: 1 }, { maxOperations: 1000, maxTtlSlots: 100n }]) {
    const config = { ...TINY_CONFIG, ...changes };
    const { tables, wheel, retirement } = createEngine(config);
    const parts: ArrayBufferView[] = [
      ...[tables.resources.words, tables.reservations.words, tables.operations.words],
      ...[tables.resourceIndex.buckets, tables.reservationIndex.buckets],
      ...[tables.operationIndex.buckets, wheel.heads, wheel.counts],
      retirement.rows,
    ];
    assertEquals(parts.reduce((sum, part) => sum + part.byteLength, 0), tableBytes(config));
  }
});

Deno.test("index sizes are powers of two with a free bucket for every number of rows", () => {
  for (let rows = 1; rows < 3000; rows++) {
    const buckets = bucketCount(rows);
    assert(Number.isInteger(Math.log2(buckets)) && buckets >= 2 * rows && buckets < 4 * rows + 1);
    for (const maxReservations of [1, 7, rows, 3 * rows]) {
      const config = { ...TINY_CONFIG, maxOperations: rows, maxReservations };
      const operations = operationBuckets(config);
      assertEquals(operationRows(config), rows + 2 * maxReservations);
      assert(Number.isInteger(Math.log2(operations)) && operations > operationRows(config));
    }
  }
});

Deno.test("checkEngineConfig() refuses zeros and what is no count, in order", () => {
  const names = [
    ["maxSubmissionQueue", "engine.max_submission_queue"],
    ["maxCommandBytes", "engine.max_command_bytes"],
    ["maxExpirationsPerTick", "engine.max_expirations_per_tick"],
  ] as const;
  for (const [at, [field, parameter]] of names.entries()) {
    for (
      const [value, kind] of [[0, "zero_capacity"], [-1, "out_of_range"], [
        2.5,
        "out_of_range",
      ]] as const
    ) {
      const later = Object.fromEntries(names.slice(at + 1).map(([name]) => [name, 0]));
      const config: EngineConfig = { ...DEFAULT_ENGINE_CONFIG, ...later, [field]: value };
      const error = checkEngineConfig(config);
      assertEquals([error?.kind, error?.parameter], [kind, parameter]);
    }
  }
});
