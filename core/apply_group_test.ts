// Groups are how the node applies what recovery and replicas apply one by one: any difference would be two histories
// from one log. Tried on drawn histories, every group cut at random, against entry by entry; and reading ahead must
// leave no trace.
import { assertEquals } from "@std/assert";
import { createBench, TINY_CONFIG as TINY } from "../tests/support/core_builders.ts";
import { encodePlain } from "../testbed/sim/workload/plain.ts";
import { EXAMPLES } from "../tests/support/draw_command.ts";
import type { ClientCommand } from "../testbed/model/words.ts";
import { SeededRandom } from "../testbed/sim/random.ts";
import {
  applyFromGroup,
  beginGroup,
  createEntryGroup,
  decodeIntoGroup,
  GROUP_ENTRIES,
  readAhead,
} from "./apply_group.ts";
import { CodecError } from "./command_codec.ts";
import { createCommand } from "./command.ts";
import { digest } from "./digest.ts";
import { createOutcome } from "./outcome.ts";
import { applyEntry } from "./replay.ts";
import { createEngine, Position, POSITION_WORDS } from "./state.ts";
import { writeU64 } from "./words.ts";

/** A command whose ids meet those of others: a few resources, recent reservations, now and then a retry. */
function draw(random: SeededRandom, lsn: bigint): ClientCommand {
  const key = { operationId: BigInt(random.below(400)), clientId: 1n };
  const resourceId = BigInt(random.below(6));
  const reservationId = lsn - BigInt(random.below(20));
  const holder = { holderId: BigInt(random.below(2)), epoch: 1n };
  const ttlSlots = BigInt(1 + random.below(4));
  switch (random.below(6)) {
    case 0:
      return { kind: "create_resource", ...key, resourceId };
    case 1:
      return {
        kind: "confirm",
        ...key,
        reservationId: reservationId < 0n ? 0n : reservationId,
        ...holder,
      };
    case 2:
      return {
        kind: "release",
        ...key,
        reservationId: reservationId < 0n ? 0n : reservationId,
        ...holder,
      };
    case 3: {
      const resourceIds = [resourceId, BigInt(random.below(6))];
      return { kind: "reserve_bundle", ...key, resourceIds, holderId: holder.holderId, ttlSlots };
    }
    default:
      return { kind: "reserve", ...key, resourceId, holderId: holder.holderId, ttlSlots };
  }
}

Deno.test("applyFromGroup() decides what applyEntry() decides, however entries are grouped", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const [grouped, single] = [createEngine(TINY), createEngine(TINY)];
    const group = createEntryGroup(TINY.maxBundleSize);
    const command = createCommand(TINY.maxBundleSize);
    const [a, b] = [createOutcome(), createOutcome()];
    const position = new Uint32Array(POSITION_WORDS);
    let lsn = 1n;
    for (let round = 0; round < 30; round++) {
      const payloads = Array.from(
        { length: 1 + random.below(GROUP_ENTRIES) },
        () => encodePlain(draw(random, lsn)),
      );
      beginGroup(group);
      for (const [i, bytes] of payloads.entries()) {
        writeU64(position, Position.lsn, lsn + BigInt(i));
        const view = new DataView(bytes.buffer);
        assertEquals(
          decodeIntoGroup(grouped, group, false, view, 0, bytes.length, position, Position.lsn),
          0,
        );
      }
      readAhead(grouped, group);
      for (const [i, bytes] of payloads.entries()) {
        writeU64(position, Position.lsn, lsn++);
        writeU64(position, Position.slot, BigInt(1 + round));
        applyFromGroup(grouped, group, i, position, a);
        const view = new DataView(bytes.buffer);
        assertEquals(
          applyEntry(single, false, view, 0, bytes.length, position, command, b),
          0,
        );
        assertEquals(a, b);
      }
    }
    assertEquals(digest(grouped), digest(single));
  }
});

Deno.test("decodeIntoGroup() and readAhead() change nothing but the group", () => {
  const { engine } = createBench();
  const before = digest(engine);
  const { tables } = engine;
  const indexes = [tables.resourceIndex, tables.reservationIndex, tables.operationIndex];
  const buckets = indexes.map((index) => index.buckets.slice());
  const group = createEntryGroup(engine.config.maxBundleSize);
  for (const example of EXAMPLES) {
    const bytes = encodePlain(example);
    const view = new DataView(bytes.buffer);
    beginGroup(group);
    decodeIntoGroup(engine, group, false, view, 0, bytes.length, new Uint32Array([7, 0]), 0);
    readAhead(engine, group);
  }
  assertEquals(digest(engine), before);
  assertEquals(indexes.map((index) => index.buckets), buckets);
});

Deno.test("decodeIntoGroup() refuses bytes behind a command", () => {
  const { engine } = createBench();
  const group = createEntryGroup(engine.config.maxBundleSize);
  const bytes = new Uint8Array([...encodePlain(EXAMPLES[0]!), 0]);
  const view = new DataView(bytes.buffer);
  const lsn = new Uint32Array([1, 0]);
  const refused = decodeIntoGroup(engine, group, false, view, 0, bytes.length, lsn, 0);
  assertEquals(refused, CodecError.invalid_layout);
});
