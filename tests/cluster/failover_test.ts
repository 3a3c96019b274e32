// A primary that dies, comes back, or only sleeps: its successor has everything that was answered, and no
// reader hears from the old one what is no longer true.
import { assert, assertEquals } from "@std/assert";
import { ask, quietWorld, readAt, runToSuccessor, submit } from "../../testbed/sim/world/script.ts";
import { ClusterWorld } from "../../testbed/sim/world/world.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";
import { isRefusal } from "../../testbed/sim/workload/client.ts";

Deno.test("a primary that loses its power again and again is replaced, and nothing is lost", () => {
  const world = new ClusterWorld({ seed: 11 });
  for (let round = 0; round < 8; round++) {
    world.run(700);
    const old = world.runToPrimary();
    old.crash(round % 2 === 0 ? "lose" : world.random);
    runToSuccessor(world, old);
    world.run(500);
    old.start();
  }
  world.settle();
});

Deno.test("a primary whose process is killed and started at once loses nothing", () => {
  const world = new ClusterWorld({ seed: 12 });
  for (let round = 0; round < 8; round++) {
    world.run(600);
    const old = world.runToPrimary();
    old.kill();
    old.start();
    world.run(50);
  }
  world.settle();
});

Deno.test("a power failure of all replicas at once loses nothing that was answered", () => {
  const world = new ClusterWorld({ seed: 13, clients: 8 });
  for (let round = 0; round < 5; round++) {
    world.run(1_500);
    for (const machine of world.machines) machine.crash("lose");
    world.run(200);
    for (const machine of world.machines) machine.start();
    world.runToPrimary();
  }
  world.settle();
});

Deno.test("a cluster goes on without a minority, and only without a minority", () => {
  const world = quietWorld();
  const [first, second, third] = world.machines;
  first!.crash("lose");
  assertEquals(ask(world, create(1n)).code, "ok");
  second!.crash("lose");
  const waiting = submit(world, create(2n), third!);
  world.run(8_000);
  assertEquals(waiting.outcome, undefined);
  first!.start();
  assert(world.runUntil(() => waiting.outcome?.code === "ok", 16_000), "a majority goes on");
  world.settle([second!]);
});

Deno.test("a paused primary that wakes up does not say what was true before it slept", () => {
  const world = quietWorld();
  ask(world, create(1n));
  const old = world.primary!;
  old.pause();
  runToSuccessor(world, old);
  assertEquals(ask(world, reserve(1n, 200n)).code, "ok");
  const client = world.newClient();
  client.aim(old);
  const told: (boolean | undefined)[] = [];
  client.readOnce(true, 1n, false, (answer) => void told.push(answer && isRefusal(answer.result)));
  world.run(5); // The question waits at the sleeping primary's door.
  old.resume();
  world.run(3_000);
  assertEquals(told, [true]);
  assert(isRefusal(readAt(world, old, 1n)!), "it follows now");
  world.settle();
});

Deno.test("pauses of random replicas under load", () => {
  const world = new ClusterWorld({ seed: 14 });
  for (let round = 0; round < 10; round++) {
    world.run(400);
    const machine = world.machines[world.random.below(3)]!;
    machine.pause();
    world.run(300 + world.random.below(1_500));
    machine.resume();
  }
  world.settle();
});

Deno.test("an operator's view change moves the primary and nothing else", () => {
  const world = new ClusterWorld({ seed: 15, manualFailover: true });
  world.runUntil(() => world.machines.every(({ subject }) => subject !== undefined), 1_000);
  for (let round = 0; round < 5; round++) {
    world.machines[round % 3]!.reachSubject((subject) => subject.startViewChange());
    world.run(1_000);
    world.runToPrimary();
  }
  world.settle();
});
