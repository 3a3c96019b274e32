// How a node comes up: which files it went by, what it says about them, and what it mends by itself.
import { assertEquals, assertMatch } from "@std/assert";
import { checkpointedTwice } from "../support/checkpointed.ts";
import { fileNames } from "../../testbed/sim/disk/data_directory.ts";
import { NodeHarness } from "../support/node_harness.ts";
import { create } from "../../testbed/sim/workload/requests.ts";

Deno.test("start-up kinds: fresh_start, wal_only, snapshot_only, snapshot_and_wal", () => {
  const harness = NodeHarness.start();
  const kinds = [harness.node.startup.startupKind];
  const restart = () => {
    harness.crash();
    kinds.push(harness.reopen().startup.startupKind);
  };
  restart();
  harness.commit(create(1n));
  restart();
  harness.checkpoint();
  restart();
  harness.commit(create(2n));
  restart();
  assertEquals(kinds, [
    "fresh_start",
    "fresh_start",
    "wal_only",
    "snapshot_only",
    "snapshot_and_wal",
  ]);
  assertEquals(harness.linesWith("recovery complete"), [
    "info recovery complete: loaded_snapshot=false loaded_snapshot_lsn=none " +
    "replayed_wal_frame_count=0 replayed_wal_last_lsn=none",
    "info recovery complete: loaded_snapshot=false loaded_snapshot_lsn=none " +
    "replayed_wal_frame_count=0 replayed_wal_last_lsn=none",
    "info recovery complete: loaded_snapshot=false loaded_snapshot_lsn=none " +
    "replayed_wal_frame_count=1 replayed_wal_last_lsn=1",
    "info recovery complete: loaded_snapshot=true loaded_snapshot_lsn=1 " +
    "replayed_wal_frame_count=0 replayed_wal_last_lsn=none",
    "info recovery complete: loaded_snapshot=true loaded_snapshot_lsn=1 " +
    "replayed_wal_frame_count=1 replayed_wal_last_lsn=2",
  ]);
  assertEquals(harness.metrics.recovery, {
    startupKind: "snapshot_and_wal",
    loadedSnapshotLsn: 1n,
    replayedWalFrameCount: 1,
    replayedWalLastLsn: 2n,
    activeSnapshotLsn: 1n,
  });
});

Deno.test("an empty snapshot counts as loaded, without a position", () => {
  const harness = NodeHarness.start();
  const result = harness.checkpoint();
  assertEquals(result.kind === "done" && result.snapshotLsn, undefined);
  harness.crash();
  const { startup } = harness.reopen();
  assertEquals([startup.startupKind, startup.loadedSnapshotLsn], ["snapshot_only", undefined]);
  assertEquals(harness.commit(create(1n)).appliedLsn, 1n);
});

Deno.test("the start-up kind never changes afterwards, the active snapshot does", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.checkpoint();
  const { recovery } = harness.metrics;
  assertEquals([recovery.startupKind, recovery.activeSnapshotLsn], ["fresh_start", 1n]);
});

Deno.test("a new directory is whole as soon as it exists (W25)", () => {
  const harness = NodeHarness.start();
  harness.crash("lose");
  assertEquals(fileNames(harness.disk), ["replica.metadata", "state.wal"]);
  assertEquals(harness.reopen().startup.startupKind, "fresh_start");
});

Deno.test("starting over an existing log goes on with it and never begins another (W23)", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.kill();
  harness.reopen();
  harness.commit(create(2n));
  harness.crash();
  harness.reopen();
  for (const id of [1n, 2n]) assertEquals(harness.node.getResource(id).kind, "found");
});

Deno.test("a damaged newest snapshot costs replay time and nothing else", () => {
  const harness = checkpointedTwice();
  const expected = readAll(harness);
  harness.crash();
  harness.disk.contents("state.snapshot")[700]! ^= 4;
  harness.reopen();
  assertEquals(readAll(harness), expected);
  assertMatch(
    harness.linesWith("warn ")[0]!,
    /^warn newest snapshot is damaged, used the previous: /,
  );
  assertEquals(harness.node.startup.loadedSnapshotLsn, 40n);
  assertEquals(harness.metrics.recovery.activeSnapshotLsn, 40n);
});

Deno.test("the checkpoint after that replaces the damaged snapshot and keeps the good one", () => {
  const harness = checkpointedTwice();
  const expected = readAll(harness);
  harness.crash();
  harness.disk.contents("state.snapshot")[700]! ^= 4;
  harness.reopen();
  harness.checkpoint();
  harness.crash();
  harness.disk.contents("state.snapshot")[700]! ^= 4;
  harness.reopen();
  assertEquals(harness.node.startup.loadedSnapshotLsn, 40n, "the good one is still there");
  assertEquals(readAll(harness), expected);
});

Deno.test("a newest snapshot that is gone is no worse than a damaged one (W22)", () => {
  const harness = checkpointedTwice();
  const expected = readAll(harness);
  harness.crash();
  harness.disk.uninstall("state.snapshot");
  harness.reopen();
  assertEquals(readAll(harness), expected);
});

Deno.test("without any snapshot the log alone is enough, as long as it goes back to the beginning", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.checkpoint();
  harness.crash();
  harness.disk.uninstall("state.snapshot");
  assertEquals(harness.reopen().startup.startupKind, "wal_only");
  assertEquals(harness.node.getResource(1n).kind, "found");
});

Deno.test("a batch that was cut short by the power failure is repaired, and said", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.commit(create(2n));
  const tickets = [3n, 4n, 5n, 6n].map((id) => harness.submit(create(id)));
  harness.disk.plan({ nth: 2, effect: "crash" });
  try {
    harness.run();
  } catch {
    harness.crash("keep");
  }
  // Of the batch's two sectors the second was never written.
  harness.disk.contents("state.wal").fill(0, 1_024);
  harness.reopen();
  assertEquals(harness.linesWith("warn "), [
    "warn repaired a torn tail: nothing in it was acknowledged",
  ]);
  assertEquals(tickets.filter((ticket) => ticket.answer !== undefined), []);
  const found = [1n, 2n, 3n, 4n, 5n, 6n].map((id) => harness.node.getResource(id).kind);
  assertEquals(found.lastIndexOf("found") + 1, found.filter((kind) => kind === "found").length);
  assertEquals(found.slice(0, 2), ["found", "found"]);
  assertEquals(found[5], "not_found");
});

/** Everything readers can see of resources. */
function readAll(harness: NodeHarness): unknown[] {
  return Array.from({ length: 300 }, (_, id) => harness.node.getResource(BigInt(id)));
}
