// An operator may ask for a digest at any time, also while a snapshot of the same state is being written.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { create } from "../../testbed/sim/workload/requests.ts";
import { ask, quietWorld } from "../../testbed/sim/world/script.ts";

Deno.test("digest() has no answer while a checkpoint reads the state, and the same as before after it", () => {
  const world = quietWorld();
  ask(world, create(1n));
  const subject = world.primary!.subject!;
  const before = subject.digest();
  const told = { isOver: false, withoutAnswer: 0 };
  subject.checkpoint((result) => void (told.isOver = result.kind === "done"));
  const isOver = (): boolean => {
    if (subject.digest() === undefined) told.withoutAnswer++;
    return told.isOver;
  };
  assert(world.runUntil(isOver, 5_000), "the checkpoint ends");
  assertGreater(told.withoutAnswer, 0);
  assertEquals(subject.digest(), before);
});
