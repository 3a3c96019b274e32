// An operator may ask for a digest at any time, also while a snapshot of the same state is being written.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { create } from "../../testbed/sim/workload/requests.ts";
import { fresh, quietWorld } from "../../testbed/sim/world/script.ts";
import type { ClusterWorld } from "../../testbed/sim/world/world.ts";

/** So many that they fill more than a block: their snapshot is written in more than one turn. */
const OPERATIONS = 5_800;

Deno.test("digest() has no answer while a checkpoint reads the state, and the same as before after it", () => {
  const world = largeWorld();
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

function largeWorld(): ClusterWorld {
  const world = quietWorld({ engine: { maxSubmissionQueue: OPERATIONS } });
  const wishes = Array.from({ length: OPERATIONS }, () => ({ command: fresh(create(1n)) }));
  const client = world.newClient();
  client.aim(world.primary!);
  client.submitAll(wishes, () => {});
  assert(world.runUntil(() => client.open.size === 0, 20_000), "all are there");
  return world;
}
