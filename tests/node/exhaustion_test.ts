// The end of the log's numbers. Nobody will write 2^64 entries, but a node that reaches the end must stop taking
// commands without losing any, and what it holds must stay readable, after a restart too.
import { assertEquals } from "@std/assert";
import type { ClientCommand } from "../../testbed/model/words.ts";
import { answerOf, codeOf, NodeHarness } from "../support/node_harness.ts";
import { storeAt } from "../support/late_store.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";
import { TINY_CONFIG } from "../support/core_builders.ts";

const U64_MAX = 2n ** 64n - 1n;

const FIRST: ClientCommand = {
  kind: "create_resource",
  resourceId: 1n,
  operationId: 1n,
  clientId: 1n,
};

/** A node with room for so many entries. */
function withRoom(entries: bigint): NodeHarness {
  return NodeHarness.start({ disk: storeAt(TINY_CONFIG, U64_MAX - entries, 100n) });
}

Deno.test("the last position is taken and said, and everything after it refused as definite", () => {
  const harness = withRoom(3n);
  assertEquals(harness.commit(FIRST).appliedLsn, U64_MAX - 2n);
  const tickets = [reserve(1n), create(2n), create(3n)].map((request) => harness.submit(request));
  harness.run();
  assertEquals(tickets.map(codeOf), ["ok", "ok", "lsn_exhausted"]);
  assertEquals(answerOf(tickets[2]!), {
    kind: "rejected",
    rejection: { category: "definite", code: "lsn_exhausted", lastAppliedLsn: U64_MAX - 2n },
  });
  assertEquals(harness.linesWith("exhausted"), [
    `error engine exhausted lsn space, future writes disabled: applied_lsn=${U64_MAX}`,
  ]);
  assertEquals(answerOf(harness.submit(create(4n))), {
    kind: "rejected",
    rejection: { category: "definite", code: "lsn_exhausted", lastAppliedLsn: U64_MAX },
  });
});

Deno.test("an exhausted node answers reads, retries, ticks and metrics", () => {
  const harness = withRoom(1n);
  const first = harness.commit(FIRST);
  assertEquals(harness.commit(FIRST), { ...first, fromRetryCache: true });
  assertEquals(harness.commit({ ...FIRST, resourceId: 9n }).code, "operation_conflict");
  assertEquals(harness.node.getResource(1n, U64_MAX).kind, "found");
  assertEquals(harness.tick(), {
    kind: "rejected",
    rejection: { category: "definite", code: "lsn_exhausted", lastAppliedLsn: U64_MAX },
  });
  const { acceptingWrites, haltReason, core } = harness.metrics;
  assertEquals([acceptingWrites, haltReason, core.lastAppliedLsn], [false, undefined, U64_MAX]);
});

Deno.test("an exhausted store opens again for reads, as often as one likes (W30)", () => {
  const harness = withRoom(1n);
  const first = harness.commit(FIRST);
  for (let restart = 0; restart < 3; restart++) {
    harness.crash("keep");
    harness.reopen();
    assertEquals(harness.metrics.acceptingWrites, false);
    assertEquals(harness.node.getResource(1n, U64_MAX).kind, "found");
    assertEquals(harness.commit(FIRST), { ...first, fromRetryCache: true });
    assertEquals(codeOf(harness.submit(create(4n))), "lsn_exhausted");
  }
});

Deno.test("an exhausted store can be checkpointed, and opens from that checkpoint", () => {
  const harness = withRoom(1n);
  harness.commit(FIRST);
  for (let i = 0; i < 2; i++) {
    const result = harness.checkpoint();
    assertEquals(result.kind === "done" && result.snapshotLsn, U64_MAX);
  }
  harness.crash();
  harness.reopen();
  assertEquals(harness.node.startup.startupKind, "snapshot_only");
  assertEquals(harness.node.getResource(1n).kind, "found");
});
