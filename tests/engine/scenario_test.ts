// Short stories in the order in which they happen to people: a hold that runs out, a holder who is taken off,
// a retry that comes late, a client that lost its claim and does not know it.
import { assert, assertEquals } from "@std/assert";
import { firstViolation } from "../../core/invariants.ts";
import { health, viewReservation, viewResource } from "../../core/query.ts";
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../core/tables.ts";
import { collectDue } from "../../core/timing_wheel.ts";
import { readU64, writeU64 } from "../../core/words.ts";
import {
  apply,
  applyCommand,
  type Bench,
  benchOf,
  createBench,
  restoredCopy,
} from "../support/core_builders.ts";
import type { ClientCommand } from "../../testbed/model/words.ts";

const ALICE = 0xa11cen;
const BOB = 0xb0bn;

function createRoom(resources = 3n): Bench {
  const bench = createBench({ maxTtlSlots: 16n, maxClientRetryWindowSlots: 8n });
  for (let resourceId = 1n; resourceId <= resources; resourceId++) {
    apply(bench, { kind: "create_resource", resourceId });
  }
  return bench;
}

function reserve(bench: Bench, resourceId: bigint, holderId: bigint, ttlSlots: bigint): bigint {
  const outcome = apply(bench, { kind: "reserve", resourceId, holderId, ttlSlots });
  assertEquals(outcome.code, "ok");
  return outcome.reserved!.reservationId;
}

/** Expires what is due at a slot, at most so many; answers the reservations in the order of their end. */
function tick(bench: Bench, slot: bigint, atMost: number): bigint[] {
  const { engine } = bench;
  const until = new Uint32Array(2);
  writeU64(until, 0, slot);
  const rows = new Uint32Array(atMost);
  const due = [...rows.subarray(0, collectDue(engine.wheel, until, rows))];
  const { words, stride } = engine.tables.reservations;
  const ids = due.map((row) => readU64(words, row * stride));
  bench.slot = slot > bench.slot ? slot : bench.slot;
  for (const reservationId of ids) {
    const { deadlineSlot } = found(bench, reservationId);
    const outcome = applyCommand(bench, { kind: "expire", reservationId, deadlineSlot });
    assertEquals(outcome.code, "ok");
  }
  return ids;
}

function found(
  bench: Bench,
  reservationId: bigint,
): { state: string; epoch: bigint; deadlineSlot: bigint } {
  const view = viewReservation(bench.engine, reservationId, bench.slot);
  assert(typeof view !== "string");
  return { ...view, state: RESERVATION_STATE_NAMES[view.state]! };
}

function stateOf(bench: Bench, resourceId: bigint): string {
  return RESOURCE_STATE_NAMES[viewResource(bench.engine, resourceId)!.state]!;
}

Deno.test("a retry at slot 3 is answered from memory, at slot 27 it runs again: the window is 24", () => {
  const bench = createRoom(1n);
  bench.slot = 2n;
  const command: ClientCommand = {
    kind: "reserve",
    operationId: 500n,
    clientId: 1n,
    resourceId: 1n,
    holderId: ALICE,
    ttlSlots: 1n,
  };
  assertEquals(applyCommand(bench, command).appliedLsn, 2n);
  bench.slot = 3n;
  const cached = applyCommand(bench, command);
  assertEquals([cached.appliedLsn, cached.fromRetryCache], [2n, true]);
  tick(bench, 26n, 1);
  assertEquals(applyCommand(bench, command).fromRetryCache, true);
  bench.slot = 27n;
  const fresh = applyCommand(bench, command);
  assertEquals([fresh.code, fresh.appliedLsn, fresh.fromRetryCache], ["ok", 6n, false]);
});

Deno.test("holds with one deadline run out in the order in which they were made, one per tick", () => {
  const bench = createRoom();
  const [first, second] = [reserve(bench, 2n, ALICE, 3n), reserve(bench, 1n, BOB, 3n)];
  assertEquals([tick(bench, 3n, 1), tick(bench, 3n, 1), tick(bench, 3n, 1)], [
    [first],
    [second],
    [],
  ]);
});

Deno.test("the sooner deadline goes first, also when it was made last and everything is overdue", () => {
  const bench = createRoom();
  const later = reserve(bench, 1n, ALICE, 5n);
  const sooner = reserve(bench, 2n, BOB, 3n);
  assertEquals([tick(bench, 900n, 1), tick(bench, 901n, 1)], [[sooner], [later]]);
});

Deno.test("P10: without a tick time frees nothing: late is allowed, early never", () => {
  const bench = createRoom();
  const held = reserve(bench, 1n, ALICE, 3n);
  bench.slot = 4n;
  const busy = apply(bench, { kind: "reserve", resourceId: 1n, holderId: BOB, ttlSlots: 3n });
  assertEquals([busy.code, stateOf(bench, 1n)], ["resource_busy", "reserved"]);
  const { expirationBacklog, logicalSlotLag } = health(bench.engine, 8n);
  assertEquals([expirationBacklog, logicalSlotLag], [1, 4n]);
  assertEquals(tick(bench, 8n, 9), [held]);
  reserve(bench, 1n, BOB, 3n);
});

Deno.test("P2: a bundle that runs out frees all of its members in one command", () => {
  const bench = createRoom();
  apply(bench, { kind: "reserve_bundle", resourceIds: [3n, 1n], holderId: ALICE, ttlSlots: 2n });
  assertEquals([1n, 2n, 3n].map((id) => stateOf(bench, id)), ["reserved", "available", "reserved"]);
  tick(bench, 2n, 1);
  assertEquals([1n, 2n, 3n].map((id) => stateOf(bench, id)), new Array(3).fill("available"));
});

Deno.test("P6, P7: who was revoked is fenced off, and only reclaim frees, also across a restart", () => {
  const bench = createRoom();
  const held = reserve(bench, 1n, ALICE, 3n);
  apply(bench, { kind: "confirm", reservationId: held, holderId: ALICE, epoch: 1n });
  assertEquals(apply(bench, { kind: "revoke", reservationId: held }).code, "ok");
  const restored = restoredCopy(bench.engine);
  if (typeof restored === "string") throw new Error(restored);
  const after: Bench = { ...benchOf(restored), operationId: 1000n };
  after.slot = 900n;
  assertEquals([found(after, held).state, found(after, held).epoch], ["revoking", 2n]);
  const code = (request: Parameters<typeof apply>[1]): string => apply(after, request).code;
  assertEquals(
    code({ kind: "release", reservationId: held, holderId: ALICE, epoch: 1n }),
    "stale_epoch",
  );
  assertEquals(
    code({ kind: "confirm", reservationId: held, holderId: ALICE, epoch: 1n }),
    "stale_epoch",
  );
  assertEquals(
    code({ kind: "release", reservationId: held, holderId: ALICE, epoch: 2n }),
    "invalid_state",
  );
  assertEquals(
    code({ kind: "reserve", resourceId: 1n, holderId: BOB, ttlSlots: 3n }),
    "resource_busy",
  );
  assertEquals(tick(after, 2000n, 9), []);
  assertEquals(code({ kind: "reclaim", reservationId: held }), "ok");
  assert(reserve(after, 1n, BOB, 3n) !== held);
  assertEquals(firstViolation(after.engine), undefined);
});

Deno.test("P5: a claim that was lost cannot touch the claim that followed it", () => {
  const bench = createRoom();
  const lost = reserve(bench, 1n, ALICE, 3n);
  tick(bench, 3n, 1);
  const next = reserve(bench, 1n, ALICE, 3n);
  for (const kind of ["confirm", "release"] as const) {
    const stale = apply(bench, { kind, reservationId: lost, holderId: ALICE, epoch: 1n });
    assertEquals(stale.code, "stale_epoch");
  }
  assertEquals([found(bench, next).state, stateOf(bench, 1n)], ["reserved", "reserved"]);
});

Deno.test("a confirm that comes after the deadline but before the tick wins", () => {
  const bench = createRoom();
  const held = reserve(bench, 1n, ALICE, 3n);
  bench.slot = 50n;
  const confirm = { kind: "confirm", reservationId: held, holderId: ALICE, epoch: 1n } as const;
  assertEquals(apply(bench, confirm).code, "ok");
  assertEquals(tick(bench, 50n, 9), []);
  assertEquals(stateOf(bench, 1n), "confirmed");
});

Deno.test("W2: a far-future slot, once applied, retires history but frees nothing that is held", () => {
  const bench = createRoom();
  const held = reserve(bench, 1n, ALICE, 3n);
  apply(bench, { kind: "confirm", reservationId: held, holderId: ALICE, epoch: 1n });
  bench.slot = 1n << 63n;
  apply(bench, { kind: "create_resource", resourceId: 1n });
  assertEquals([found(bench, held).state, stateOf(bench, 1n)], ["confirmed", "confirmed"]);
  assertEquals(bench.engine.tables.operations.used, 1);
});
