// Expiring what is due. Late is allowed and early never; a holder who was in time wins; and a tick leaves the
// lines by which an operator follows it.
import { assertEquals } from "@std/assert";
import { ANY_SLOT_LEAD } from "../../node/recover.ts";
import { codeOf, NodeHarness } from "../support/node_harness.ts";
import { bundle, confirm, create, reserve } from "../../testbed/sim/workload/requests.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const U64_MAX = 2n ** 64n - 1n;

/** A node with resources 1 to n. */
function withResources(count: number, harness: NodeHarness = NodeHarness.start()): NodeHarness {
  for (let id = 1; id <= count; id++) harness.commit(create(BigInt(id)));
  return harness;
}

function holderOf(harness: NodeHarness, resourceId: bigint): bigint | undefined {
  const read = harness.node.getResource(resourceId);
  return read.kind === "found" ? read.currentReservationId : undefined;
}

Deno.test("a tick frees at the deadline, not a slot before, and all of a bundle", () => {
  const harness = withResources(2);
  const { deadlineSlot, reservationId } = harness.commit(bundle([1n, 2n], 5n)).reserved!;
  const early = harness.tick(deadlineSlot - 1n);
  assertEquals(early, { kind: "applied", processedCount: 0, lastAppliedLsn: undefined });
  assertEquals([holderOf(harness, 1n), holderOf(harness, 2n)], [reservationId, reservationId]);
  const due = harness.tick(deadlineSlot);
  assertEquals(due, { kind: "applied", processedCount: 1, lastAppliedLsn: 4n });
  assertEquals([holderOf(harness, 1n), holderOf(harness, 2n)], [undefined, undefined]);
});

Deno.test("passing a deadline frees nothing by itself, and a late confirm still wins", () => {
  const harness = withResources(1);
  const { reservationId } = harness.commit(reserve(1n, 2n)).reserved!;
  harness.advanceSlots(8);
  assertEquals(holderOf(harness, 1n), reservationId);
  assertEquals(harness.metrics.core.expirationBacklog, 1);
  assertEquals(harness.commit(confirm(reservationId)).code, "ok");
  assertEquals(harness.tick(), { kind: "applied", processedCount: 0, lastAppliedLsn: undefined });
});

Deno.test("a confirm that is queued before a tick wins over it", () => {
  const harness = withResources(1);
  const { reservationId } = harness.commit(reserve(1n, 2n)).reserved!;
  harness.advanceSlots(8);
  const confirmed = harness.submit(confirm(reservationId));
  harness.tick();
  assertEquals(codeOf(confirmed), "ok");
  assertEquals(holderOf(harness, 1n), reservationId);
  const read = harness.node.getReservation(reservationId);
  assertEquals(read.kind === "found" && read.epoch, 1n);
});

Deno.test("a tick gives its entries the log's slot when its own is older, and the log's order holds", () => {
  const harness = withResources(2);
  const { deadlineSlot } = harness.commit(reserve(1n, 2n)).reserved!;
  harness.commit(reserve(2n, 8n), 40n);
  const outcome = harness.tick(deadlineSlot);
  assertEquals(outcome, { kind: "applied", processedCount: 1, lastAppliedLsn: 5n });
  assertEquals(harness.metrics.core.lastRequestSlot, 40n);
  assertEquals(
    harness.linesWith("completed direct")[0],
    `info completed direct expiration tick: current_slot=${deadlineSlot} request_slot=40 ` +
      "processed_count=1 last_applied_lsn=5",
  );
});

Deno.test("a tick says what it planned, what it applied and how it ended, in the runbook's words", () => {
  const harness = withResources(6);
  for (let id = 1n; id <= 6n; id++) harness.commit(reserve(id, 2n));
  harness.advanceSlots(4);
  harness.tick();
  assertEquals(harness.linesWith("expiration"), [
    "info planned direct expiration tick: current_slot=5 request_slot=5 due_candidates=6 " +
    "max_per_tick=4 queue_depth=0",
    ...[7, 8, 9, 10].map((id) =>
      `info applied internal expiration command: request_slot=5 reservation_id=${id} ` +
      `deadline_slot=3 applied_lsn=${id + 6} result_code=ok`
    ),
    "info completed direct expiration tick: current_slot=5 request_slot=5 processed_count=4 " +
    "last_applied_lsn=16",
  ]);
});

Deno.test("a tick without anything due says so and writes nothing", () => {
  const harness = withResources(1);
  const { operations } = harness.disk;
  harness.tick(7n);
  assertEquals(harness.disk.operations, operations);
  assertEquals(harness.linesWith("expiration"), [
    "info planned direct expiration tick: current_slot=7 request_slot=7 due_candidates=0 " +
    "max_per_tick=4 queue_depth=0",
    "info completed direct expiration tick: current_slot=7 request_slot=7 processed_count=0 " +
    "last_applied_lsn=none",
  ]);
});

Deno.test("a tick takes the earliest deadlines first, in whatever order they were made", () => {
  for (let seed = 0; seed < 32; seed++) {
    const harness = withResources(2, NodeHarness.start({ engine: { maxExpirationsPerTick: 1 } }));
    const random = new SeededRandom(seed);
    const ttls = random.oneIn(2) ? [3n, 5n] : [5n, 3n];
    const ids = ttls.map((ttl, i) => harness.commit(reserve(BigInt(i + 1), ttl)).reserved!);
    const [first, second] = ids.sort((a, b) => Number(a.deadlineSlot - b.deadlineSlot));
    harness.advanceSlots(20);
    harness.tick();
    const freed = harness.linesWith("applied internal").join();
    assertEquals(freed.includes(`reservation_id=${first!.reservationId} `), true);
    assertEquals(freed.includes(`reservation_id=${second!.reservationId} `), false);
    harness.tick();
    assertEquals(harness.linesWith("applied internal").length, 2);
  }
});

Deno.test("of two with one deadline the older reservation goes first, the other at the next tick", () => {
  const harness = withResources(2, NodeHarness.start({ engine: { maxExpirationsPerTick: 1 } }));
  const ids = [2n, 1n].map((id) => harness.commit(reserve(id, 3n)).reserved!.reservationId);
  harness.advanceSlots(9);
  for (let i = 1; i <= 2; i++) {
    assertEquals(harness.tick().kind, "applied");
    const lines = harness.linesWith("applied internal");
    assertEquals(lines.length, i);
    assertEquals(lines[i - 1]!.includes(`reservation_id=${ids[i - 1]} `), true);
  }
});

Deno.test("ticks asked for at once run one after the other and expire nothing twice", () => {
  const harness = withResources(6);
  for (let id = 1n; id <= 6n; id++) harness.commit(reserve(id, 2n));
  harness.advanceSlots(4);
  const counts: number[] = [];
  for (let i = 0; i < 3; i++) {
    harness.node.tickExpirations(undefined, (outcome) => {
      counts.push(outcome.kind === "applied" ? outcome.processedCount : -1);
    });
  }
  harness.run();
  assertEquals(counts, [4, 2, 0]);
  assertEquals(harness.metrics.counters.expired, 6);
});

Deno.test("every tick that waits for its turn is answered when the node halts", () => {
  const harness = withResources(6);
  for (let id = 1n; id <= 6n; id++) harness.commit(reserve(id, 2n));
  harness.advanceSlots(4);
  harness.disk.plan({ nth: 1, action: "sync", effect: "io_error" });
  const codes: string[] = [];
  for (let i = 0; i < 4; i++) {
    harness.node.tickExpirations(undefined, (outcome) => {
      codes.push(outcome.kind === "rejected" ? outcome.rejection.code : outcome.kind);
    });
  }
  harness.run();
  assertEquals(codes, ["storage_failure", "engine_halted", "engine_halted", "engine_halted"]);
});

Deno.test("the background worker expires what is due, quietly, and only when something is", () => {
  const harness = withResources(2);
  harness.commit(reserve(1n, 2n));
  const { operations } = harness.disk;
  harness.node.expireDue();
  harness.run();
  assertEquals(harness.disk.operations, operations);
  harness.advanceSlots(4);
  harness.node.expireDue();
  harness.node.expireDue();
  harness.run();
  assertEquals(harness.metrics.counters.expired, 1);
  assertEquals(harness.metrics.core.lastAppliedLsn, 4n);
  assertEquals(harness.linesWith("expiration"), []);
});

Deno.test("a tick whose history window leaves 64 bits is refused before anything is written", () => {
  const harness = withResources(1, NodeHarness.start({ slotLeadMax: ANY_SLOT_LEAD }));
  const window = harness.core.maxTtlSlots + harness.core.maxClientRetryWindowSlots;
  harness.commit(reserve(1n, 8n), U64_MAX - window);
  const { operations } = harness.disk;
  assertEquals(harness.tick(U64_MAX), {
    kind: "rejected",
    rejection: {
      category: "definite",
      code: "slot_overflow",
      kind: 3,
      requestSlot: U64_MAX,
      delta: harness.core.reservationHistoryWindowSlots,
    },
  });
  harness.run();
  assertEquals(harness.disk.operations, operations);
  harness.crash();
  harness.reopen();
  const latest = U64_MAX - harness.core.reservationHistoryWindowSlots;
  assertEquals(harness.tick(latest), { kind: "applied", processedCount: 1, lastAppliedLsn: 3n });
});
