// What a run says: numbers against the system's own formatting, facts about the machine against made-up
// mount tables, and whole runs of the program, two of them with real server processes.
import {
  assert,
  assertEquals,
  assertMatch,
  assertObjectMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import * as fc from "fast-check";
import { type TestIo, testIo } from "../../tests/support/cli_io.ts";
import type { BenchOptions, Scenario } from "../cli/options.ts";
import { CliError } from "../errors.ts";
import { count, size, time, times } from "./format.ts";
import { fileSystemOf } from "./machine.ts";
import { runBench } from "./main.ts";
import { Times } from "./recorder.ts";
import type { BenchSizes } from "./sizes.ts";
import { Workspace } from "./workspace.ts";

const CLI = fromFileUrl(new URL("../../cli.ts", import.meta.url));
const PROGRAM = { path: Deno.execPath(), args: ["run", "--allow-all", CLI] };

const MOMENT: BenchSizes = {
  engineResources: 100,
  engineHeld: 10,
  engineHot: 10,
  engineCommandsPerSlot: 10,
  engineCommands: 5_000,
  loadSeconds: 0.1,
  warmupSeconds: 0.05,
  connections: 4,
  batchCommands: 32,
  latencySeconds: 0.2,
  rateSeconds: 0.1,
  ratesPerSecond: [100, 200],
  recoveryFrames: 3_000,
  checkpointRecords: 500,
  checkpointBaselineSeconds: 0.05,
};

const OPTIONS: Omit<BenchOptions, "scenario"> = {
  hotspotRounds: 8,
  hotspotContenders: 3,
  retryTableCapacity: 5,
  retryDuplicateFanout: 2,
  retryFullRejectionAttempts: 3,
  json: false,
};

async function bench(
  scenario: Scenario,
  more: Partial<BenchOptions> = {},
  io: TestIo = testIo(),
): Promise<TestIo> {
  await runBench({ ...OPTIONS, scenario, ...more }, { io, program: PROGRAM, sizes: MOMENT });
  return io;
}

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Every key of a document, in order, lists by their first element. Which results there are is not known. */
function keysOf(value: unknown, prefix = ""): string[] {
  if (prefix.endsWith(".results")) return [prefix];
  if (value instanceof Array) return keysOf(value[0], `${prefix}[]`);
  if (typeof value !== "object" || value === null) return [prefix];
  return Object.entries(value).flatMap(([key, entry]) => keysOf(entry, `${prefix}.${key}`));
}

const PERCENTILES = ["p50", "p90", "p99", "p999", "max", "mean"];
const under = (prefix: string, keys: readonly string[]): string[] =>
  keys.map((key) => `${prefix}.${key}`);

Deno.test("runBench() prints one JSON document with every scenario and what it was measured on", async () => {
  const io = await bench("all", { json: true });
  const document = JSON.parse(io.stdout());
  const { scenarios, ...rest } = document;
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
      ["one-resource-many-contenders", true],
      ["high-retry-pressure", true],
      ["throughput", true],
      ["latency", true],
      ["recovery", true],
      ["checkpoint", true],
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

Deno.test("runBench() tells people what was measured, whether it was durable, and nothing on stderr", async () => {
  await withDirectory(async (directory) => {
    const io = await bench("one-resource-many-contenders", { data: `${directory}/new/place` });
    const lines = io.stdout().split("\n");
    assertMatch(lines[0]!, /^allocdb \d+\.\d+\.\d+ \(.*, deno .*\) on \d+ × ./);
    assert(lines.includes("one-resource-many-contenders (durable)"));
    assert(lines.some((line) => /^ {2}one at a time +[\d,]+ +33 +[\d.]+ .?s/.test(line)));
    assert(lines.some((line) => /^ {2}at the same time +[\d,]+ +10 /.test(line)));
    assert(lines.at(-2)!.startsWith("durable: every command was in the log"));
    assert(lines.slice(1).every((line) => line.length <= 101 && line === line.trimEnd()));
    // deno-lint-ignore no-control-regex
    assert(!/\x1b/.test(io.stdout()));
    assertEquals(io.stderr(), "");
    assertEquals([...Deno.readDirSync(`${directory}/new/place`)], []);
  });
});

Deno.test("runBench() on a terminal has colours, and says on stderr what goes on", async () => {
  const io = await bench("engine", {}, testIo({}, { terminal: true }));
  assert(io.stdout().includes("\x1b[1mengine\x1b[22m (in memory)"));
  assert(io.stdout().endsWith("in memory: nothing was written.\n"));
  assertEquals(io.stderr(), "engine: all resources wanted\nengine: few resources wanted\n");
});

Deno.test("runBench() that is interrupted exits with 130 and leaves nothing behind", async () => {
  await withDirectory(async (directory) => {
    for (const scenario of ["one-resource-many-contenders", "throughput", "recovery"] as const) {
      const io = testIo();
      io.interrupt();
      const error = await assertRejects(() => bench(scenario, { data: directory }, io), CliError);
      assertEquals([error.code, error.exitCode], ["E_INTERRUPTED", 130]);
      assertEquals([...Deno.readDirSync(directory)], []);
    }
  });
});

Deno.test("runBench() refuses a --data that is no directory, with a hint", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "");
    const error = await assertRejects(() => bench("recovery", { data: file }), CliError);
    assertEquals(error.code, "E_IO");
    assertEquals(
      error.hint,
      "give a directory on the disk to measure: allocdb bench --data DIR",
    );
  });
});

Deno.test("Workspace removes what was lent and itself, also after a failure", async () => {
  await withDirectory(async (parent) => {
    let lent = "";
    {
      using workspace = new Workspace(parent);
      const lending = workspace.lend(async (directory) => {
        lent = directory;
        await Deno.writeTextFile(`${directory}/file`, "content");
        throw new TypeError("on purpose");
      });
      await assertRejects(() => lending, TypeError, "on purpose");
      assertThrows(() => Deno.statSync(lent), Deno.errors.NotFound);
      assertEquals([...Deno.readDirSync(workspace.path)], []);
    }
    assertEquals([...Deno.readDirSync(parent)], []);
  });
});

Deno.test("count() separates thousands as the system does", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (value) => {
      assertEquals(count(value), Math.round(value).toLocaleString("en-US"));
    }),
    { seed: 1, examples: [[0], [999], [999.5], [1_000], [999_999.5]] },
  );
});

Deno.test("time(), size() and times() choose the unit that suits", () => {
  const shown = [0.4, 999.4, 1_000, 9_994, 10_000, 999_400, 1_000_000, 61_234_000].map(time);
  const wanted = ["0 µs", "999 µs", "1.00 ms", "9.99 ms", "10 ms", "999 ms", "1.0 s", "61.2 s"];
  assertEquals(shown, wanted);
  const sizes = [0, 1_023, 1_024, 1_048_576, 1_073_741_824].map(size);
  assertEquals(sizes, ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.0 GiB"]);
  assertEquals([1.23456, 9.99, 10, 123.45].map(times), ["1.23×", "9.99×", "10.0×", "123.5×"]);
});

Deno.test("Times agrees with sorting, to three digits, and never says more than the longest", () => {
  const milliseconds = fc.array(fc.double({ min: 0.001, max: 50_000, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(milliseconds, (values) => {
      const collected = new Times();
      for (const value of values) collected.add(value);
      const sorted = values.map((value) => Math.round(value * 1_000)).sort((a, b) => a - b);
      const { p50, p99, max } = collected.percentiles();
      for (const [percent, found] of [[50, p50], [99, p99], [100, max]] as const) {
        const exact = sorted[Math.ceil((percent / 100) * sorted.length) - 1]!;
        assert(Math.abs(found - exact) <= exact / 500 + 1, `${percent}: ${found}, not ${exact}`);
      }
      assert(p50 <= p99 && p99 <= max);
    }),
    { seed: 1 },
  );
  assertEquals(new Times().percentiles(), { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0 });
});

Deno.test("fileSystemOf() takes the deepest mount, and of several at one place the last", () => {
  const mountinfo = [
    "21 1 254:0 / / rw,relatime - ext4 /dev/root rw",
    "22 21 0:20 / /data rw - xfs /dev/a rw",
    "23 22 0:21 / /data/fast rw shared:1 master:2 - tmpfs none rw",
    "24 21 0:22 / /with\\040blank rw - btrfs /dev/b rw",
    "25 22 0:23 / /data rw - zfs pool rw",
    "",
  ].join("\n");
  const asked = ["/", "/database", "/data", "/data/x", "/data/fast/x", "/with blank/x", "/without"];
  const wanted = ["ext4", "ext4", "zfs", "zfs", "tmpfs", "btrfs", "ext4"];
  assertEquals(asked.map((path) => fileSystemOf(mountinfo, path)), wanted);
  assertEquals(fileSystemOf("", "/"), "unknown");
});
