// The JSON document of a whole run, two scenarios of which load real server processes: its keys may only be
// added to, and what can be known of its figures beforehand is so.
import { assert, assertEquals, assertObjectMatch } from "@std/assert";
import { bench } from "../../tests/support/bench.ts";

/** Every key of a document, in order, lists by their first element. Which results there are is not known. */
function keysOf(value: unknown, prefix = ""): string[] {
  if (prefix.endsWith(".results")) return [prefix];
  if (value instanceof Array) return keysOf(value[0], `${prefix}[]`);
  if (typeof value !== "object" || value === null) return [prefix];
  return Object.entries(value).flatMap(([key, entry]) => keysOf(entry, `${prefix}.${key}`));
}

const PERCENTILES = ["p50", "p90", "p95", "p99", "p999", "max", "mean"];
const under = (prefix: string, keys: readonly string[]): string[] =>
  keys.map((key) => `${prefix}.${key}`);

Deno.test("runBench() prints one JSON document with every scenario and what it was measured on", async () => {
  const io = await bench("all", { json: true });
  const document = JSON.parse(io.stdout());
  const { scenarios, ...rest } = document;
  const durable = rest.survives_power_failure; // That of the directory for temporary files.
  assertEquals(keysOf(rest), [
    ".started_at",
    ...under(".machine", ["version", "commit", "deno", "v8", "os", "kernel", "cores", "cpu"]),
    ...under(".machine", ["memory_bytes", "file_system"]),
    ".survives_power_failure",
    ...under(".settings", ["scenario", "hotspot_rounds", "hotspot_contenders"]),
    ...under(".settings", ["retry_table_capacity", "retry_duplicate_fanout"]),
    ".settings.retry_full_rejection_attempts",
    ...under(".settings.sizes", ["engine_resources", "engine_held", "engine_hot"]),
    ...under(".settings.sizes", ["engine_commands_per_slot", "engine_commands", "load_seconds"]),
    ...under(".settings.sizes", ["warmup_seconds", "connections", "batch_commands"]),
    ...under(".settings.sizes", ["latency_seconds", "rate_seconds", "rates_per_second[]"]),
    ...under(".settings.sizes", ["recovery_frames", "checkpoint_records"]),
    ".settings.sizes.checkpoint_baseline_seconds",
    ...under(".settings.load_bounds", ["slot_duration_ms", "max_operations", "max_ttl_slots"]),
    ...under(".settings.load_bounds", ["max_client_retry_window_slots"]),
    ...under(".settings.load_bounds", ["reservation_history_window_slots"]),
    ".settings.load_bounds.commands_per_second_max",
  ]);
  assertEquals(
    scenarios.map(({ scenario, durable }: Record<string, unknown>) => [scenario, durable]),
    [
      ["one-resource-many-contenders", durable],
      ["high-retry-pressure", durable],
      ["throughput", durable],
      ["latency", durable],
      ["recovery", durable],
      ["checkpoint", durable],
      ["engine", false],
    ],
  );
  const keys = scenarios.map((scenario: unknown) => keysOf(scenario).join("\n"));
  const wanted = WANTED_KEYS.map((list) => [".scenario", ".durable", ...list, ".says"].join("\n"));
  assertEquals(keys, wanted);
  assertFigures(scenarios);
  assertEquals(io.stderr(), "");
});

const GROUP = [
  "queue_depth",
  "logical_slot_lag",
  "expiration_backlog",
  "operation_table_used",
  "operation_table_utilization_pct",
];
const RUN = [".elapsed_ms", ".total_operations", ".throughput_ops_per_sec"];
const group = (name: string): string[] => GROUP.map((key) => `.${name}_${key}`);
const peak = [".peak_operation_table_used", ".peak_operation_table_utilization_pct"];
const engine = [
  ".resources_wanted",
  ".reservations_held",
  ...RUN,
  ".ns_per_command",
  ".heap_growth_bytes",
  ".heap_growth_bytes_per_million_commands",
  ".operations_remembered",
];
const stretch = [
  ".commands",
  ".elapsed_ms",
  ".commands_per_second",
  ...under(".batch_gap_us", PERCENTILES),
  ".longest_stall_us",
];
const prefixed = (prefix: string, keys: readonly string[]): string[] =>
  keys.map((key) => prefix + key);

/** Of each scenario, in order. To be added to, never taken from. */
const WANTED_KEYS: readonly (readonly string[])[] = [
  [
    ...RUN,
    ".sync_count",
    ".rounds",
    ".contenders_per_round",
    ".successful_reservations",
    ".busy_reservations",
    ".successful_releases",
    ".operation_table_capacity",
    ...peak,
    ...group("final"),
    ".wal_bytes",
    ...prefixed(".at_the_same_time", [...RUN, ".sync_count", ".wal_bytes"]),
    ".group_commit_speedup",
  ],
  [
    ...RUN,
    ".sync_count",
    ".table_capacity",
    ".duplicate_fanout",
    ".cached_duplicate_hits",
    ".cached_conflict_hits",
    ".operation_table_full_hits",
    ".recovered_after_retirement",
    ...peak,
    ...group("pre_retire"),
    ...group("final"),
    ".wal_bytes",
    ".wal_bytes_after_fill",
    ".wal_bytes_after_retry_pressure",
    ".wal_bytes_after_full_rejections",
    ".wal_bytes_after_retirement",
  ],
  prefixed(".loads[]", [
    ".connections",
    ".requests_in_flight",
    ".commands_per_request",
    ".elapsed_ms",
    ".commands",
    ".commands_per_second",
    ...under(".request_us", PERCENTILES),
    ".sync_count",
    ".commands_per_sync",
    ".results",
  ]),
  [
    ...under(".bare_disk_us", PERCENTILES),
    ".bare_disk_samples",
    ...under(".one_command_us", PERCENTILES),
    ".one_command_samples",
    ".one_command_p50_to_bare_disk_p50",
    ...prefixed(".fixed_rates[]", [
      ".commands_per_second",
      ".answered_per_second",
      ".elapsed_ms",
      ".answered",
      ".unanswered",
      ...under(".command_us", PERCENTILES),
      ".results",
    ]),
  ],
  [
    ".frames",
    ".wal_bytes",
    ".written_ms",
    ".recovered_ms",
    ".frames_per_second",
    ".wal_bytes_per_second",
  ],
  [
    ".resources",
    ".reservations",
    ".longest_stall_us",
    ...prefixed(".without_checkpoint", stretch),
    ...prefixed(".during_checkpoint", stretch),
    ".snapshot_bytes",
    ".checkpoint_ms",
    ".snapshot_bytes_per_second",
    ".recovered_ms",
    ".replayed_frames",
  ],
  [".resources", ...engine, ".table_bytes", ...prefixed(".few_wanted", engine)],
];

/** What can be known of the figures beforehand. */
function assertFigures(scenarios: readonly Record<string, unknown>[]): void {
  const [hotspot, retry, throughput, latency, recovery, checkpoint] = scenarios;
  assertObjectMatch(hotspot!, { total_operations: 1 + 8 * 4, final_logical_slot_lag: "0" });
  assertObjectMatch(retry!, { total_operations: 5 + 2 * 5 * 2 + 3 + 1 });
  assertObjectMatch(recovery!, { frames: 3_000 });
  assertObjectMatch(checkpoint!, { resources: 500, reservations: 500 });
  const loads = throughput!.loads as readonly Record<string, number>[];
  assertEquals(
    loads.map((load) => [
      load.connections,
      load.requests_in_flight,
      load.commands_per_request,
    ]),
    [[1, 1, 1], [4, 1, 1], [1, 1, 32], [1, 2, 32], [1, 4, 32]],
  );
  for (const { commands, sync_count: syncs } of loads) assert(commands! > 0 && syncs! > 0);
  assert(loads[0]!.sync_count! >= loads[0]!.commands!);
  const rates = latency!.fixed_rates as readonly Record<string, number>[];
  assertEquals(
    rates.map((rate) => [rate.commands_per_second, rate.answered! + rate.unanswered!]),
    [[100, 10], [200, 20]],
  );
}
