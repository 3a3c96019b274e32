// Logical time. Slots come from outside, and one that is wrong must neither stop the node nor shift its time:
// the log refuses to go back, so a slot that got in once can never be taken back.
import { assertEquals } from "@std/assert";
import { diskImage } from "../../testbed/sim/disk/data_directory.ts";
import { codeOf, NodeHarness } from "../support/node_harness.ts";
import type { ClientCommand } from "../../testbed/model/words.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";

const U64_MAX = 2n ** 64n - 1n;

Deno.test("a slot before the last one is refused and bricks nothing, before and after a restart (W1)", () => {
  const harness = NodeHarness.start();
  harness.advanceSlots(49);
  harness.commit(create(1n));
  const before = diskImage(harness.disk);
  for (const slot of [0n, 1n, 49n]) {
    assertEquals(codeOf(harness.submit(create(2n), slot)), "slot_rewound");
  }
  harness.run();
  assertEquals(diskImage(harness.disk), before, "the log has never heard of it");
  assertEquals(harness.commit(create(2n), 50n).code, "ok");
  harness.crash();
  harness.reopen();
  assertEquals(codeOf(harness.submit(create(3n), 49n)), "slot_rewound");
  assertEquals(harness.commit(create(3n)).code, "ok");
});

Deno.test("a slot is compared with what is queued, not only with what is applied", () => {
  const harness = NodeHarness.start();
  const ahead = harness.submit(create(1n), 60n);
  const behind = harness.submit(create(2n), 59n);
  const level = harness.submit(create(3n), 60n);
  const clocked = harness.submit(create(4n));
  harness.run();
  assertEquals([ahead, behind, level, clocked].map(codeOf), ["ok", "slot_rewound", "ok", "ok"]);
  assertEquals(harness.metrics.core.lastRequestSlot, 60n, "the clock's own slot was raised");
});

Deno.test("a slot far ahead is refused: nobody can take the others' time away (W2)", () => {
  const harness = NodeHarness.start();
  const key = { operationId: 5n, clientId: 1n };
  const command = { ...create(1n), ...key } as ClientCommand;
  harness.commit(command);
  harness.commit(reserve(1n));
  for (const slot of [102n, 2n ** 63n, U64_MAX - 100n]) {
    assertEquals(codeOf(harness.submit(create(2n), slot)), "slot_too_far");
  }
  assertEquals(codeOf(harness.submit(create(2n), U64_MAX)), "slot_overflow");
  harness.node.tickExpirations(2n ** 63n, (outcome) => {
    assertEquals(outcome.kind === "rejected" && outcome.rejection.code, "slot_too_far");
  });
  harness.run();
  assertEquals(harness.commit(command).fromRetryCache, true, "no retry window has been cut short");
  const read = harness.node.getResource(1n);
  assertEquals(read.kind === "found" && read.currentReservationId, 2n, "nothing has expired");
  assertEquals(harness.commit(create(2n)).code, "ok", "and others go on");
});

Deno.test("many slots a little ahead are refused, too: nobody takes the others' time away step by step (W2)", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.commit(reserve(1n));
  const codes = Array.from({ length: 50 }, (_, i) => {
    const code = codeOf(harness.submit(create(BigInt(i)), harness.node.currentSlot() + 100n));
    harness.run();
    return code;
  });
  assertEquals(new Set(codes.slice(1)), new Set(["slot_too_far"]));
  assertEquals(harness.node.currentSlot(), 101n, "one lead, not fifty");
  assertEquals(harness.commit(create(2n), 101n).code, "ok", "the last slot itself is still good");
});

Deno.test("the clock gives each turn one slot, and never one that was passed", () => {
  const harness = NodeHarness.start();
  assertEquals(harness.node.currentSlot(), 1n);
  harness.advanceSlots(4);
  harness.commit(create(1n));
  assertEquals(harness.metrics.core.lastRequestSlot, 5n);
  harness.clock.ms -= 10_000;
  harness.commit(create(2n));
  assertEquals(harness.metrics.core.lastRequestSlot, 5n, "a clock that goes back is not followed");
  harness.clock.ms += 10_000;
  harness.commit(create(3n), 90n);
  assertEquals(harness.node.currentSlot(), 90n, "an explicit slot counts from then on");
});

Deno.test("time that a node was down does not count: holds may last longer, never shorter", () => {
  const harness = NodeHarness.start();
  harness.advanceSlots(30);
  harness.commit(create(1n));
  const { reserved } = harness.commit(reserve(1n, 8n));
  assertEquals(reserved?.deadlineSlot, 39n);
  harness.crash();
  harness.advanceSlots(1_000);
  harness.reopen();
  assertEquals(harness.node.currentSlot(), 31n);
  harness.advanceSlots(8);
  assertEquals(harness.tick(), { kind: "applied", processedCount: 0, lastAppliedLsn: undefined });
  harness.advanceSlots(1); // Slot 39 is over.
  assertEquals(harness.tick(), { kind: "applied", processedCount: 1, lastAppliedLsn: 3n });
});

Deno.test("an explicit slot advances the log's time without any tick: what is due stays held", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n), 1n);
  harness.commit(reserve(1n, 2n), 1n);
  harness.commit(create(2n), 3n);
  const { core } = harness.node.metrics(7n);
  assertEquals([core.expirationBacklog, core.logicalSlotLag], [1, 4n]);
  assertEquals(harness.commit(reserve(1n), 7n).code, "resource_busy");
});
