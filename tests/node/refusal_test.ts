// What a node must not serve: whatever it cannot have written itself. It says so with the runbook's line and
// leaves every byte alone, so that nothing is lost that somebody could still save.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Node } from "../../node/node.ts";
import { logSizes } from "../../node/open_node.ts";
import { recover, type RecoveryRefusal } from "../../node/recover.ts";
import { CHECKPOINTED_CORE, checkpointedTwice } from "../support/checkpointed.ts";
import { CLUSTER_ID, diskImage, fileNames } from "../../testbed/sim/disk/data_directory.ts";
import { NodeHarness } from "../support/node_harness.ts";
import { create } from "../../testbed/sim/workload/requests.ts";

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
      core: CHECKPOINTED_CORE,
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
