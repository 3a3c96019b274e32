// Strict reads: a reader who names a position sees at least that position or is told at once that he cannot.
import { assertEquals } from "@std/assert";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { NodeHarness } from "../support/node_harness.ts";
import { create, release, reserve } from "../../testbed/sim/workload/requests.ts";

const U64_MAX = 2n ** 64n - 1n;

Deno.test("a read is served from its position on and fenced before it, before the first command too", () => {
  const harness = NodeHarness.start();
  const fenced = (requiredLsn: bigint, lastAppliedLsn: bigint | undefined) => ({
    kind: "fence_not_applied",
    requiredLsn,
    lastAppliedLsn,
  });
  assertEquals(harness.node.getResource(1n, 0n), { kind: "not_found", observedLsn: undefined });
  assertEquals(harness.node.getResource(1n, 1n), fenced(1n, undefined) as never);
  harness.commit(create(1n));
  const found = harness.node.getResource(1n);
  assertEquals(found.kind === "found" && found.observedLsn, 1n);
  for (const fence of [undefined, 0n, 1n]) assertEquals(harness.node.getResource(1n, fence), found);
  for (const fence of [2n, U64_MAX]) {
    assertEquals(harness.node.getResource(1n, fence), fenced(fence, 1n) as never);
    assertEquals(harness.node.getReservation(1n, fence), fenced(fence, 1n) as never);
  }
});

Deno.test("a read does not see what is written but not yet durable", () => {
  const harness = NodeHarness.start({ disk: new MemoryDisk({ deferred: true }) });
  harness.submit(create(1n));
  harness.turn();
  assertEquals(harness.node.getResource(1n), { kind: "not_found", observedLsn: undefined });
  assertEquals(harness.node.getResource(1n, 1n).kind, "fence_not_applied");
  harness.run();
  assertEquals(harness.node.getResource(1n, 1n).kind, "found");
});

Deno.test("a reservation reads as found, then as retired, and unknown ones as not found", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  const { reservationId } = harness.commit(reserve(1n)).reserved!;
  harness.commit(release(reservationId));
  const end = 1n + harness.core.reservationHistoryWindowSlots;
  const read = (slot: bigint) => harness.node.getReservation(reservationId, 3n, slot);
  const view = read(1n);
  assertEquals(view.kind === "found" && [view.epoch, view.releasedLsn, view.retireAfterSlot], [
    2n,
    3n,
    end,
  ]);
  assertEquals(read(end), view, "the caller's slot decides");
  assertEquals(read(end + 1n), { kind: "retired", observedLsn: 3n });
  harness.advanceSlots(20);
  assertEquals(harness.node.getReservation(reservationId), { kind: "retired", observedLsn: 3n });
  harness.commit(create(2n));
  assertEquals(
    read(1n),
    { kind: "retired", observedLsn: 4n },
    "the record is gone, its id is remembered",
  );
  assertEquals(harness.node.getReservation(reservationId + 1n), {
    kind: "not_found",
    observedLsn: 4n,
  });
  assertEquals(harness.node.getReservation(reservationId + (1n << 64n)), {
    kind: "not_found",
    observedLsn: 4n,
  });
});
