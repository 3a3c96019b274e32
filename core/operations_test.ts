// A client that got no answer asks again: the memory of operations must give exactly the first answer, to
// exactly the same command, for exactly the promised time, and must never stand in the way of freeing.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  apply,
  applyCommand,
  type Bench,
  createBench,
  fillOperations,
  ownershipText,
  recallRecord,
  throughBytes,
} from "../tests/support/core_builders.ts";
import type { ClientCommand, ModelOutcome } from "../testbed/model/words.ts";
import { AssertionFailure } from "./assert.ts";
import { firstViolation } from "./invariants.ts";
import { viewReservation, viewResource } from "./query.ts";

/** Longest ttl 8 and retry window 8. */
const WINDOW = 16n;
const KEY = { operationId: 77n, clientId: 1n };

function recall(bench: Bench, command: ClientCommand, slot: bigint): ModelOutcome | undefined {
  return recallRecord(bench.engine, throughBytes(command), slot);
}

/** Resources 1 to 3; 1 is reserved as reservation 4. */
function createRoom(maxOperations = 64): Bench {
  const bench = createBench({ maxOperations });
  for (const resourceId of [1n, 2n, 3n]) apply(bench, { kind: "create_resource", resourceId });
  apply(bench, { kind: "reserve", resourceId: 1n, holderId: 7n, ttlSlots: 5n });
  return bench;
}

const FIRST: readonly ClientCommand[] = [
  { ...KEY, kind: "create_resource", resourceId: 9n },
  { ...KEY, kind: "create_resource", resourceId: 1n },
  { ...KEY, kind: "reserve", resourceId: 2n, holderId: 7n, ttlSlots: 5n },
  { ...KEY, kind: "reserve", resourceId: 1n, holderId: 7n, ttlSlots: 5n },
  { ...KEY, kind: "reserve_bundle", resourceIds: [2n, 3n], holderId: 7n, ttlSlots: 8n },
  { ...KEY, kind: "confirm", reservationId: 4n, holderId: 7n, epoch: 1n },
  { ...KEY, kind: "confirm", reservationId: 4n, holderId: 8n, epoch: 1n },
  { ...KEY, kind: "release", reservationId: 4n, holderId: 7n, epoch: 1n },
  { ...KEY, kind: "revoke", reservationId: 4n },
  { ...KEY, kind: "reclaim", reservationId: 4n },
];

Deno.test("a retry gets the first answer whole, success or failure, and changes nothing", () => {
  for (const command of FIRST) {
    const bench = createRoom();
    const first = applyCommand(bench, command);
    const before = ownershipText(bench.engine);
    bench.slot = 3n;
    assertEquals(applyCommand(bench, command), { ...first, fromRetryCache: true });
    assertEquals(ownershipText(bench.engine), before);
  }
});

Deno.test("a retry may carry any slot of the window, also an older one", () => {
  for (const command of FIRST) {
    const bench = createRoom();
    bench.slot = 100n;
    const first = applyCommand(bench, command);
    for (const slot of [0n, 99n, 100n, 100n + WINDOW]) {
      assertEquals(recall(bench, command, slot), { ...first, fromRetryCache: true });
    }
    assertEquals(recall(bench, command, 101n + WINDOW), undefined);
  }
});

Deno.test("an operation is remembered through the last slot of its window and fresh in the next", () => {
  for (const [slot, fromRetryCache] of [[WINDOW, true], [WINDOW + 1n, false]] as const) {
    const bench = createRoom();
    const create = FIRST[0]!;
    applyCommand(bench, create);
    bench.slot = slot;
    const again = applyCommand(bench, create);
    assertEquals(again.fromRetryCache, fromRetryCache);
    assertEquals(again.code, fromRetryCache ? "ok" : "already_exists");
  }
});

Deno.test("operations are dropped in groups of any size, none early and none late", () => {
  for (const old of [1, 31, 32, 33, 63, 64, 65, 100]) {
    const bench = createBench({ maxOperations: 128 });
    const create = (): ModelOutcome => apply(bench, { kind: "create_resource", resourceId: 1n });
    for (let i = 0; i < old; i++) create();
    bench.slot = 1n;
    for (let i = 0; i < 20; i++) create();
    bench.slot = WINDOW + 1n;
    create();
    assertEquals(bench.engine.tables.operations.used, 21);
    assertEquals(firstViolation(bench.engine), undefined);
  }
});

Deno.test("one operation id of two clients is two operations", () => {
  const bench = createRoom();
  const [create] = FIRST;
  assertEquals(applyCommand(bench, create!).code, "ok");
  const other = applyCommand(bench, { ...create!, clientId: 2n });
  assertEquals([other.code, other.fromRetryCache], ["already_exists", false]);
  const wide = applyCommand(bench, { ...create!, clientId: 1n << 96n });
  assertEquals([wide.code, wide.fromRetryCache], ["already_exists", false]);
});

/** Pairs that a weak comparison takes for one command. */
const CONFLICTS: readonly (readonly [string, ClientCommand, ClientCommand])[] = [
  ["revoke and reclaim", FIRST[8]!, FIRST[9]!],
  [
    "reserve and a bundle of one",
    FIRST[2]!,
    { ...KEY, kind: "reserve_bundle", resourceIds: [2n], holderId: 7n, ttlSlots: 5n },
  ],
  ["confirm and release", FIRST[5]!, FIRST[7]!],
  ["two epochs", FIRST[5]!, { ...FIRST[5]!, epoch: 2n } as ClientCommand],
  ["two epochs far apart", FIRST[5]!, { ...FIRST[5]!, epoch: 1n + (1n << 63n) } as ClientCommand],
  ["two holders", FIRST[5]!, FIRST[6]!],
  ["two ttls", FIRST[2]!, { ...FIRST[2]!, ttlSlots: 6n } as ClientCommand],
  ["two resources", FIRST[0]!, FIRST[1]!],
  ["two orders of a bundle", FIRST[4]!, { ...FIRST[4]!, resourceIds: [3n, 2n] } as ClientCommand],
  ["two ttls of a bundle", FIRST[4]!, { ...FIRST[4]!, ttlSlots: 7n } as ClientCommand],
  ["two holders of a bundle", FIRST[4]!, { ...FIRST[4]!, holderId: 8n } as ClientCommand],
];

for (const [what, first, other] of CONFLICTS) {
  Deno.test(`fingerprints: ${what} under one key conflict, either way round`, () => {
    for (const [one, two] of [[first, other], [other, first]] as const) {
      const bench = createRoom();
      const { appliedLsn } = applyCommand(bench, one);
      const before = ownershipText(bench.engine);
      const conflict = { code: "operation_conflict", appliedLsn, fromRetryCache: true };
      assertEquals(recall(bench, two, 0n), conflict);
      assertEquals(applyCommand(bench, two), conflict);
      assertEquals(applyCommand(bench, one).fromRetryCache, true, "a conflict is not remembered");
      assertEquals(ownershipText(bench.engine), before);
    }
  });
}

Deno.test("fingerprints: retries ignore the slot and nothing else", () => {
  const bench = createRoom();
  const outcomes = [0n, 1n, 5n].map((slot) => {
    bench.slot = slot;
    return applyCommand(bench, FIRST[2]!);
  });
  assertEquals(outcomes.map(({ code }) => code), ["ok", "ok", "ok"]);
  assertEquals(outcomes[2]!.reserved, outcomes[0]!.reserved);
});

Deno.test("table repair: a conflict survives the retirement of its neighbours in the index", () => {
  for (let hashSeed = 0; hashSeed < 40; hashSeed++) {
    const bench = createBench({ maxOperations: 8, maxReservations: 1, maxExpirationBucketLen: 1 }, {
      hashSeed,
    });
    const create = (operationId: bigint, resourceId: bigint): ModelOutcome =>
      applyCommand(bench, { kind: "create_resource", operationId, clientId: 1n, resourceId });
    for (let id = 0n; id < 4n; id++) create(id, 1n);
    bench.slot = 5n;
    for (let id = 4n; id < 8n; id++) create(id, 1n);
    bench.slot = WINDOW + 1n; // The first four go, from wherever they sit in their chains.
    for (let id = 4n; id < 8n; id++) assertEquals(create(id, 2n).code, "operation_conflict");
    for (let id = 0n; id < 4n; id++) assertEquals(create(id, 2n).fromRetryCache, false);
    assertEquals(firstViolation(bench.engine), undefined);
  }
});

Deno.test("W29: a full memory refuses everything but freeing, and remembers none of its refusals", () => {
  const bench = createRoom(6);
  fillOperations(bench);
  const refused: ClientCommand[] = [FIRST[0]!, FIRST[2]!, FIRST[4]!, FIRST[5]!, FIRST[9]!];
  for (const command of refused) {
    assertEquals(applyCommand(bench, command).code, "operation_table_full");
    assertEquals(recall(bench, command, 0n), undefined);
  }
  assertEquals(bench.engine.tables.operations.used, 6);
});

Deno.test("W29: every reservation can be freed however full the memory is, and the headroom is enough", () => {
  const bench = createBench({ maxOperations: 24 });
  const reserved = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n].map((resourceId) => {
    apply(bench, { kind: "create_resource", resourceId });
    const outcome = apply(bench, { kind: "reserve", resourceId, holderId: 7n, ttlSlots: 5n });
    const { reservationId } = outcome.reserved!;
    apply(bench, { kind: "confirm", reservationId, holderId: 7n, epoch: 1n });
    return reservationId;
  });
  assertEquals(bench.engine.tables.operations.used, 24);
  for (const reservationId of reserved) {
    assertEquals(apply(bench, { kind: "revoke", reservationId }).code, "ok");
    assertEquals(apply(bench, { kind: "revoke", reservationId }).code, "operation_table_full");
    assertEquals(apply(bench, { kind: "reclaim", reservationId }).code, "ok");
  }
  const { used, capacity } = bench.engine.tables.operations;
  assertEquals([used, capacity], [40, 40]);
  assertEquals(viewResource(bench.engine, 8n)?.state, 1);
  assertEquals(firstViolation(bench.engine), undefined);
});

Deno.test("W29: a freeing command that used the headroom is remembered like any other", () => {
  const bench = createRoom(6);
  fillOperations(bench);
  const release = FIRST[7]!;
  const first = applyCommand(bench, release);
  assertEquals(first.code, "ok");
  assertEquals(applyCommand(bench, release), { ...first, fromRetryCache: true });
  assertEquals(applyCommand(bench, FIRST[8]!).code, "operation_conflict");
});

Deno.test("W29: expire needs no room at all", () => {
  const bench = createRoom(4);
  fillOperations(bench);
  bench.slot = 5n;
  const expire = { kind: "expire", reservationId: 4n, deadlineSlot: 5n } as const;
  assertEquals(applyCommand(bench, expire).code, "ok");
});

Deno.test("an operation refused for want of room executes afresh once there is room", () => {
  const bench = createRoom(4);
  fillOperations(bench);
  assertEquals(applyCommand(bench, FIRST[2]!).code, "operation_table_full");
  bench.slot = WINDOW + 1n;
  const outcome = applyCommand(bench, FIRST[2]!);
  assertEquals([outcome.code, outcome.fromRetryCache], ["ok", false]);
  assertEquals(outcome.reserved?.reservationId, outcome.appliedLsn);
  assert(typeof viewReservation(bench.engine, outcome.appliedLsn, bench.slot) === "object");
});

Deno.test("a ring without a free row stops the engine: operations/headroom-suffices", () => {
  const bench = createRoom(4);
  const { operations } = bench.engine.tables;
  operations.used = operations.capacity; // As no history can make it.
  const release = { kind: "release", reservationId: 4n, holderId: 7n, epoch: 1n } as const;
  assertThrows(() => apply(bench, release), AssertionFailure, "operations/headroom-suffices");
});

Deno.test("a full table forgets its oldest operation once the retry window is over, and not before", () => {
  const oldest: ClientCommand = { ...KEY, kind: "create_resource", resourceId: 1n };
  const empty = createBench({ maxOperations: 2 });
  applyCommand(empty, oldest);
  fillOperations(empty);
  empty.slot += 8n; // The retry window's last slot.
  const fresh = { kind: "create_resource", resourceId: 2n } as const;
  assertEquals(apply(empty, fresh).code, "operation_table_full");
  assert(recall(empty, oldest, empty.slot) !== undefined);
  empty.slot += 1n;
  assertEquals(apply(empty, fresh).code, "ok");
  assertEquals(recall(empty, oldest, empty.slot), undefined);
  assertEquals(firstViolation(empty.engine), undefined);
});

Deno.test("a table with room remembers for the longest ttl on top of the retry window", () => {
  const bench = createRoom();
  const command: ClientCommand = { ...KEY, kind: "create_resource", resourceId: 9n };
  const first = applyCommand(bench, command);
  bench.slot += WINDOW;
  assertEquals(applyCommand(bench, command), { ...first, fromRetryCache: true });
});
