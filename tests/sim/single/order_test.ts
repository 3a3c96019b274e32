// Who comes first: within one slot the seed decides, and everything that follows from the order follows every time.
import { assertEquals, assertNotEquals } from "@std/assert";
import { SingleNode } from "../../../testbed/sim/single/harness.ts";
import { codeOf, outcomeOf } from "../../../testbed/sim/single/ticket.ts";
import { create, reserve } from "../../../testbed/sim/workload/requests.ts";

/** Resource ids in the order in which one seed creates them in one slot. */
function createdBy(seed: number): bigint[] {
  const single = SingleNode.start({ seed });
  const tickets = single.submitReadyBatch(2n, [1n, 2n, 3n, 4n, 5n].map((id) => create(id)));
  assertEquals(tickets.map((ticket) => outcomeOf(ticket).appliedLsn), [1n, 2n, 3n, 4n, 5n]);
  return tickets.map(({ command }) => command.kind === "create_resource" ? command.resourceId : 0n);
}

Deno.test("five creates in one slot: one seed has one order and lsns 1 to 5, another seed another order", () => {
  for (let seed = 0; seed < 8; seed++) assertEquals(createdBy(seed), createdBy(seed));
  assertNotEquals(createdBy(1), createdBy(2));
});

/** Which of two holders gets the resource that both ask for in one slot. */
function winnerOf(seed: number): bigint {
  const single = SingleNode.start({ seed });
  single.submit(create(1n));
  const tickets = single.submitReadyBatch(2n, [reserve(1n, 3n, 7n), reserve(1n, 3n, 8n)]);
  assertEquals(tickets.map(codeOf), ["ok", "resource_busy"]);
  const read = single.node.getReservation(2n);
  return read.kind === "found" ? read.holderId : 0n;
}

Deno.test("two holders ask for one resource in one slot: exactly one gets it, and the seed says who", () => {
  const winners = Array.from({ length: 16 }, (_, seed) => winnerOf(seed));
  assertEquals(Array.from({ length: 16 }, (_, seed) => winnerOf(seed)), winners);
  assertEquals(new Set(winners), new Set([7n, 8n]));
});

/** Two reservations with the same deadline, made in an order that the seed decides; one expires in each tick. */
function expiredBy(seed: number): bigint[] {
  const single = SingleNode.start({ seed, engine: { maxExpirationsPerTick: 1 } });
  single.submit(create(1n));
  single.submit(create(2n));
  single.submitReadyBatch(2n, [reserve(1n, 3n), reserve(2n, 3n)]);
  single.advanceTo(5n);
  const ticks = [single.tick(), single.tick(), single.tick()];
  assertEquals(ticks.map(({ expired }) => expired.map(({ lsn }) => lsn)), [[5n], [6n], []]);
  const expired = ticks.flatMap((tick) => tick.expired.map(({ reservationId }) => reservationId));
  assertEquals(expired, [3n, 4n], "the older first");
  return expired.map((id) => {
    const read = single.node.getReservation(id);
    return read.kind === "found" ? read.memberResourceIds[0]! : 0n;
  });
}

// The seed could choose among equal deadlines; a node that ships does not: the older one goes first, always. What the seed
// decides is who is older.
Deno.test("two reservations with one deadline, one expiration in a tick: one goes, the other in the next tick", () => {
  const orders = Array.from({ length: 16 }, (_, seed) => expiredBy(seed).join());
  assertEquals(Array.from({ length: 16 }, (_, seed) => expiredBy(seed).join()), orders);
  assertEquals(new Set(orders), new Set(["1,2", "2,1"]));
});

Deno.test("deadlines 3 and 5, one expiration in a tick: 3 goes first under every seed", () => {
  for (let seed = 0; seed < 32; seed++) {
    const single = SingleNode.start({ seed, engine: { maxExpirationsPerTick: 1 } });
    single.submitReadyBatch(1n, [create(1n), create(2n)]);
    single.submitReadyBatch(1n, [reserve(1n, 4n), reserve(2n, 2n)]);
    single.advanceTo(9n);
    const deadlines = [single.tick(), single.tick()]
      .map(({ expired }) => expired.map(({ deadlineSlot }) => deadlineSlot));
    assertEquals(deadlines, [[3n], [5n]]);
  }
});

Deno.test("time passes and nobody ticks: one is overdue, the lag is 4, and the resource is still reserved", () => {
  const single = SingleNode.start();
  single.submit(create(1n));
  single.submit(reserve(1n, 2n));
  single.advanceTo(5n);
  const { core } = single.metrics();
  assertEquals([core.expirationBacklog, core.logicalSlotLag], [1, 4n]);
  const resource = single.node.getResource(1n);
  assertEquals(resource.kind === "found" && resource.currentReservationId, 2n);
  assertEquals(codeOf(single.submit(reserve(1n))), "resource_busy", "only an expiration frees it");
});

Deno.test("a retry at slot 3 is answered from memory, at slot 27 with a window of 24 it runs afresh", () => {
  const single = SingleNode.start({ core: { maxTtlSlots: 16n, maxClientRetryWindowSlots: 8n } });
  single.submit(create(1n));
  single.advanceTo(2n);
  const { command, ...first } = single.submit(reserve(1n, 2n));
  assertEquals(first.lsn, 2);
  single.advanceTo(3n);
  const cached = outcomeOf(single.submit(command));
  assertEquals([cached.code, cached.appliedLsn, cached.fromRetryCache], ["ok", 2n, true]);
  single.advanceTo(4n);
  assertEquals(single.tick().expired.map(({ lsn }) => lsn), [3n]);
  single.advanceTo(26n);
  assertEquals(outcomeOf(single.submit(command)).appliedLsn, 2n, "the last slot of the window");
  single.advanceTo(27n);
  const fresh = outcomeOf(single.submit(command));
  assertEquals([fresh.code, fresh.appliedLsn, fresh.fromRetryCache], ["ok", 4n, false]);
});
