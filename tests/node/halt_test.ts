// Failing closed. A write whose fate is unknown must be told as unknown, everything after it refused, and the
// operator must find the very line that the runbook tells him to look for. Only a new start may answer again.
import { assertEquals, assertMatch } from "@std/assert";
import { answerOf, codeOf, NodeHarness } from "../support/node_harness.ts";
import { bundle, confirm, create, reserve } from "../../testbed/sim/workload/requests.ts";
import { DenoDisk } from "../../node/io/deno_disk.ts";
import { type FaultTable, FaultyDisk } from "../../node/io/faulty_disk.ts";
import { type DiskAction, MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { ClientCommand } from "../../testbed/model/words.ts";

const PENDING: ClientCommand = {
  kind: "create_resource",
  resourceId: 2n,
  operationId: 0xabcn,
  clientId: 1n,
};

/** A node with one resource, whose next operation of that kind fails. */
function aboutToFail(action: DiskAction, seed = 0): NodeHarness {
  const harness = NodeHarness.start({ disk: new MemoryDisk({ seed }) });
  harness.advanceSlots(6);
  harness.commit(create(1n));
  harness.advanceSlots(2);
  harness.disk.plan({ nth: 1, action, effect: "io_error" });
  return harness;
}

for (const action of ["write", "sync"] as const) {
  Deno.test(`a failed ${action} of a client's batch halts with the runbook's line`, () => {
    const harness = aboutToFail(action);
    const rejection = { category: "indefinite", code: "storage_failure" } as const;
    assertEquals(harness.do(PENDING), { kind: "rejected", rejection });
    assertEquals(harness.linesWith("halting"), [
      "error halting engine on WAL error, accepting_writes set to false: operation_id=2748 " +
      `request_slot=9 applied_lsn=1 phase=${action === "sync" ? "sync" : "append"} ` +
      `error=Cannot ${action} state.wal: planned by the test`,
    ]);
    assertEquals(harness.metrics.acceptingWrites, false);
    assertEquals(harness.metrics.haltReason, `Cannot ${action} state.wal: planned by the test`);
    assertEquals(harness.metrics.counters.rejectedIndefinite, 1);
  });
}

Deno.test("a failed sync of an internal batch halts with the runbook's line", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.commit(reserve(1n, 3n));
  harness.advanceSlots(5);
  harness.disk.plan({ nth: 1, action: "sync", effect: "io_error" });
  assertEquals(harness.tick(), {
    kind: "rejected",
    rejection: { category: "indefinite", code: "storage_failure" },
  });
  assertEquals(harness.linesWith("halting"), [
    "error halting engine on internal WAL error, accepting_writes set to false: request_slot=6 " +
    "applied_lsn=2 phase=sync error=Cannot sync state.wal: planned by the test",
  ]);
});

Deno.test("a first command that fails says that nothing was applied", () => {
  const harness = NodeHarness.start();
  harness.disk.plan({ nth: 1, action: "sync", effect: "disk_full" });
  harness.do(PENDING);
  assertMatch(harness.linesWith("halting")[0]!, / applied_lsn=none phase=sync /);
});

Deno.test("a failed rotation halts: the batch was not appended", () => {
  for (const action of ["create", "rename", "sync_directory"] as const) {
    const harness = aboutToFail(action);
    const last = fillUntilHalt(harness);
    assertEquals(last, "storage_failure");
    assertMatch(harness.linesWith("halting")[0]!, / phase=append error=Cannot /);
  }
});

Deno.test("a halted node refuses every write and every read, and still answers metrics", () => {
  const harness = aboutToFail("sync");
  harness.do(PENDING);
  assertEquals(codeOf(harness.submit(create(9n))), "engine_halted");
  assertEquals(codeOf(harness.submit(PENDING)), "engine_halted", "a retry is no exception");
  assertEquals(harness.node.getResource(1n), { kind: "engine_halted" });
  assertEquals(harness.node.getResource(1n, 1n), { kind: "engine_halted" });
  assertEquals(harness.node.getReservation(1n), { kind: "engine_halted" });
  assertEquals(harness.checkpoint(), { kind: "engine_halted" });
  assertEquals(harness.tick(), {
    kind: "rejected",
    rejection: { category: "indefinite", code: "engine_halted" },
  });
  assertEquals(harness.metrics.core.lastAppliedLsn, 1n);
});

Deno.test("a halt answers everybody who waits, retries included, and lets a drain end", async () => {
  const harness = aboutToFail("sync");
  const tickets = [PENDING, PENDING, create(3n), { ...PENDING, resourceId: 8n } as ClientCommand]
    .map((command) => harness.submit(command));
  const drained = harness.node.drain();
  harness.run();
  assertEquals(tickets.map(codeOf), Array(4).fill("storage_failure"));
  assertEquals(harness.metrics.queueDepth, 0);
  await drained;
});

Deno.test("after a failed append nothing was logged: the retry executes once after recovery", () => {
  const harness = aboutToFail("write");
  harness.do(PENDING);
  harness.kill();
  harness.reopen();
  assertEquals(harness.node.startup.replayedWalFrameCount, 1);
  const outcome = { code: "ok", appliedLsn: 2n, fromRetryCache: false };
  assertEquals(harness.commit(PENDING), outcome);
  assertEquals(harness.commit(PENDING), { ...outcome, fromRetryCache: true });
});

Deno.test("after a failed sync the system still has the entry: recovery restores it, the retry is cached", () => {
  const bundleCommand = {
    ...bundle([1n, 5n]),
    operationId: 0xbn,
    clientId: 1n,
  } as ClientCommand;
  for (const command of [PENDING, bundleCommand]) {
    const harness = aboutToFail("sync");
    harness.disk.plan(undefined);
    harness.commit(create(5n));
    harness.disk.plan({ nth: 1, action: "sync", effect: "io_error" });
    assertEquals(answerOf(ticketAfterRun(harness, command)).kind, "rejected");
    harness.kill();
    harness.reopen();
    const again = harness.commit(command);
    assertEquals([again.code, again.appliedLsn, again.fromRetryCache], ["ok", 3n, true]);
    if (again.reserved === undefined) continue;
    const read = harness.node.getReservation(again.reserved.reservationId);
    assertEquals(read.kind === "found" && read.memberResourceIds, [1n, 5n], "all of the bundle");
  }
});

Deno.test("what recovery found only in memory is durable before it is served (W24)", () => {
  for (let seed = 0; seed < 20; seed++) {
    const harness = aboutToFail("sync", seed);
    harness.do(PENDING);
    harness.kill();
    harness.reopen();
    const outcome = harness.commit(PENDING);
    assertEquals(outcome.fromRetryCache, true, "it was served from what the system remembered");
    harness.crash("lose");
    harness.reopen();
    assertEquals(harness.commit(PENDING), outcome, "and survives that memory");
  }
});

Deno.test("a failed sync of an expiration leaves the resource either held or free, and only recovery tells", () => {
  for (const survival of ["keep", "lose"] as const) {
    const harness = NodeHarness.start();
    harness.commit(create(1n));
    harness.commit(reserve(1n, 3n));
    harness.advanceSlots(5);
    harness.disk.plan({ nth: 1, action: "sync", effect: "crash" });
    try {
      harness.tick();
    } catch {
      harness.crash(survival);
    }
    harness.reopen();
    const code = harness.commit(confirm(2n)).code;
    assertEquals(code, survival === "keep" ? "stale_epoch" : "ok");
  }
});

Deno.test("a segment that cannot be removed halts the node instead of refusing commands for ever", () => {
  const harness = NodeHarness.start();
  for (let i = 0; i < 60; i++) harness.do(create(BigInt(i)));
  harness.checkpoint();
  for (let i = 0; i < 60; i++) harness.do(create(BigInt(i)));
  harness.disk.plan({ nth: 1, action: "remove", effect: "permission_denied" });
  assertEquals(harness.checkpoint().kind, "done");
  assertEquals(codeOf(harness.submit(create(1n))), "engine_halted");
  assertMatch(
    harness.linesWith("halting")[0]!,
    /^error halting engine on internal WAL error, .* phase=before_append error=Cannot remove /,
  );
  harness.kill();
  harness.reopen();
  assertEquals(harness.commit(create(1n)).appliedLsn, 121n);
});

Deno.test("a node that halted on a rotation can be closed: its file is closed once", () => {
  const directory = Deno.makeTempDirSync({ prefix: "allocdb-halt-" });
  try {
    const table: FaultTable = {};
    const harness = NodeHarness.start({ over: new FaultyDisk(new DenoDisk(directory), table) });
    table.create = { fault: "disk_full" };
    assertEquals(fillUntilHalt(harness), "storage_failure");
    assertMatch(harness.metrics.haltReason!, /^Cannot create state\.wal\.next/);
    harness.node.close();
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

function ticketAfterRun(harness: NodeHarness, command: ClientCommand) {
  const ticket = harness.submit(command);
  harness.run();
  return ticket;
}

/** Fills the log until a rotation; answers how the last command ended. */
function fillUntilHalt(harness: NodeHarness): string {
  for (let i = 0; i < 200; i++) {
    const ticket = harness.submit(create(1n));
    harness.run();
    if (harness.metrics.haltReason !== undefined) return codeOf(ticket);
  }
  return "never";
}
