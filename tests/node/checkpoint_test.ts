// Checkpoints: the state goes out while commands go on, the log loses only what two generations of snapshots
// cover, and a checkpoint that fails costs nothing but itself.
import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { DenoDisk } from "../../node/io/deno_disk.ts";
import { type FaultTable, FaultyDisk } from "../../node/io/faulty_disk.ts";
import { Node } from "../../node/node.ts";
import { fileNames } from "../../testbed/sim/disk/data_directory.ts";
import type { DiskAction } from "../../testbed/sim/disk/memory_disk.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { codeOf, NodeHarness } from "../support/node_harness.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";

const ROOMY = { maxOperations: 2_000, maxResources: 2_000 };

function segments(harness: NodeHarness): string[] {
  return fileNames(harness.disk).filter((name) => name.startsWith("state.wal"));
}

function writeMuch(harness: NodeHarness, from: number): void {
  for (let i = 0; i < 80; i++) harness.do(create(BigInt(from + i)));
}

Deno.test("a checkpoint keeps the log that its predecessor needs, and no more", () => {
  const harness = NodeHarness.start({ core: ROOMY });
  writeMuch(harness, 0);
  const before = segments(harness);
  assertGreater(before.length, 2);
  assertEquals(harness.checkpoint(), {
    kind: "done",
    snapshotLsn: 80n,
    previousSnapshotLsn: undefined,
    removedSegments: 0,
  });
  assertEquals(segments(harness), before, "without a predecessor all of it is needed");
  writeMuch(harness, 100);
  const grown = segments(harness);
  const second = harness.checkpoint();
  assert(second.kind === "done");
  assertEquals([second.snapshotLsn, second.previousSnapshotLsn], [160n, 80n]);
  const kept = segments(harness);
  assertEquals(kept.length, grown.length - second.removedSegments);
  assertEquals(kept, [kept[0]!, ...grown.slice(1 + second.removedSegments)]);
  // The oldest that stays holds the first entry that the previous snapshot does not have.
  const firstOps = kept.slice(1).map((name) => BigInt(name.slice("state.wal.".length)));
  assertEquals(firstOps.filter((op) => op <= 81n).length, 1);
  assertEquals(
    harness.linesWith("checkpoint complete").at(-1),
    [
      "info checkpoint complete: snapshot_lsn=160 previous_snapshot_lsn=80",
      `removed_segments=${second.removedSegments}`,
    ].join(" "),
  );
});

Deno.test("a checkpoint is of the moment it began at, whatever is committed meanwhile", () => {
  const harness = NodeHarness.start({ disk: new MemoryDisk({ deferred: true }) });
  harness.commit(create(1n));
  const results: string[] = [];
  harness.node.checkpoint((result) => {
    results.push(result.kind === "done" ? `done ${result.snapshotLsn}` : result.kind);
  });
  harness.node.checkpoint((result) => results.push(result.kind));
  const during = harness.submit(reserve(1n));
  harness.run();
  assertEquals(results, ["already_running", "done 1"]);
  assertEquals(codeOf(during), "ok");
  harness.crash();
  harness.reopen();
  assertEquals(harness.metrics.recovery.loadedSnapshotLsn, 1n);
  assertEquals(harness.metrics.recovery.replayedWalFrameCount, 1);
  const read = harness.node.getResource(1n);
  assertEquals(read.kind === "found" && read.currentReservationId, 2n);
});

Deno.test("a checkpoint that fails leaves the node live and the snapshots as they were", () => {
  const strikes: [DiskAction, number][] = [["create", 1], ["write", 1], ["sync", 1], ["rename", 1]];
  for (const [action, nth] of strikes) {
    const harness = NodeHarness.start();
    harness.commit(create(1n));
    harness.checkpoint();
    harness.commit(create(2n));
    harness.disk.plan({ nth, action, effect: "disk_full" });
    const result = harness.checkpoint();
    assertEquals(result.kind === "snapshot_file_error" && result.fault.kind, "disk_full");
    assertMatch(
      harness.linesWith("error ")[0]!,
      /^error checkpoint failed, engine stays live: error=Cannot /,
    );
    assertEquals(harness.commit(create(3n)).code, "ok");
    const { counters, recovery } = harness.metrics;
    assertEquals([counters.checkpoints, counters.checkpointFailures], [1, 1]);
    assertEquals(recovery.activeSnapshotLsn, 1n);
    assertEquals(fileNames(harness.disk).includes("state.snapshot.tmp"), false);
    assertEquals(harness.checkpoint().kind, "done", "the next one works");
  }
});

Deno.test("a checkpoint that fails on a real disk does not end the process", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "allocdb-checkpoint-" });
  try {
    for (const action of ["create", "write", "sync", "rename", "sync_directory"] as const) {
      const table: FaultTable = {};
      const disk = new FaultyDisk(new DenoDisk(`${directory}`), table);
      const harness = NodeHarness.start({ over: disk });
      harness.do(create(1n));
      table[action] = { fault: "io_error", times: 1 };
      const kind = await new Promise<string>((resolve) => {
        harness.node.checkpoint((result) => resolve(result.kind));
        harness.run();
      });
      assertEquals(kind, "snapshot_file_error");
      assertEquals(harness.do(create(2n)).kind, "committed");
      harness.node.close();
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a crash between the new snapshot and the removal of the log loses nothing", () => {
  for (let nth = 1; nth <= 12; nth++) {
    const harness = NodeHarness.start({ core: ROOMY });
    writeMuch(harness, 0);
    harness.checkpoint();
    writeMuch(harness, 100);
    harness.disk.plan({ nth, effect: "crash" });
    try {
      harness.checkpoint();
    } catch {
      harness.crash(nth % 2 === 0 ? "keep" : "lose");
      harness.reopen();
    }
    assertEquals(harness.metrics.core.resourceTableUsed, 160);
    assertEquals(harness.metrics.core.lastAppliedLsn, 160n);
  }
});

Deno.test("checkpoints start by themselves by bytes, by entries and by age, and only after a write", () => {
  const never = { bytes: 1e9, frames: 1e9, ageMs: 1e9 };
  const cases = [
    { policy: { ...never, bytes: 600 }, prepare: () => {} },
    { policy: { ...never, frames: 5 }, prepare: () => {} },
    { policy: { ...never, ageMs: 500 }, prepare: (h: NodeHarness) => h.clock.ms += 500 },
  ];
  for (const { policy, prepare } of cases) {
    const harness = NodeHarness.start();
    const ask = () => {
      harness.node.checkpointIfDue(policy);
      harness.run();
      return harness.metrics.counters.checkpoints;
    };
    prepare(harness);
    assertEquals(ask(), 0, "nothing was written");
    for (let id = 1n; id <= 5n; id++) harness.commit(create(id));
    assertEquals(ask(), 1);
    assertEquals(ask(), 1, "nothing was written since");
    harness.node.checkpointIfDue(never);
    harness.run();
    assertEquals(harness.metrics.counters.checkpoints, 1);
  }
});

Deno.test("overload is logged, and the log stays bounded all the same (W27)", () => {
  const harness = NodeHarness.start({ core: { maxOperations: 4 } });
  const policy = { bytes: 8_192, frames: 1e9, ageMs: 1e9 };
  const sizes: number[] = [];
  for (let i = 0; i < 1_000; i++) {
    harness.do(create(BigInt(i)));
    harness.node.checkpointIfDue(policy);
    harness.run();
    sizes.push(segments(harness).length);
  }
  assertEquals(harness.commit(create(7n)).code, "operation_table_full");
  assertGreater(harness.metrics.core.lastAppliedLsn!, 1_000n, "each of them took a position");
  assertLess(Math.max(...sizes), 10);
});

Deno.test("figures of log and checkpoint say what is there", () => {
  const harness = NodeHarness.start({ core: ROOMY });
  assertEquals(harness.metrics.wal.checkpointAgeMs, undefined);
  writeMuch(harness, 0);
  const { wal } = harness.metrics;
  assertEquals([wal.segments, wal.framesSinceCheckpoint], [segments(harness).length, 80]);
  assertGreater(wal.bytes, 80 * 120);
  harness.checkpoint();
  harness.clock.ms += 70;
  const after = harness.metrics.wal;
  assertEquals([after.framesSinceCheckpoint, after.bytesSinceCheckpoint], [0, 0]);
  assertEquals(after.checkpointAgeMs, 70);
});

Deno.test("a leftover of a checkpoint that was cut short is removed at the next start", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.disk.plan({ nth: 1, action: "rename", effect: "crash" });
  try {
    harness.checkpoint();
  } catch {
    harness.crash("lose");
  }
  harness.disk.install("state.snapshot.tmp", new Uint8Array(100).fill(7));
  assert(harness.open() instanceof Node);
  assertEquals(fileNames(harness.disk).includes("state.snapshot.tmp"), false);
});
