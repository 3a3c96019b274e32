// Reading ahead may bring memory closer and do nothing else: no word of the engine changes, whatever the bytes
// say and however short the command is.
import { assertEquals } from "@std/assert";
import { apply, createBench, encodePlain, restoredCopy } from "../tests/support/core_builders.ts";
import { drawClientCommand, EXAMPLES } from "../tests/support/draw_command.ts";
import { SeededRandom } from "../tests/support/seeded_random.ts";
import { digest } from "./digest.ts";
import { warmCommand } from "./warm.ts";

Deno.test("warmCommand() changes nothing, for every kind of command, known and unknown ids", () => {
  const bench = createBench();
  for (const resourceId of [1n, 2n, 3n]) {
    apply(bench, { kind: "create_resource", resourceId });
    apply(bench, { kind: "reserve", resourceId, holderId: 7n, ttlSlots: 5n });
  }
  const { engine } = bench;
  const before = digest(engine);
  const { tables } = engine;
  const indexes = [tables.resourceIndex, tables.reservationIndex, tables.operationIndex];
  const buckets = indexes.map((index) => index.buckets.slice());
  const random = new SeededRandom(3);
  const drawn = Array.from({ length: 300 }, () => drawClientCommand(random));
  for (const command of [...EXAMPLES, ...drawn]) {
    const bytes = encodePlain(command);
    warmCommand(engine, new DataView(bytes.buffer), 0, new Uint32Array([7, 0]), 0);
  }
  assertEquals(digest(engine), before);
  assertEquals(indexes.map((index) => index.buckets), buckets);
});

Deno.test("warmCommand() works on an engine without records", () => {
  const { engine } = createBench();
  for (const command of EXAMPLES) {
    const bytes = encodePlain(command);
    warmCommand(engine, new DataView(bytes.buffer), 0, new Uint32Array([1, 0]), 0);
  }
  assertEquals(typeof restoredCopy(engine), "object");
});
