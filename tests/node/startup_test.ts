// How a node comes up: which files it went by, what it says about them, and that it refuses, without touching
// anything, whatever it cannot have written itself.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Node } from "../../node/node.ts";
import { logSizes } from "../../node/open_node.ts";
import { recover, type RecoveryRefusal } from "../../node/recover.ts";
import { CLUSTER_ID, diskImage, fileNames, NodeHarness } from "../support/node_harness.ts";
import { create, reserve } from "../support/requests.ts";

/** Writes so much that the log rotates. */
function writeMuch(harness: NodeHarness, from: number): void {
  for (let i = 0; i < 40; i++) harness.do(create(BigInt(from + i)));
}

/** A node that was checkpointed twice with a long log in between, so that old segments are gone. */
function checkpointedTwice(): NodeHarness {
  const harness = NodeHarness.start({ core: { maxOperations: 200, maxResources: 500 } });
  for (let round = 0; round < 2; round++) {
    writeMuch(harness, round * 100);
    assertEquals(harness.checkpoint().kind, "done");
  }
  writeMuch(harness, 200);
  harness.commit(reserve(1n));
  return harness;
}

/** What a start refuses, with a check that it left every byte alone. */
function refusalOf(harness: NodeHarness): RecoveryRefusal {
  const before = diskImage(harness.disk);
  const opened = harness.open();
  assert(!(opened instanceof Node), "it must not start");
  assertEquals(diskImage(harness.disk), before, "a refusal changes nothing");
  return opened;
}

function lastError(harness: NodeHarness): string {
  return harness.lines.filter((line) => line.startsWith("error ")).at(-1)!;
}

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

Deno.test("without any snapshot a log that begins later is refused: state would be missing (W22)", () => {
  const harness = checkpointedTwice();
  harness.crash();
  harness.disk.uninstall("state.snapshot");
  harness.disk.uninstall("state.snapshot.previous");
  const refusal = refusalOf(harness);
  assertEquals(refusal.failure, "wal_file");
  assertMatch(
    lastError(harness),
    /^error recovery failed while scanning wal: wal_path=state\.wal snapshot_path=state\.snapshot error=.*the log starts at op \d+ but the snapshot reaches only op 0$/,
  );
});

Deno.test("two damaged snapshots are refused (W21)", () => {
  const harness = checkpointedTwice();
  harness.crash();
  for (const name of ["state.snapshot", "state.snapshot.previous"]) {
    harness.disk.contents(name)[700]! ^= 4;
  }
  assertEquals(refusalOf(harness).failure, "snapshot_file");
  assertMatch(
    lastError(harness),
    /^error recovery failed while loading snapshot: snapshot_path=state\.snapshot wal_path=state\.wal error=/,
  );
});

Deno.test("a log that is gone is refused, with a snapshot and without", () => {
  for (const harness of [NodeHarness.start(), checkpointedTwice()]) {
    harness.crash();
    for (const name of fileNames(harness.disk)) {
      if (name.startsWith("state.wal")) harness.disk.uninstall(name);
    }
    const refusal = refusalOf(harness);
    assertEquals(refusal.failure, "wal_file");
    assertStringIncludes(refusal.error, "the log is missing");
  }
});

Deno.test("a log that is gone is not begun anew behind a snapshot, even where a new one is allowed", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.checkpoint();
  harness.crash();
  harness.disk.uninstall("state.wal");
  const before = diskImage(harness.disk);
  const { core } = harness;
  const refused = recover({
    disk: harness.disk,
    clusterId: CLUSTER_ID,
    core,
    hashSeed: 1,
    logOptions: logSizes(4_096),
    expectFresh: true,
  });
  assertEquals(refused.kind, "refused");
  assertEquals(diskImage(harness.disk), before);
});

Deno.test("any one segment that is gone is refused, unless its successor supersedes it", () => {
  const harness = checkpointedTwice();
  harness.kill();
  harness.reopen();
  harness.crash("keep");
  const expected = harness.disk.crash("keep");
  let refused = 0;
  for (const name of fileNames(expected).filter((name) => name.startsWith("state.wal"))) {
    const trial = new NodeHarness({
      disk: expected.crash("keep"),
      core: { maxOperations: 200, maxResources: 500 },
    });
    trial.disk.uninstall(name);
    const before = diskImage(trial.disk);
    if (trial.open() instanceof Node) continue;
    assertEquals(diskImage(trial.disk), before);
    refused++;
  }
  assert(refused >= 3, `only ${refused} were refused`);
});

Deno.test("a log older than its snapshot is refused: acknowledged commands would be missing", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  const older = harness.disk.contents("state.wal").slice();
  for (let id = 2n; id < 6n; id++) harness.commit(create(id));
  harness.checkpoint();
  harness.crash();
  harness.disk.install("state.wal", older);
  const refusal = refusalOf(harness);
  assertStringIncludes(refusal.error, "the log ends at op 1 but the snapshot reaches op 5");
});

Deno.test("a log of another history is refused although it is long enough", () => {
  const one = NodeHarness.start();
  const two = NodeHarness.start();
  for (let id = 1n; id < 6n; id++) {
    one.commit(create(id));
    two.commit(create(id + 1n));
  }
  one.checkpoint();
  one.crash();
  two.crash();
  one.disk.install("state.wal", two.disk.contents("state.wal").slice());
  assertStringIncludes(refusalOf(one).error, "the log's history is not the snapshot's");
});

Deno.test("other bounds than those the data was made with are refused (W26)", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.crash();
  const changes = [
    { shardId: 1n },
    { maxTtlSlots: 9n },
    { maxClientRetryWindowSlots: 9n },
    { maxResources: 9 },
  ];
  for (const core of changes) {
    const other = new NodeHarness({ disk: harness.disk.crash("keep"), core });
    assertEquals(refusalOf(other).failure, "config");
    assertMatch(lastError(other), /^error recovery aborted due to invalid configuration: /);
  }
});

Deno.test("a length that was damaged in mid-log cuts nothing off: it is refused (W20)", () => {
  const harness = NodeHarness.start();
  for (let id = 1n; id < 6n; id++) harness.commit(create(id));
  harness.crash();
  const LENGTH_AT = 512 + 12;
  for (let bit = 0; bit < 24; bit++) {
    const trial = new NodeHarness({ disk: harness.disk.crash("keep") });
    trial.disk.contents("state.wal")[LENGTH_AT + (bit >> 3)]! ^= 1 << (bit & 7);
    assertEquals(refusalOf(trial).failure, "wal_file");
  }
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
