// The two reference scenarios, whose counters are the same on every machine: on the default sizes the
// published ones, on others what the rules make of them, worked out here without the engine.
import { assertEquals, assertRejects } from "@std/assert";
import * as fc from "fast-check";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { benchOptions } from "../cli/read_options.ts";
import { checkCoreConfig, checkEngineConfig } from "../../core/config.ts";
import { CliError } from "../errors.ts";
import { hotspotConfig, hotspotReport, type HotspotSizes, runHotspot } from "./hotspot.ts";
import { retryConfig, retryReport, type RetrySizes, runRetryPressure } from "./retry_pressure.ts";

const NEVER = new AbortController().signal;

/** Bytes of a log before its first frame, and of a frame with a create, a reserve or a release in it. */
const LOG_HEADER_BYTES = 512;
const CREATE_FRAME_BYTES = 120;
const HOLDER_FRAME_BYTES = 144;

/** The figures without those that depend on the machine. */
function steady(data: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data)
      .filter(([key]) => !/elapsed|throughput|speedup/.test(key))
      .map(([key, value]) => [
        key,
        typeof value === "object" ? steady(value) : typeof value === "bigint" ? `${value}` : value,
      ]),
  );
}

async function hotspot(sizes: HotspotSizes): Promise<Record<string, unknown>> {
  const apart = await runHotspot(new MemoryDisk(), sizes, false, NEVER);
  const together = await runHotspot(new MemoryDisk(), sizes, true, NEVER);
  return steady(hotspotReport(sizes, apart, together).data);
}

async function retryPressure(sizes: RetrySizes): Promise<Record<string, unknown>> {
  return steady(retryReport(sizes, await runRetryPressure(new MemoryDisk(), sizes, NEVER)).data);
}

Deno.test("one-resource-many-contenders has the published counters on the default sizes", async () => {
  assertEquals(await hotspot({ rounds: 256, contenders: 32 }), {
    scenario: "one-resource-many-contenders",
    durable: true,
    total_operations: 8_449,
    sync_count: 8_449,
    rounds: 256,
    contenders_per_round: 32,
    successful_reservations: 256,
    busy_reservations: 7_936,
    successful_releases: 256,
    operation_table_capacity: 8_457,
    peak_operation_table_used: 430,
    peak_operation_table_utilization_pct: 5,
    final_queue_depth: 0,
    final_logical_slot_lag: "0",
    final_expiration_backlog: 0,
    final_operation_table_used: 429,
    final_operation_table_utilization_pct: 5,
    wal_bytes: 1_217_144,
    at_the_same_time: { total_operations: 8_449, sync_count: 258, wal_bytes: 1_217_144 },
  });
});

Deno.test("one-resource-many-contenders counts by the rules whatever the sizes", async () => {
  const sizes = fc.record({
    rounds: fc.integer({ min: 1, max: 20 }),
    contenders: fc.integer({ min: 2, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ rounds, contenders }) => {
      const found = await hotspot({ rounds, contenders });
      const operations = 1 + rounds * (contenders + 1);
      // An operation is remembered in its own slot and the 12 after it; the create shares slot 1 with round 0.
      const remembered = Math.min(rounds, 13) * (contenders + 1);
      assertEquals(found.total_operations, operations);
      assertEquals(found.sync_count, operations);
      assertEquals(found.successful_reservations, rounds);
      assertEquals(found.busy_reservations, rounds * (contenders - 1));
      assertEquals(found.peak_operation_table_used, remembered + 1);
      assertEquals(found.final_operation_table_used, remembered + (rounds <= 13 ? 1 : 0));
      const bytes = LOG_HEADER_BYTES + CREATE_FRAME_BYTES + (operations - 1) * HOLDER_FRAME_BYTES;
      assertEquals(found.wal_bytes, bytes);
      const together = { total_operations: operations, sync_count: rounds + 2, wal_bytes: bytes };
      assertEquals(found.at_the_same_time, together);
    }),
    { seed: 1, numRuns: 30 },
  );
});

Deno.test("high-retry-pressure has the published counters on the default sizes", async () => {
  assertEquals(await retryPressure({ capacity: 128, fanout: 4, attempts: 32 }), {
    scenario: "high-retry-pressure",
    durable: true,
    total_operations: 1_185,
    sync_count: 161,
    table_capacity: 128,
    duplicate_fanout: 4,
    cached_duplicate_hits: 512,
    cached_conflict_hits: 512,
    operation_table_full_hits: 32,
    recovered_after_retirement: true,
    peak_operation_table_used: 128,
    peak_operation_table_utilization_pct: 100,
    pre_retire_queue_depth: 0,
    pre_retire_logical_slot_lag: "9",
    pre_retire_expiration_backlog: 0,
    pre_retire_operation_table_used: 128,
    pre_retire_operation_table_utilization_pct: 100,
    final_queue_depth: 0,
    final_logical_slot_lag: "0",
    final_expiration_backlog: 0,
    final_operation_table_used: 1,
    final_operation_table_utilization_pct: 0,
    wal_bytes: 19_832,
    wal_bytes_after_fill: 15_872,
    wal_bytes_after_retry_pressure: 15_872,
    wal_bytes_after_full_rejections: 19_712,
    wal_bytes_after_retirement: 19_832,
  });
});

Deno.test("high-retry-pressure counts by the rules whatever the sizes", async () => {
  const sizes = fc.record({
    capacity: fc.integer({ min: 1, max: 30 }),
    fanout: fc.integer({ min: 1, max: 4 }),
    attempts: fc.integer({ min: 1, max: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ capacity, fanout, attempts }) => {
      const found = await retryPressure({ capacity, fanout, attempts });
      assertEquals(found.total_operations, capacity + 2 * capacity * fanout + attempts + 1);
      assertEquals(found.sync_count, capacity + attempts + 1);
      assertEquals(found.cached_duplicate_hits, capacity * fanout);
      assertEquals(found.cached_conflict_hits, capacity * fanout);
      assertEquals(found.operation_table_full_hits, attempts);
      const bytes = LOG_HEADER_BYTES + capacity * CREATE_FRAME_BYTES;
      assertEquals(found.wal_bytes_after_retry_pressure, bytes);
      assertEquals(found.wal_bytes, bytes + (attempts + 1) * CREATE_FRAME_BYTES);
    }),
    { seed: 1, numRuns: 30 },
  );
});

Deno.test("the engine takes every size of the reference scenarios that the flags let through", () => {
  const count = (max: number): fc.Arbitrary<string> => fc.integer({ min: 1, max }).map(String);
  const flags = fc.record({
    hotspotRounds: count(66_000),
    hotspotContenders: count(66_000),
    retryTableCapacity: count(66_000),
    retryDuplicateFanout: count(1_000),
    retryFullRejectionAttempts: count(1_000_000),
  });
  let accepted = 0;
  const edges = { hotspotRounds: "21842", hotspotContenders: "2", retryTableCapacity: "65528" };
  const rest = { retryDuplicateFanout: "7", retryFullRejectionAttempts: "17079" };
  fc.assert(
    fc.property(flags, (typed) => {
      let options;
      try {
        options = benchOptions(typed);
      } catch (error) {
        if (error instanceof CliError) return;
        throw error;
      }
      accepted++;
      const { hotspotRounds: rounds, hotspotContenders: contenders } = options;
      const { retryTableCapacity: capacity, retryDuplicateFanout: fanout } = options;
      const attempts = options.retryFullRejectionAttempts;
      const configs = [
        hotspotConfig({ rounds, contenders }),
        retryConfig({ capacity, fanout, attempts }),
      ];
      for (const { core, engine } of configs) {
        assertEquals(checkCoreConfig(core), undefined);
        assertEquals(checkEngineConfig(engine), undefined);
      }
    }),
    { seed: 1, numRuns: 2_000, examples: [[{ ...edges, ...rest }]] },
  );
  if (accepted < 10) throw new Error(`Only ${accepted} of the sizes were accepted`);
});

Deno.test("a reference scenario on a directory that has a past names itself and the step that broke", async () => {
  const sizes = { capacity: 4, fanout: 1, attempts: 1 };
  const disk = new MemoryDisk();
  await runRetryPressure(disk, sizes, NEVER);
  const error = await assertRejects(() => runRetryPressure(disk, sizes, NEVER), CliError);
  assertEquals([error.code, error.exitCode], ["E_BUG", 70]);
  const step = "fill of operation 1: slot_rewound instead of ok";
  assertEquals(error.message, `invariant violation in high-retry-pressure, ${step}`);
});

Deno.test("a reference scenario ends when it is interrupted", async () => {
  const interrupted = AbortSignal.abort();
  const runs = [
    () => runHotspot(new MemoryDisk(), { rounds: 2, contenders: 2 }, true, interrupted),
    () => runRetryPressure(new MemoryDisk(), { capacity: 2, fanout: 1, attempts: 1 }, interrupted),
  ];
  for (const run of runs) {
    assertEquals((await assertRejects(run, CliError)).code, "E_INTERRUPTED");
  }
});
