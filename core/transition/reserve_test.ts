// Which reason a refused reserve gets is part of the contract: the first check that fails, in a fixed order.
// Every set of failing checks is built, with every kind of bad member first. Then: all of a bundle or nothing.
import { assertEquals } from "@std/assert";
import {
  apply,
  type Bench,
  createBench,
  ownershipText,
} from "../../tests/support/core_builders.ts";
import { firstViolation } from "../invariants.ts";
import { viewReservation, viewResource } from "../query.ts";
import { countDue } from "../timing_wheel.ts";

const BUNDLE_MAX = 4;
const TTL_MAX = 8n;
const HOLDER = 7n;
const FREE = [1n, 2n, 3n, 4n, 5n, 6n];
const TAKEN = 7n;
const UNKNOWN = 99n;

/** In the order in which they are made. */
const CHECKS = [
  "bundle_too_large",
  "ttl_out_of_range",
  "members",
  "reservation_table_full",
  "expiration_index_full",
] as const;
type Check = typeof CHECKS[number];

/** Bad member lists with the reason that the first bad member gives. */
const BAD_MEMBERS: readonly (readonly [readonly bigint[], string])[] = [
  [[UNKNOWN, TAKEN, TAKEN], "resource_not_found"],
  [[TAKEN, UNKNOWN], "resource_busy"],
  [[1n, UNKNOWN, 1n], "resource_not_found"],
  [[1n, 1n, UNKNOWN], "resource_busy"],
  [[1n, 2n, TAKEN], "resource_busy"],
  [[1n, 2n, UNKNOWN], "resource_not_found"],
  [[1n, 2n, 1n], "resource_busy"],
];

/** Resources 1 to 7, of which the last is reserved until slot 5. */
function createRoom(failing: ReadonlySet<Check>): Bench {
  const maxReservations = failing.has("reservation_table_full") ? 1 : 2;
  const maxExpirationBucketLen = failing.has("expiration_index_full") ? 1 : maxReservations;
  const bench = createBench({ maxReservations, maxExpirationBucketLen, maxTtlSlots: TTL_MAX });
  for (const resourceId of [...FREE, TAKEN]) apply(bench, { kind: "create_resource", resourceId });
  apply(bench, { kind: "reserve", resourceId: TAKEN, holderId: HOLDER, ttlSlots: 5n });
  return bench;
}

function* subsets(): Generator<Set<Check>> {
  for (let bits = 0; bits < 1 << CHECKS.length; bits++) {
    yield new Set(CHECKS.filter((_, at) => (bits >> at) & 1));
  }
}

function expected(failing: ReadonlySet<Check>, badMember: string): string {
  const first = CHECKS.find((check) => failing.has(check)) ?? "ok";
  return first === "members" ? badMember : first;
}

Deno.test("reserve_bundle answers the first failing check of every set of failing checks", () => {
  for (const failing of subsets()) {
    for (const [bad, reason] of BAD_MEMBERS) {
      for (const ttlOut of [0n, TTL_MAX + 1n, 1n << 33n]) {
        const bench = createRoom(failing);
        const good = [4n, 5n, 6n];
        const list = failing.has("members") ? bad : good;
        const resourceIds = failing.has("bundle_too_large")
          ? [...list, ...FREE].slice(0, BUNDLE_MAX + 1)
          : list;
        const ttlSlots = failing.has("ttl_out_of_range") ? ttlOut : 5n;
        const before = ownershipText(bench.engine);
        const outcome = apply(bench, {
          kind: "reserve_bundle",
          resourceIds,
          holderId: 1n,
          ttlSlots,
        });
        assertEquals(outcome.code, expected(failing, reason), [...failing].join());
        assertEquals(ownershipText(bench.engine) === before, failing.size > 0);
        assertEquals(firstViolation(bench.engine), undefined);
      }
    }
  }
});

Deno.test("reserve answers the first failing check of every set of failing checks", () => {
  for (const failing of subsets()) {
    if (failing.has("bundle_too_large")) continue;
    for (
      const [bad, reason] of [[UNKNOWN, "resource_not_found"], [TAKEN, "resource_busy"]] as const
    ) {
      const bench = createRoom(failing);
      const before = ownershipText(bench.engine);
      const outcome = apply(bench, {
        kind: "reserve",
        resourceId: failing.has("members") ? bad : 1n,
        holderId: HOLDER,
        ttlSlots: failing.has("ttl_out_of_range") ? 0n : 5n,
      });
      assertEquals(outcome.code, expected(failing, reason), [...failing].join());
      assertEquals(ownershipText(bench.engine) === before, failing.size > 0);
    }
  }
});

Deno.test("reserve_bundle refuses an empty list before it looks at the ttl", () => {
  const bench = createRoom(new Set(CHECKS));
  const request = { kind: "reserve_bundle", resourceIds: [], holderId: 1n, ttlSlots: 0n } as const;
  assertEquals(apply(bench, request).code, "bundle_too_large");
});

Deno.test("W4: a bundle of 2^16 - 1 named resources is bundle_too_large and takes nothing", () => {
  const bench = createRoom(new Set());
  const resourceIds = Array.from({ length: 0xffff }, (_, i) => BigInt(i + 1));
  const before = ownershipText(bench.engine);
  const outcome = apply(bench, { kind: "reserve_bundle", resourceIds, holderId: 1n, ttlSlots: 5n });
  assertEquals(outcome.code, "bundle_too_large");
  assertEquals(ownershipText(bench.engine), before);
});

Deno.test("expiration_index_full counts the bucket, which deadlines a turn apart share", () => {
  const bench = createRoom(new Set(["expiration_index_full"]));
  bench.slot = TTL_MAX + 1n; // The hold on the last resource is overdue and in the bucket of slot 5 + 9.
  const reserve = { kind: "reserve", resourceId: 1n, holderId: 1n } as const;
  assertEquals(apply(bench, { ...reserve, ttlSlots: 5n }).code, "expiration_index_full");
  assertEquals(apply(bench, { ...reserve, ttlSlots: 4n }).code, "ok");
});

Deno.test("reserve names the reservation after shard and lsn, with epoch 1 and the deadline", () => {
  const shardId = (1n << 64n) - 3n;
  const bench = createBench({ shardId });
  apply(bench, { kind: "create_resource", resourceId: 5n });
  bench.slot = (1n << 32n) - 2n;
  const outcome = apply(bench, { kind: "reserve", resourceId: 5n, holderId: 9n, ttlSlots: 3n });
  const reservationId = (shardId << 64n) | 2n;
  const deadlineSlot = (1n << 32n) + 1n;
  assertEquals(outcome.reserved, { reservationId, epoch: 1n, deadlineSlot });
  assertEquals(viewReservation(bench.engine, reservationId, bench.slot), {
    reservationId,
    holderId: 9n,
    state: 1,
    epoch: 1n,
    createdLsn: 2n,
    deadlineSlot,
    releasedLsn: undefined,
    retireAfterSlot: undefined,
    memberResourceIds: [5n],
  });
});

Deno.test("P2: a bundle takes every member in the order of the request, one version each", () => {
  const bench = createRoom(new Set());
  const resourceIds = [6n, 1n, 4n, 3n];
  const outcome = apply(bench, { kind: "reserve_bundle", resourceIds, holderId: 1n, ttlSlots: 5n });
  const { reservationId } = outcome.reserved!;
  const view = viewReservation(bench.engine, reservationId, 0n);
  assertEquals(typeof view !== "string" && view.memberResourceIds, resourceIds);
  for (const resourceId of FREE) {
    const taken = resourceIds.includes(resourceId);
    assertEquals(viewResource(bench.engine, resourceId), {
      resourceId,
      state: taken ? 2 : 1,
      currentReservationId: taken ? reservationId : undefined,
      version: taken ? 1n : 0n,
    });
  }
});

Deno.test("reserve and reserve_bundle of one resource leave the same state and give the same answer", () => {
  const request = { holderId: 1n, ttlSlots: 5n };
  const [single, bundle] = [createRoom(new Set()), createRoom(new Set())];
  const one = apply(single, { kind: "reserve", resourceId: 2n, ...request });
  const other = apply(bundle, { kind: "reserve_bundle", resourceIds: [2n], ...request });
  assertEquals(one, other);
  assertEquals(ownershipText(single.engine), ownershipText(bundle.engine));
});

Deno.test("P1: of many who reserve one resource in one slot exactly the first gets it", () => {
  const bench = createRoom(new Set());
  const codes = [1n, 2n, 3n, 4n].map((holderId) =>
    apply(bench, { kind: "reserve", resourceId: 3n, holderId, ttlSlots: 2n }).code
  );
  assertEquals(codes, ["ok", "resource_busy", "resource_busy", "resource_busy"]);
  assertEquals(countDue(bench.engine.wheel, new Uint32Array([5, 0])), 2);
});
