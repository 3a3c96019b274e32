// Messages that do not arrive: in both directions, in one, out of order, twice. Whoever has a majority goes
// on, whoever has none stops in time, and afterwards all have the same log.
import { assert, assertEquals } from "@std/assert";
import { isRefusal } from "../../testbed/sim/workload/client.ts";
import {
  ask,
  backupsOf,
  quietWorld,
  readAt,
  runToSuccessor,
  submit,
} from "../../testbed/sim/world/script.ts";
import { ClusterWorld, ELECTION_MS } from "../../testbed/sim/world/world.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";

Deno.test("partitions that come and go lose nothing and split nothing", () => {
  const world = new ClusterWorld({ seed: 21, replicas: 5 });
  for (let round = 0; round < 10; round++) {
    world.run(300 + world.random.below(500));
    world.network.partition(world.members.filter(() => world.random.oneIn(2)));
    world.run(300 + world.random.below(2_000));
    world.network.heal();
  }
  world.settle();
});

Deno.test("a primary without a majority leaves service within an election timeout or two", () => {
  const world = quietWorld();
  ask(world, create(1n));
  const old = world.primary!;
  world.network.isolate(old.id);
  world.run(2 * ELECTION_MS);
  assert(old.subject!.status().role !== "primary", "it leads no longer");
  assert(isRefusal(readAt(world, old, 1n) ?? { kind: "engine_halted" }), "it does not answer");
  const successor = runToSuccessor(world, old);
  assertEquals(ask(world, reserve(1n, 200n)).code, "ok");
  world.network.heal();
  world.settle();
  assertEquals(old.subject!.status().primary, successor.id);
});

Deno.test("a primary that hears but is not heard is replaced", () => {
  const world = quietWorld();
  const old = world.primary!;
  for (const backup of backupsOf(world)) world.network.cut(old.id, backup.id);
  runToSuccessor(world, old);
  assertEquals(ask(world, create(1n)).code, "ok");
  world.settle();
});

Deno.test("a primary that is heard but does not hear does not hold the cluster up", () => {
  const world = quietWorld();
  const old = world.primary!;
  for (const backup of backupsOf(world)) world.network.cut(backup.id, old.id);
  runToSuccessor(world, old);
  assertEquals(ask(world, create(1n)).code, "ok");
  world.settle();
});

Deno.test("a backup that hears nothing does not disturb the others, nor when it is back", () => {
  const world = quietWorld();
  const [backup] = backupsOf(world);
  const { view } = world.primary!.subject!.status();
  world.network.isolate(backup!.id);
  world.run(10_000);
  assertEquals(ask(world, create(1n)).code, "ok");
  world.network.heal();
  world.run(3_000);
  assertEquals(world.primary!.subject!.status().view, view, "its absence cost no view");
  world.settle();
});

Deno.test("two of three that cannot hear each other serve through the third", () => {
  const world = quietWorld();
  const [a, b] = backupsOf(world);
  world.network.cutBoth(a!.id, b!.id);
  for (let id = 1n; id <= 6n; id++) assertEquals(ask(world, create(id)).code, "ok");
  world.settle();
});

Deno.test("a full split commits nothing, half a heal is enough", () => {
  const world = quietWorld();
  for (const id of world.members) world.network.isolate(id);
  const waiting = submit(world, create(1n));
  world.run(6_000);
  assertEquals(waiting.outcome, undefined);
  world.network.heal();
  world.network.isolate(world.machines[0]!.id);
  assert(world.runUntil(() => waiting.outcome?.code === "ok", 16_000), "two of three go on");
  world.settle();
});

for (const fault of ["dropOneIn", "duplicateOneIn", "reorderOneIn"] as const) {
  Deno.test(`a network with ${fault} 4 is slow and right`, () => {
    const world = new ClusterWorld({ seed: 22, weather: { [fault]: 4 } });
    world.run(5_000);
    world.settle();
    assert(world.judges.judged.decided > 20, "something was decided");
  });
}

Deno.test("messages that take up to half a second arrive in time for somebody", () => {
  const world = new ClusterWorld({ seed: 23, weather: { spikeOneIn: 10, spikeMs: 500 } });
  world.run(8_000);
  world.settle();
});
