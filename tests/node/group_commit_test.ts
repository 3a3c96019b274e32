// One write and one sync for all that waits: what makes the node fast, and what must never let an answer out
// before its sync. The disk counts, and a slow disk shows what happens meanwhile.
import { assertEquals, assertLess } from "@std/assert";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { answerOf, codeOf, NodeHarness, TINY_ENGINE } from "../support/node_harness.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";

/** Disk operations of one flush: a write and a sync. */
const FLUSH_OPERATIONS = 2;

/** A node that has flushed once, so that the zeros ahead of its log are written. */
function warm(disk: MemoryDisk = new MemoryDisk()): NodeHarness {
  const harness = NodeHarness.start({ disk, engine: { maxSubmissionQueue: 64 } });
  harness.commit(create(1_000n));
  return harness;
}

Deno.test("all commands of a turn are written with one write and one sync (W34)", () => {
  const harness = warm();
  const operations = harness.disk.operations;
  const tickets = Array.from({ length: 15 }, (_, i) => harness.submit(create(BigInt(i))));
  assertEquals(harness.disk.operations, operations, "nothing is written while commands arrive");
  assertEquals(tickets.map(codeOf), Array(15).fill("nothing"));
  harness.run();
  assertEquals(harness.disk.operations, operations + FLUSH_OPERATIONS);
  assertEquals(harness.metrics.wal.syncCount, 2);
  assertEquals(tickets.map(codeOf).filter((code) => code === "nothing"), []);
  assertEquals(harness.metrics.core.lastAppliedLsn, 16n);
});

Deno.test("commands that arrive during a sync wait for the next one, together", () => {
  const harness = warm(new MemoryDisk({ deferred: true }));
  const first = [harness.submit(create(1n))];
  harness.turn();
  const second = [2n, 3n, 4n].map((id) => harness.submit(create(id)));
  harness.turn();
  assertEquals([...first, ...second].map(codeOf), Array(4).fill("nothing"), "no sync, no answer");
  assertEquals(harness.metrics.queueDepth, 4);
  harness.disk.settle();
  assertEquals([...first, ...second].map(codeOf), ["ok", "nothing", "nothing", "nothing"]);
  harness.run();
  assertEquals(second.map(codeOf), ["ok", "ok", "ok"]);
  assertEquals(harness.metrics.wal.syncCount, 3);
});

Deno.test("no answer gets out before its sync: what was answered survives a power failure then", () => {
  for (let turns = 0; turns < 8; turns++) {
    const harness = warm(new MemoryDisk({ deferred: true }));
    const tickets = Array.from({ length: 6 }, (_, i) => {
      const ticket = harness.submit(reserve(1_000n, 8n, BigInt(i)));
      if (i < turns) harness.turn();
      return ticket;
    });
    if (turns > 4) harness.disk.settle();
    const answered = tickets.filter((ticket) => ticket.answer !== undefined).length;
    harness.crash("lose");
    harness.reopen();
    const applied = harness.metrics.core.lastAppliedLsn!;
    assertLess(answered, Number(applied), "the create and everything answered");
  }
});

Deno.test("a batch takes positions in the order of submission and is seen as a whole", () => {
  const harness = warm();
  const tickets = [create(1n), reserve(1n), create(2n)].map((request) => harness.submit(request));
  assertEquals(harness.node.getResource(1n), { kind: "not_found", observedLsn: 1n });
  harness.run();
  const lsns = tickets.map((ticket) => {
    const answer = answerOf(ticket);
    return answer.kind === "committed" ? answer.outcome.appliedLsn : undefined;
  });
  assertEquals(lsns, [2n, 3n, 4n]);
  const read = harness.node.getResource(1n);
  assertEquals(read.kind === "found" && read.currentReservationId, 3n);
});

Deno.test("a batch is bounded in bytes: what does not fit is overloaded, and fits the next one", () => {
  const harness = NodeHarness.start({ segmentBytes: 2_048, engine: { maxSubmissionQueue: 64 } });
  const tickets = Array.from({ length: 16 }, (_, i) => harness.submit(create(BigInt(i))));
  const codes = tickets.map(codeOf);
  assertEquals(codes, [...Array(12).fill("nothing"), ...Array(4).fill("overloaded")]);
  harness.run();
  assertEquals(harness.metrics.core.lastAppliedLsn, 12n);
  assertEquals(codeOf(harness.submit(create(9n))), "nothing");
});

Deno.test("the queue is bounded in entries, and its figure is what is sequenced but not applied", () => {
  const harness = NodeHarness.start({ disk: new MemoryDisk({ deferred: true }) });
  for (let i = 0; i < TINY_ENGINE.maxSubmissionQueue; i++) harness.submit(create(BigInt(i)));
  assertEquals(harness.metrics.queueDepth, TINY_ENGINE.maxSubmissionQueue);
  assertEquals(harness.metrics.wal.applyGap, TINY_ENGINE.maxSubmissionQueue);
  harness.turn();
  assertEquals(codeOf(harness.submit(create(99n))), "overloaded", "being written is still queued");
  harness.run();
  assertEquals([harness.metrics.queueDepth, harness.metrics.wal.applyGap], [0, 0]);
});

Deno.test("a drain ends when everything taken in is answered and not before", async () => {
  const harness = warm(new MemoryDisk({ deferred: true }));
  const ticket = harness.submit(create(1n));
  let isDrained = false;
  const drained = harness.node.drain().then(() => isDrained = true);
  harness.turn();
  await Promise.resolve();
  assertEquals([isDrained, codeOf(ticket)], [false, "nothing"]);
  harness.run();
  await drained;
  assertEquals(codeOf(ticket), "ok");
});
