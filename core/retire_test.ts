// Forgetting on time: history is readable to its last slot and gone after it, and an id that was given out
// once is never said to be unknown again, by reads and by commands alike.
import { assertEquals, assertThrows } from "@std/assert";
import {
  apply,
  applyCommand,
  type Bench,
  createBench,
  restoredCopy,
} from "../tests/support/core_builders.ts";
import { AssertionFailure } from "./assert.ts";
import type { CoreConfig } from "./config.ts";
import type { Row } from "./ids.ts";
import { firstViolation } from "./invariants.ts";
import { health, viewReservation } from "./query.ts";
import { enqueueRetirement, linkRetirement } from "./retire.ts";
import { Position } from "./state.ts";
import { writeU64 } from "./words.ts";

const HISTORY = 4n;

/** Resources 1 to 4, created at slot 0 by positions 1 to 4. */
function createRoom(changes: Partial<CoreConfig> = {}): Bench {
  const bench = createBench({ reservationHistoryWindowSlots: HISTORY, ...changes });
  for (const resourceId of [1n, 2n, 3n, 4n]) apply(bench, { kind: "create_resource", resourceId });
  return bench;
}

function reserve(bench: Bench, resourceId: bigint): bigint {
  const request = { kind: "reserve", resourceId, holderId: 7n, ttlSlots: 8n } as const;
  return apply(bench, request).reserved!.reservationId;
}

function release(bench: Bench, reservationId: bigint): void {
  const request = { kind: "release", reservationId, holderId: 7n, epoch: 1n } as const;
  assertEquals(apply(bench, request).code, "ok");
}

/** Any command at a slot, for what it retires. */
function pass(bench: Bench, slot: bigint): void {
  bench.slot = slot;
  apply(bench, { kind: "create_resource", resourceId: 1n });
}

function read({ engine }: Bench, reservationId: bigint, slot: bigint): string {
  const view = viewReservation(engine, reservationId, slot);
  return typeof view === "string" ? view : "found";
}

Deno.test("P12: history is readable through its last slot by the reader's slot, dropped or not", () => {
  const bench = createRoom();
  const id = reserve(bench, 1n);
  bench.slot = 2n;
  release(bench, id);
  const last = 2n + HISTORY;
  const readings = (): string[] =>
    [last - 1n, last, last + 1n, 1n << 60n].map((at) => read(bench, id, at));
  assertEquals(readings(), ["found", "found", "retired", "retired"]);
  pass(bench, last);
  assertEquals(readings(), ["found", "found", "retired", "retired"]);
  assertEquals(health(bench.engine, last).reservationTableUsed, 1);
  pass(bench, last + 1n);
  assertEquals(readings(), ["retired", "retired", "retired", "retired"]);
  assertEquals(health(bench.engine, last).reservationTableUsed, 0);
});

Deno.test("reads retire nothing", () => {
  const bench = createRoom();
  const id = reserve(bench, 1n);
  release(bench, id);
  read(bench, id, 1n << 60n);
  health(bench.engine, 1n << 60n);
  assertEquals(read(bench, id, 0n), "found");
});

Deno.test("live reservations do not age: a read far ahead finds them", () => {
  const bench = createRoom();
  const id = reserve(bench, 1n);
  pass(bench, 1n << 40n);
  assertEquals(read(bench, id, 1n << 60n), "found");
});

Deno.test("watermark: every id at or below the highest dropped one reads retired, those above not_found", () => {
  const shardId = 6n;
  const bench = createRoom({ shardId });
  reserve(bench, 1n);
  const dropped = reserve(bench, 2n);
  const live = reserve(bench, 3n);
  release(bench, dropped);
  pass(bench, HISTORY + 1n);
  const shard = shardId << 64n;
  const reading = (lsn: bigint): string => read(bench, shard | lsn, bench.slot);
  assertEquals([0n, 1n, 2n, 3n, 4n].map(reading), new Array(5).fill("retired"));
  assertEquals(reading(5n), "found", "a live one below the watermark is found first");
  assertEquals(reading(6n), "retired");
  assertEquals(read(bench, live, bench.slot), "found");
  assertEquals([8n, 9n, 100n, (1n << 64n) - 1n].map(reading), new Array(4).fill("not_found"));
  for (const other of [0n, 5n, 7n, 6n | (1n << 63n)]) {
    for (const lsn of [5n, 6n]) {
      assertEquals(read(bench, (other << 64n) | lsn, bench.slot), "not_found");
    }
  }
});

Deno.test("watermark: before anything was dropped no id is retired, not even 0", () => {
  const bench = createRoom();
  release(bench, reserve(bench, 1n));
  assertEquals([0n, 1n, 4n].map((id) => read(bench, id, 0n)), new Array(3).fill("not_found"));
});

Deno.test("watermark: it never falls when an older reservation is dropped later", () => {
  const bench = createRoom();
  const older = reserve(bench, 1n);
  const newer = reserve(bench, 2n);
  release(bench, newer);
  bench.slot = 1n;
  release(bench, older);
  pass(bench, HISTORY + 1n);
  assertEquals([read(bench, older, HISTORY + 1n), read(bench, newer, bench.slot)], [
    "found",
    "retired",
  ]);
  pass(bench, HISTORY + 2n);
  assertEquals([read(bench, older, bench.slot), read(bench, newer, bench.slot)], [
    "retired",
    "retired",
  ]);
});

Deno.test("watermark: commands see it too: a dropped id is reservation_retired, an unknown one not_found", () => {
  const bench = createRoom();
  const reservationId = reserve(bench, 1n);
  release(bench, reservationId);
  pass(bench, HISTORY + 1n);
  const codes = (id: bigint): string[] => [
    apply(bench, { kind: "confirm", reservationId: id, holderId: 7n, epoch: 1n }).code,
    apply(bench, { kind: "release", reservationId: id, holderId: 7n, epoch: 1n }).code,
    apply(bench, { kind: "revoke", reservationId: id }).code,
    apply(bench, { kind: "reclaim", reservationId: id }).code,
    applyCommand(bench, { kind: "expire", reservationId: id, deadlineSlot: 8n }).code,
  ];
  assertEquals(codes(reservationId), new Array(5).fill("reservation_retired"));
  assertEquals(codes(1n), new Array(5).fill("reservation_retired"));
  assertEquals(codes(1000n), new Array(5).fill("reservation_not_found"));
  assertEquals(codes((1n << 64n) | reservationId), new Array(5).fill("reservation_not_found"));
});

Deno.test("watermark: it survives a restore", () => {
  const bench = createRoom();
  const id = reserve(bench, 1n);
  release(bench, id);
  pass(bench, HISTORY + 1n);
  const restored = restoredCopy(bench.engine);
  if (typeof restored === "string") throw new Error(restored);
  assertEquals(viewReservation(restored, id, bench.slot), "retired");
  assertEquals(viewReservation(restored, id + 5n, bench.slot), "not_found");
});

Deno.test("an early reservation that ends late is dropped after a late one that ended early", () => {
  const bench = createRoom();
  const ids = [1n, 2n, 3n].map((resourceId) => reserve(bench, resourceId));
  for (const id of ids.toReversed()) {
    bench.slot++;
    release(bench, id);
  }
  assertEquals(firstViolation(bench.engine), undefined);
  for (const left of [2, 1, 0]) {
    pass(bench, bench.slot + (left === 2 ? HISTORY - 1n : 1n));
    assertEquals(health(bench.engine, bench.slot).reservationTableUsed, left);
  }
});

Deno.test("a dropped row is empty and the next reservation takes the lowest free one", () => {
  const bench = createRoom();
  const [first, second, third] = [1n, 2n, 3n].map((resourceId) => reserve(bench, resourceId));
  release(bench, second!);
  release(bench, first!);
  pass(bench, HISTORY + 1n);
  assertEquals(firstViolation(bench.engine), undefined);
  const fresh = reserve(bench, 1n);
  const { words, stride } = bench.engine.tables.reservations;
  assertEquals([0, 1, 2].map((row) => BigInt(words[row * stride]!)), [fresh, 0n, third!]);
});

Deno.test("with a history window of 0 an ended reservation is readable in its own slot only", () => {
  const bench = createRoom({ reservationHistoryWindowSlots: 0n });
  const id = reserve(bench, 1n);
  release(bench, id);
  assertEquals([0n, 1n].map((slot) => read(bench, id, slot)), ["found", "retired"]);
  pass(bench, 0n);
  assertEquals(read(bench, id, 0n), "found");
  pass(bench, 1n);
  assertEquals(read(bench, id, 0n), "retired");
});

Deno.test("a retirement slot past 64 bits stops the engine: reservation/history-window-fits", () => {
  const { engine } = createRoom();
  const position = new Uint32Array(4);
  writeU64(position, Position.slot, (1n << 64n) - HISTORY);
  assertThrows(
    () => enqueueRetirement(engine, 0 as Row, position),
    AssertionFailure,
    "reservation/history-window-fits",
  );
});

Deno.test("more ended reservations than there can be stop the engine: retirement/queue-bounded", () => {
  const { engine } = createRoom();
  for (let i = 0; i < engine.config.maxReservations; i++) linkRetirement(engine, 0 as Row);
  const one = () => linkRetirement(engine, 0 as Row);
  assertThrows(one, AssertionFailure, "retirement/queue-bounded");
});
