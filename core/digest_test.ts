// Replicas compare this one number, so it must see every word of the state and nothing that is not state.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { apply, type Bench, createBench } from "../tests/support/core_builders.ts";
import { digest } from "./digest.ts";
import type { EngineOptions } from "./state.ts";
import { Reservation, type Table } from "./tables.ts";

/** Two reservations, one of them ended, and a few operations. */
function createRoom(options: EngineOptions = {}): Bench {
  const bench = createBench({}, options);
  for (const resourceId of [1n, 2n]) {
    apply(bench, { kind: "create_resource", resourceId });
    apply(bench, { kind: "reserve", resourceId, holderId: 7n, ttlSlots: 5n });
  }
  apply(bench, { kind: "release", reservationId: 2n, holderId: 7n, epoch: 1n });
  return bench;
}

Deno.test("digest() is the same for the same history under any hash seed, and asking changes nothing", () => {
  const expected = digest(createRoom().engine);
  for (const hashSeed of [0, 1, -1, 0x7fff_ffff]) {
    const { engine } = createRoom({ hashSeed });
    assertEquals([digest(engine), digest(engine)], [expected, expected]);
  }
  assert(expected >= 0n && expected < 1n << 64n);
});

Deno.test("digest() changes with every bit of every record and of the progress", () => {
  const { engine } = createRoom();
  const { resources, reservations, operations } = engine.tables;
  const seen = new Set([digest(engine)]);
  let changes = 0;
  const flipAll = (words: Uint32Array, from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      for (const bit of [0, 7, 16, 31]) {
        words[at]! ^= 1 << bit;
        seen.add(digest(engine));
        changes++;
        words[at]! ^= 1 << bit;
      }
    }
  };
  flipAll(engine.progress, 0, engine.progress.length);
  flipAll(resources.words, 0, resources.used * resources.stride);
  flipAll(operations.words, 0, operations.stride);
  for (const row of [0, 1]) {
    const record = row * reservations.stride;
    flipAll(reservations.words, record, record + Reservation.next);
    flipAll(reservations.words, record + Reservation.members, record + reservations.stride);
  }
  assertEquals(seen.size, changes + 1);
});

Deno.test("digest() does not see derived links", () => {
  const { engine } = createRoom();
  const expected = digest(engine);
  const { words, stride }: Table = engine.tables.reservations;
  for (const link of [Reservation.next, Reservation.previous]) {
    words[stride + link]! ^= 5;
    assertEquals(digest(engine), expected);
    words[stride + link]! ^= 5;
  }
});

Deno.test("digest() tells histories apart that differ in their last command only", () => {
  const [one, other] = [createRoom(), createRoom()];
  apply(one, { kind: "create_resource", resourceId: 9n });
  apply(other, { kind: "create_resource", resourceId: 10n });
  assertNotEquals(digest(one.engine), digest(other.engine));
});
