// Operators find out what a replica did by searching its log for texts that they know from the runbook: the texts are a contract,
// and each must be written when that happens, once.
import { assertEquals } from "@std/assert";
import { makeReplicaDirectory } from "../../testbed/sim/world/directory.ts";
import { TINY_CONFIG } from "../../tests/support/core_builders.ts";
import { type LoneReplica, openAlone } from "../../tests/support/lone_replica.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { sampleMetadata } from "../../tests/support/metadata.ts";
import { NodeHarness } from "../../tests/support/node_harness.ts";
import { create } from "../../testbed/sim/workload/requests.ts";
import { changeMetadata } from "../../tests/support/stored_replica.ts";
import { ACTIVE_SEGMENT } from "../log/files.ts";
import { METADATA_FILE } from "../metadata/metadata.ts";
import { preparedFacts, transitionLine } from "./lines.ts";

const NOTHING_PREPARED = { preparedCount: 0n, highestPreparedLsn: undefined };

Deno.test("transitionLine() is the runbook's line, with every old and new value", () => {
  const before = sampleMetadata({
    view: 0n,
    logView: 0n,
    vote: null,
    commitOpHint: 0n,
    snapshotOpHint: 0n,
  });
  const voted = {
    ...before,
    view: 8n,
    role: "view_uncertain",
    vote: { view: 8n, replica: 1n },
    commitOpHint: 41n,
  } as const;
  assertEquals(
    transitionLine(before, voted, { preparedCount: 3n, highestPreparedLsn: 44n }),
    "replica metadata transition: action=record_durable_vote replica_id=2 shard_id=3 " +
      "role=backup=>view_uncertain current_view=0=>8 commit_lsn=none=>41 " +
      "active_snapshot_lsn=none=>none last_normal_view=none=>none " +
      "durable_vote=none=>view:8 voted_for:1 prepared_count=3 highest_prepared_lsn=44",
  );
  const leading = {
    ...voted,
    logView: 8n,
    role: "primary",
    vote: null,
    snapshotOpHint: 40n,
  } as const;
  assertEquals(
    transitionLine(voted, leading, NOTHING_PREPARED),
    "replica metadata transition: action=configure_normal_role replica_id=2 shard_id=3 " +
      "role=view_uncertain=>primary current_view=8=>8 commit_lsn=41=>41 " +
      "active_snapshot_lsn=none=>40 last_normal_view=none=>8 " +
      "durable_vote=view:8 voted_for:1=>none prepared_count=0 highest_prepared_lsn=none",
  );
});

Deno.test("transitionLine() names the action by what has changed", () => {
  const base = sampleMetadata({ role: "primary", vote: null });
  const vote = { view: 8n, replica: 1n };
  const actionOf = (now: Partial<typeof base>, before: Partial<typeof base> = {}): string =>
    /action=(\w+)/.exec(
      transitionLine({ ...base, ...before }, { ...base, ...now }, NOTHING_PREPARED),
    )![1]!;
  assertEquals(actionOf({ role: "backup" }), "configure_normal_role");
  assertEquals(actionOf({ role: "primary", vote }), "configure_normal_role");
  assertEquals(actionOf({ role: "view_uncertain", vote }), "record_durable_vote");
  assertEquals(actionOf({ role: "view_uncertain" }), "enter_view_uncertain");
  assertEquals(actionOf({ role: "view_uncertain", vote }, { vote }), "enter_view_uncertain");
  assertEquals(
    actionOf({ role: "view_uncertain", vote }, { vote: { view: 7n, replica: 3n } }),
    "record_durable_vote",
  );
  assertEquals(actionOf({ role: "recovering" }), "enter_view_uncertain");
});

Deno.test("preparedFacts() counts what is in the log and not applied", () => {
  assertEquals(preparedFacts(0n, 0n), NOTHING_PREPARED);
  assertEquals(preparedFacts(9n, 9n), NOTHING_PREPARED);
  assertEquals(preparedFacts(12n, 9n), { preparedCount: 3n, highestPreparedLsn: 12n });
});

/** A replica's directory with 25 entries, 22 of them known to be committed. */
function directory(): NodeHarness {
  const harness = NodeHarness.start({ core: { maxResources: 100, maxOperations: 100 } });
  for (let i = 1n; i <= 25n; i++) harness.commit(create(i));
  const hints = { commitOpHint: 22n, snapshotOpHint: 0n };
  const changes = { configEpoch: 1n, view: 1n, logView: 1n, role: "backup", ...hints } as const;
  changeMetadata(harness.disk, changes);
  return harness;
}

/** What it has written since, less the lines of every start. */
function linesOf({ lines }: LoneReplica): string[] {
  return lines.splice(0).filter((line) => !/^info (recovery complete|replica metadata)/.test(line));
}

Deno.test("a replica says with what it starts", () => {
  const disk = new MemoryDisk();
  const core = TINY_CONFIG;
  makeReplicaDirectory(disk, { replicaId: 2n, core, role: "backup", segmentBytes: 4_096 });
  assertEquals(linesOf(openAlone(disk, core)), [
    "info bootstrapped replica metadata: replica_id=2 shard_id=0 role=backup current_view=0 " +
    "commit_lsn=none active_snapshot_lsn=none last_normal_view=none durable_vote=none " +
    "highest_prepared_lsn=none",
  ]);
  const { disk: older, core: olderCore } = directory();
  assertEquals(linesOf(openAlone(older, olderCore)), [
    "info bootstrapped recovered replica metadata: replica_id=1 shard_id=0 role=backup " +
    "current_view=1 commit_lsn=22 active_snapshot_lsn=none last_normal_view=1 " +
    "durable_vote=none highest_prepared_lsn=25",
  ]);
  changeMetadata(older, { role: "recovering" });
  assertEquals(linesOf(openAlone(older, olderCore)).map((line) => line.slice(0, 87)), [
    "warn replica does not count until it has caught up: reason=it has lost what it promised",
    "info bootstrapped recovered replica metadata: replica_id=1 shard_id=0 role=recovering c",
  ]);
});

Deno.test("a new primary says when it commits what earlier views left, and when it has", () => {
  const { disk, core } = directory();
  const alone = openAlone(disk, core, [1n]);
  alone.lines.splice(0, 2);
  alone.run(100);
  assertEquals(linesOf(alone), [
    "info committing prepared prefix: replica_id=1 shard_id=0 role=primary current_view=1 " +
    "commit_lsn=22 prepared_count=3 highest_prepared_lsn=25",
    "info committed prepared prefix: replica_id=1 shard_id=0 role=primary current_view=1 " +
    "commit_lsn=25",
  ]);
  alone.run(100);
  assertEquals(linesOf(alone), [], "once");
});

Deno.test("a backup says what it drops for a later view, and an operator hears what is under way", () => {
  const harness = directory();
  const hash = harness.node.writer.hashAt(23n)!;
  const lone = openAlone(harness.disk, harness.core);
  lone.lines.splice(0, 2);
  lone.replica.startViewChange();
  lone.run();
  assertEquals(linesOf(lone).length, 1);
  lone.replica.receive(2n, {
    ...{ kind: "start_view", view: 5n, op: 23n, hash, commitOp: 22n, round: 1n, slot: 0n },
  });
  lone.run();
  assertEquals(linesOf(lone), [
    "info discarding uncommitted suffix: replica_id=1 shard_id=0 role=view_uncertain " +
    "current_view=5 commit_lsn=22 discarded_count=2 highest_prepared_lsn=25=>23",
  ]);
  lone.replica.startViewChange();
  lone.run();
  assertEquals(linesOf(lone), [], "it follows");
});

Deno.test("a replica that cannot go on says on which path and why", () => {
  const where = "replica_id=1 shard_id=0 role=backup current_view=1 commit_lsn=22";
  const harness = directory();
  harness.disk.contents(ACTIVE_SEGMENT)[520]! ^= 1;
  const alone = openAlone(harness.disk, harness.core, [1n]);
  const reason = "state.wal at byte 512: invalid_magic";
  assertEquals(linesOf(alone).filter((line) => line.includes("fault")), [
    `error faulting replica after open-path validation: ${where} reason=${reason}`,
    `error replica enters faulted state: reason=${reason}`,
  ]);
  const other = directory();
  const running = openAlone(other.disk, other.core);
  other.disk.contents(METADATA_FILE).fill(0xdb);
  other.disk.failing = "io_error";
  running.replica.receive(2n, { kind: "start_view_change", view: 2n });
  running.replica.startViewChange();
  running.run(100);
  other.disk.failing = undefined;
  running.run(3_000);
  assertEquals(
    linesOf(running).filter((line) => line.includes("metadata load failed")).map((line) =>
      line.slice(0, 73)
    ),
    ["error faulting replica before engine start because metadata load failed: "],
  );
});
