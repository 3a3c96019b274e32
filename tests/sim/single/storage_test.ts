// What storage does to a node: it halts as soon as a write's fate is unknown, a start finds out, and a retry learns what
// happened. Damage that no crash explains is refused.
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Request } from "../../../testbed/sim/workload/plain.ts";
import { type Expired, SingleNode } from "../../../testbed/sim/single/harness.ts";
import { codeOf, outcomeOf, type Ticket } from "../../../testbed/sim/single/ticket.ts";
import { diskImage } from "../../../testbed/sim/disk/data_directory.ts";
import {
  bundle,
  confirm,
  create,
  reclaim,
  release,
  reserve,
  revoke,
} from "../../../testbed/sim/workload/requests.ts";

/** A node with two resources at lsns 1 and 2. */
function prepared(): SingleNode {
  const single = SingleNode.start();
  single.submit(create(1n));
  single.submit(create(2n));
  single.advanceTo(2n);
  return single;
}

/** It was not done for all that anybody knows, and nothing more is until the next start. */
function assertHalted(single: SingleNode, ticket: Ticket): void {
  assertEquals(codeOf(ticket), "storage_failure");
  assertEquals(single.metrics().acceptingWrites, false);
  assertEquals(codeOf(single.submit(create(8n))), "engine_halted");
  assertEquals(codeOf(single.submit(ticket.command)), "engine_halted", "a retry is no exception");
  assertEquals(single.node.getResource(1n).kind, "engine_halted");
}

/** Starts the node again; answers how many entries it replayed. */
function replayed(single: SingleNode): number {
  const started = single.restart("kill");
  assert(started.kind === "started");
  return started.startup.replayedWalFrameCount;
}

const WRITES: Record<string, Request> = { create: create(3n), bundle: bundle([2n, 1n]) };

for (const [name, request] of Object.entries(WRITES)) {
  Deno.test(`a sync fails under a ${name}: the node halts, a start replays the entry, and a retry is answered from memory`, () => {
    for (const fault of ["sync", "after_append"] as const) {
      const single = prepared();
      single.failNextPersist(fault);
      const ticket = single.submit(request);
      assertHalted(single, ticket);
      assertEquals(replayed(single), 3);
      const again = outcomeOf(single.submit(ticket.command));
      assertEquals([again.code, again.appliedLsn, again.fromRetryCache], ["ok", 3n, true]);
      if (request.kind !== "reserve_bundle") continue;
      const read = single.node.getReservation(3n);
      assertEquals(read.kind === "found" && read.memberResourceIds, [2n, 1n], "all of it");
    }
  });
}

Deno.test("a bundle whose sync failed is there as a whole or not at all when the power fails, too", () => {
  for (let seed = 0; seed < 20; seed++) {
    const single = SingleNode.start({ seed });
    for (const id of [1n, 2n, 3n, 4n]) single.submit(create(id));
    single.injectStorageFault({ kind: "sync_failure" });
    single.submit(bundle([4n, 3n, 2n, 1n]));
    assertEquals(single.restart("lose").kind, "started");
    const held = [1n, 2n, 3n, 4n].filter((id) => {
      const read = single.node.getResource(id);
      return read.kind === "found" && read.currentReservationId !== undefined;
    });
    assert(held.length === 0 || held.length === 4);
  }
});

Deno.test("a sync fails under an expiration: the node halts, and a start replays it", () => {
  const single = prepared();
  single.submit(reserve(1n, 2n));
  single.advanceTo(6n);
  single.injectStorageFault({ kind: "sync_failure" });
  const { outcome } = single.tick();
  assert(outcome?.kind === "rejected");
  assertEquals(outcome.rejection, { category: "indefinite", code: "storage_failure" });
  assertEquals(single.metrics().acceptingWrites, false);
  assertEquals(replayed(single), 4);
  const resource = single.node.getResource(1n);
  assertEquals(resource.kind === "found" && resource.currentReservationId, undefined);
  assertEquals(single.tick().expired, [] as Expired[], "it has expired once");
});

Deno.test("an append fails: the node halts and nothing is logged; a retry runs once after a start", () => {
  const single = prepared();
  single.injectStorageFault({ kind: "append_failure" });
  const ticket = single.submit(create(3n));
  assertHalted(single, ticket);
  assertEquals(replayed(single), 2);
  const fresh = outcomeOf(single.submit(ticket.command));
  assertEquals([fresh.code, fresh.appliedLsn, fresh.fromRetryCache], ["ok", 3n, false]);
  assertEquals(outcomeOf(single.submit(ticket.command)), { ...fresh, fromRetryCache: true });
});

// A disk tears by the sector, so the two bytes take with them what else is in theirs; and a log is a file of fixed length, in
// which what was never written is zero.
Deno.test("the last 2 bytes of a write after a checkpoint are torn: only the snapshot counts, and the write runs at its lsn again", () => {
  const single = prepared();
  assertEquals(single.checkpoint()?.kind, "done");
  single.armNextEngineCrash(1, ["client_after_wal_sync"]);
  const ticket = single.submit(create(3n));
  single.injectStorageFault({ kind: "torn_tail", truncateBytes: 2 });
  const started = single.restart("keep");
  assert(started.kind === "started");
  assertEquals(started.startup.startupKind, "snapshot_only");
  assertEquals(started.startup.loadedSnapshotLsn, 2n);
  const fresh = outcomeOf(single.submit(ticket.command));
  assertEquals([fresh.code, fresh.appliedLsn, fresh.fromRetryCache], ["ok", 3n, false]);
});

Deno.test("a write that reaches over the edge of a sector is torn there, and counts as never written", () => {
  for (let before = 0; before < 8; before++) {
    const single = SingleNode.start();
    for (let id = 0n; id < before; id++) single.submit(create(id));
    single.checkpoint();
    single.armNextEngineCrash(1, ["client_after_wal_sync"]);
    const ticket = single.submit(bundle([1n, 2n, 3n, 4n]));
    single.injectStorageFault({ kind: "torn_tail", truncateBytes: 2 });
    assertEquals(single.restart("keep").kind, "started");
    assertEquals(outcomeOf(single.submit(ticket.command)).appliedLsn, BigInt(before + 1));
  }
});

Deno.test("a bit of the last entry is flipped: a start refuses, names the place, and changes nothing", () => {
  const single = prepared();
  single.injectStorageFault({ kind: "corrupt_last_frame" });
  const before = diskImage(single.disk);
  const started = single.restart("keep");
  assert(started.kind === "refused");
  assertEquals(started.failure, "wal_file");
  assertMatch(started.error, /^state\.wal at byte \d+: invalid_payload_checksum$/);
  assertEquals(diskImage(single.disk), before);
});

Deno.test("a process ends after the sync and before it applies: a start has the entry, and a retry is answered from memory", () => {
  for (const how of ["kill", "lose"] as const) {
    const single = prepared();
    single.armNextEngineCrash(1, ["client_after_wal_sync"]);
    const ticket = single.submit(reserve(1n));
    assertEquals(codeOf(ticket), "nothing");
    assertEquals(single.restart(how).kind, "started");
    const again = outcomeOf(single.submit(ticket.command));
    assertEquals([again.code, again.appliedLsn, again.fromRetryCache], ["ok", 3n, true]);
  }
});

// The second point has the name of what others do there: a checkpoint here rewrites nothing, it removes whole files of the log.
for (const point of ["checkpoint_after_snapshot_write", "checkpoint_after_wal_rewrite"] as const) {
  Deno.test(`${point}: a start goes on from the new snapshot alone, and both resources are there`, () => {
    for (const how of ["kill", "lose"] as const) {
      const single = prepared();
      single.armNextEngineCrash(1, [point]);
      assertEquals(single.checkpoint(), undefined);
      const started = single.restart(how);
      assert(started.kind === "started");
      const { startupKind, loadedSnapshotLsn } = started.startup;
      assertEquals([startupKind, loadedSnapshotLsn], ["snapshot_only", 2n]);
      assertEquals([1n, 2n].map((id) => single.node.getResource(id).kind), ["found", "found"]);
    }
  });
}

// A start replays a file of the log from memory: between two frames it does nothing that a crash could be seen by, so the
// second of two frames is the end of their file.
for (
  const point of [
    "recovery_after_snapshot_load",
    "recovery_after_wal_truncate",
    "recovery_after_replay_frame",
  ] as const
) {
  Deno.test(`${point}: that start ends, and the next replays everything`, () => {
    for (const how of ["kill", "lose"] as const) {
      const single = prepared();
      single.armNextRecoveryCrash(1, [point]);
      assertEquals(single.restart(how).kind, "crashed");
      assertEquals(replayed(single), 2);
      assertEquals([1n, 2n].map((id) => single.node.getResource(id).kind), ["found", "found"]);
    }
  });
}

Deno.test("a revoke survives a start: a late release and an early reserve fail, and after a reclaim somebody else gets it", () => {
  const single = prepared();
  single.submit(reserve(1n));
  single.submit(confirm(3n));
  assertEquals(codeOf(single.submit(revoke(3n))), "ok");
  single.restart("lose");
  const read = single.node.getReservation(3n);
  assertEquals(read.kind === "found" && read.epoch, 2n);
  assertEquals(codeOf(single.submit(release(3n))), "stale_epoch");
  assertEquals(codeOf(single.submit(reserve(1n))), "resource_busy");
  assertEquals(codeOf(single.submit(reclaim(3n))), "ok");
  const regranted = outcomeOf(single.submit(reserve(1n)));
  assertEquals(regranted.code, "ok");
  assert(regranted.reserved!.reservationId !== 3n);
});
