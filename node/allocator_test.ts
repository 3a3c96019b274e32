// The engine behind the client's words: what a program tries out in memory is what a server would answer.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_CORE_CONFIG } from "../core/config.ts";
import { Allocator } from "./allocator.ts";
import type { ClientCommand } from "./client/types.ts";

const SMALL = {
  maxResources: 4_000,
  maxReservations: 4_000,
  maxOperations: 20_000,
  maxExpirationBucketLen: 4_000,
  maxTtlSlots: 1_000n,
  reservationHistoryWindowSlots: 10n,
  shardId: 3n,
} as const;

function filled(count: number): Allocator {
  const allocator = new Allocator(SMALL);
  for (let i = 0n; i < BigInt(count); i++) {
    allocator.submit({ kind: "create_resource", resourceId: i, operationId: i }, 0n);
  }
  return allocator;
}

function reserve(resourceId: bigint): ClientCommand {
  return {
    kind: "reserve",
    resourceId,
    holderId: 7n,
    ttlMs: 95,
    operationId: 1n << 64n | resourceId,
  };
}

Deno.test("Allocator walks a reservation through its life and forgets it in the end", () => {
  const allocator = filled(1);
  const claim = allocator.submit(reserve(0n), 5n);
  assertEquals([claim.code, claim.epoch, claim.deadlineSlot], ["ok", 1n, 15n]);
  assertEquals(allocator.submit(reserve(0n), 5n), {
    ...claim,
    fromRetryCache: true,
    appliedLsn: 2n,
  });
  const reservationId = claim.reservationId!;
  assertEquals(allocator.resource(0n)?.currentReservationId, reservationId);
  const action = { reservationId, holderId: 7n, epoch: 1n };
  assertEquals(allocator.submit({ kind: "confirm", ...action }, 6n).code, "ok");
  assertEquals(allocator.submit({ kind: "release", ...action }, 7n).code, "ok");
  const ended = allocator.reservation(reservationId, 7n);
  assert(ended.kind === "found" && ended.retireAfterSlot === 17n);
  assertEquals(allocator.reservation(reservationId, 18n), { kind: "retired", observedLsn: 5n });
  assertEquals(allocator.reservation(99n, 18n), { kind: "not_found", observedLsn: 5n });
  assertEquals(allocator.resource(99n), undefined);
});

Deno.test("Allocator.expire() expires everything due, batch after batch, and nothing early", () => {
  const allocator = filled(3_000);
  for (let i = 0n; i < 3_000n; i++) allocator.submit(reserve(i), 5n);
  assertEquals([14n, 15n, 16n].map((slot) => allocator.expire(slot)), [0, 3_000, 0]);
  assertEquals(allocator.resource(2_999n)?.currentReservationId, undefined);
});

Deno.test("two allocators given the same have the same digest, and another one has not", () => {
  const [one, two] = [filled(10), filled(10)];
  assertEquals(one.digest(), two.digest());
  one.submit(reserve(1n), 5n);
  assert(one.digest() !== two.digest());
  two.submit(reserve(1n), 5n);
  assertEquals(one.digest(), two.digest());
});

Deno.test("Allocator refuses bounds, slots and numbers that make no sense", () => {
  assertThrows(() => new Allocator({ maxResources: 0 }), RangeError, "core.max_resources");
  assertThrows(
    () => new Allocator({ maxBundleSize: DEFAULT_CORE_CONFIG.maxResources + 1 }),
    RangeError,
  );
  const allocator = filled(1);
  allocator.submit(reserve(0n), 5n);
  assertThrows(() => allocator.submit(reserve(0n), 4n), RangeError, "slot must be from 5");
  assertThrows(() => allocator.expire(4n), RangeError);
  assertThrows(() => allocator.submit(reserve(-1n), 5n), RangeError);
  assertThrows(() => allocator.resource(1n << 128n), RangeError);
});
