// What readers and operators see: records as of the reader's slot, and figures that mean what they say.
import { assertEquals } from "@std/assert";
import { apply, applyCommand, createBench } from "../tests/support/core_builders.ts";
import { health, reservationIdOf, viewReservation, viewResource } from "./query.ts";

const U64_MAX = 2n ** 64n - 1n;

Deno.test("health() of a fresh engine knows no position, no lag and no backlog", () => {
  const { engine } = createBench();
  assertEquals(health(engine, U64_MAX), {
    lastAppliedLsn: undefined,
    lastRequestSlot: undefined,
    logicalSlotLag: 0n,
    expirationBacklog: 0,
    operationTableUsed: 0,
    resourceTableUsed: 0,
    reservationTableUsed: 0,
    reservationMemberTableUsed: 0,
  });
});

Deno.test("health() counts what is overdue at the asked slot and how far that is ahead", () => {
  const bench = createBench();
  for (const resourceId of [1n, 2n, 3n]) apply(bench, { kind: "create_resource", resourceId });
  bench.slot = 3n;
  apply(bench, { kind: "reserve_bundle", resourceIds: [1n, 2n], holderId: 7n, ttlSlots: 2n });
  apply(bench, { kind: "reserve", resourceId: 3n, holderId: 7n, ttlSlots: 4n });
  const figures = (slot: bigint): unknown[] => {
    const { logicalSlotLag, expirationBacklog } = health(bench.engine, slot);
    return [logicalSlotLag, expirationBacklog];
  };
  assertEquals(figures(0n), [0n, 0]);
  assertEquals(figures(4n), [1n, 0]);
  assertEquals(figures(5n), [2n, 1]);
  assertEquals(figures(7n), [4n, 2]);
  assertEquals(figures(U64_MAX), [U64_MAX - 3n, 2]);
  const { lastAppliedLsn, lastRequestSlot, ...used } = health(bench.engine, 3n);
  assertEquals([lastAppliedLsn, lastRequestSlot], [5n, 3n]);
  assertEquals([used.operationTableUsed, used.resourceTableUsed], [5, 3]);
  assertEquals([used.reservationTableUsed, used.reservationMemberTableUsed], [2, 3]);
});

Deno.test("health() sees a full table empty itself once the windows have passed", () => {
  const bench = createBench({ maxOperations: 4, reservationHistoryWindowSlots: 0n });
  apply(bench, { kind: "create_resource", resourceId: 1n });
  const reservationId =
    apply(bench, { kind: "reserve", resourceId: 1n, holderId: 7n, ttlSlots: 5n }).reserved!
      .reservationId;
  bench.slot = 5n;
  applyCommand(bench, { kind: "expire", reservationId, deadlineSlot: 5n });
  bench.slot = 17n;
  apply(bench, { kind: "create_resource", resourceId: 1n });
  const { operationTableUsed, reservationTableUsed, reservationMemberTableUsed } = health(
    bench.engine,
    17n,
  );
  assertEquals([operationTableUsed, reservationTableUsed, reservationMemberTableUsed], [1, 0, 0]);
});

Deno.test("viewResource() follows a resource through one reservation and the next", () => {
  const bench = createBench({ shardId: 2n });
  apply(bench, { kind: "create_resource", resourceId: 1n });
  const first = { kind: "reserve", resourceId: 1n, holderId: 7n, ttlSlots: 5n } as const;
  const { reservationId } = apply(bench, first).reserved!;
  const seen = (): unknown[] => {
    const view = viewResource(bench.engine, 1n)!;
    return [view.state, view.currentReservationId, view.version];
  };
  assertEquals(seen(), [2, reservationId, 1n]);
  apply(bench, { kind: "confirm", reservationId, holderId: 7n, epoch: 1n });
  assertEquals(seen(), [3, reservationId, 2n]);
  apply(bench, { kind: "revoke", reservationId });
  assertEquals(seen(), [4, reservationId, 3n]);
  apply(bench, { kind: "reclaim", reservationId });
  assertEquals(seen(), [1, undefined, 4n]);
  const again = apply(bench, first).reserved!.reservationId;
  assertEquals(seen(), [2, again, 5n]);
  assertEquals(viewResource(bench.engine, 1n << 64n), undefined);
});

Deno.test("reservationIdOf() puts the shard above the position", () => {
  const bench = createBench({ shardId: U64_MAX });
  apply(bench, { kind: "create_resource", resourceId: 1n });
  apply(bench, { kind: "reserve", resourceId: 1n, holderId: 7n, ttlSlots: 5n });
  const id = (U64_MAX << 64n) | 2n;
  assertEquals(reservationIdOf(bench.engine, 0), id);
  assertEquals(typeof viewReservation(bench.engine, id, 0n), "object");
});
