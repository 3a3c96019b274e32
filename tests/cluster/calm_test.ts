// A cluster that nothing happens to: it elects once, answers everything once, and takes the same course twice.
import { assert, assertEquals } from "@std/assert";
import { quietWorld } from "../../testbed/sim/world/script.ts";
import { ClusterWorld } from "../../testbed/sim/world/world.ts";

for (const replicas of [1, 3, 5]) {
  Deno.test(`a calm cluster of ${replicas} answers everything and ends with equal states`, () => {
    const world = new ClusterWorld({ seed: replicas, replicas });
    world.run(6_000);
    world.settle();
    const { judged } = world.judges;
    assert(judged.decided > 400 && judged.published > 400, "commands were decided");
    assert(judged.reads > 100, "reads were answered");
    assert(judged.expirations > 0, "reservations expired");
    assertEquals(world.machines.map((machine) => machine.incarnation), world.members.map(() => 1));
  });
}

Deno.test("a calm cluster keeps its first primary", () => {
  const world = quietWorld();
  const first = world.primary!;
  const { view } = first.subject!.status();
  world.run(60_000);
  assertEquals(world.primary, first);
  assertEquals(first.subject!.status().view, view);
});

Deno.test("the same seed takes the same course, another seed another", () => {
  const course = (seed: number): string => {
    const world = new ClusterWorld({ seed });
    world.run(3_000);
    return world.transcriptHash.text;
  };
  assertEquals(course(5), course(5));
  assert(course(5) !== course(6), "seeds differ");
});

Deno.test("replicas whose clocks differ in pace and beginning agree all the same", () => {
  const clocks = [
    { rate: 0.95, offsetMs: 0 },
    { rate: 1.05, offsetMs: 1e9 },
    { rate: 1, offsetMs: 5e5 },
  ];
  const world = new ClusterWorld({ seed: 8, clocks });
  world.run(6_000);
  world.settle();
});
