// Disks that lose, rot, fail, fill up and crawl. What a majority holds is never lost, and a replica that
// cannot prove what it once promised promises nothing until it can.
import { assert, assertEquals } from "@std/assert";
import { ACTIVE_SEGMENT } from "../../node/log/files.ts";
import { METADATA_FILE } from "../../node/metadata/metadata.ts";
import type { ClusterMachine } from "../../testbed/sim/world/machine.ts";
import {
  ask,
  backupsOf,
  quietWorld,
  runToCaughtUp,
  runToSuccessor,
  submit,
} from "../../testbed/sim/world/script.ts";
import { ClusterWorld } from "../../testbed/sim/world/world.ts";
import { create } from "../../testbed/sim/workload/requests.ts";

Deno.test("a replica that lost its disk catches up and then counts again", () => {
  const world = quietWorld();
  const [wiped, other] = backupsOf(world);
  for (let id = 1n; id <= 5n; id++) ask(world, create(id));
  world.replace(wiped!);
  wiped!.start();
  runToCaughtUp(world, wiped!);
  assert(
    world.runUntil(() => wiped!.subject!.status().role === "backup", 16_000),
    "it is a backup",
  );
  other!.crash("lose");
  assertEquals(ask(world, create(6n)).code, "ok");
  world.settle();
});

Deno.test("a replica that lost its disk does not help to lose an entry that it once held", () => {
  const world = quietWorld();
  const primary = world.primary!;
  const [keeper, lost] = backupsOf(world);
  world.network.isolate(keeper!.id);
  assertEquals(ask(world, create(1n)).code, "ok"); // On the primary and on the one that is lost.
  primary.crash("lose");
  world.replace(lost!);
  world.network.heal();
  lost!.start();
  world.run(10_000);
  assertEquals(world.primary, undefined, "nobody may lead without what was committed");
  primary.start();
  assertEquals(ask(world, create(1n)).code, "already_exists");
  world.settle();
});

Deno.test("a whole cluster whose replicas lose their disks one after the other keeps its state", () => {
  const world = new ClusterWorld({ seed: 31 });
  for (const machine of world.machines) {
    world.run(1_500);
    world.replace(machine);
    world.run(300);
    machine.start();
    const isBack = (): boolean => {
      const role = machine.subject?.status().role;
      return role === "backup" || role === "primary";
    };
    assert(world.runUntil(isBack, 16_000), `replica ${machine.id} is back`);
    runToCaughtUp(world, machine);
  }
  world.settle();
});

Deno.test("a committed entry that rotted is fetched from a peer, wherever it stands", () => {
  for (let entry = 0; entry < 8; entry++) {
    const world = quietWorld({ seed: 32 + entry });
    const [damaged] = backupsOf(world);
    for (let id = 1n; id <= 8n; id++) ask(world, create(id));
    world.run(500);
    damaged!.kill();
    world.damaged.add(damaged!);
    damage(damaged!, entry);
    damaged!.start();
    ask(world, create(1n));
    runToCaughtUp(world, damaged!);
    world.settle();
  }
});

Deno.test("a damaged replica and a healthy one are enough for what both held", () => {
  const world = quietWorld();
  const primary = world.primary!;
  const [damaged] = backupsOf(world);
  for (let id = 1n; id <= 8n; id++) ask(world, create(id));
  world.run(500);
  damaged!.kill();
  world.damaged.add(damaged!);
  damage(damaged!, 3);
  damaged!.start();
  world.run(2_000);
  primary.crash("lose");
  runToSuccessor(world, primary);
  assertEquals(ask(world, create(3n)).code, "already_exists");
  world.settle();
});

Deno.test("metadata that rotted in both copies keeps a replica out until an operator replaces it", () => {
  const world = quietWorld();
  const [damaged] = backupsOf(world);
  ask(world, create(1n));
  damaged!.kill();
  world.damaged.add(damaged!);
  const bytes = damaged!.disk.contents(METADATA_FILE);
  bytes[100]! ^= 1;
  bytes[4_096 + 100]! ^= 1;
  damaged!.start();
  world.run(3_000);
  assertEquals(damaged!.subject?.status().state ?? "faulted", "faulted");
  assertEquals(ask(world, create(2n)).code, "ok");
  world.settle();
});

for (const fault of ["io_error", "disk_full"] as const) {
  Deno.test(`a primary whose disk answers ${fault} makes room for another`, () => {
    const world = quietWorld();
    const primary = world.primary!;
    const waiting = submit(world, create(1n));
    primary.disk.failing = fault;
    assert(world.runUntil(() => waiting.outcome !== undefined, 16_000), "another one answers");
    world.settle();
  });

  Deno.test(`a backup whose disk answers ${fault} costs nothing`, () => {
    const world = quietWorld();
    const [backup] = backupsOf(world);
    backup!.disk.failing = fault;
    for (let id = 1n; id <= 5n; id++) assertEquals(ask(world, create(id)).code, "ok");
    world.settle();
  });
}

Deno.test("a sync that fails once never makes anything count that is not there", () => {
  for (let nth = 1; nth <= 12; nth++) {
    const world = new ClusterWorld({ seed: 40 + nth });
    world.run(800);
    const machine = world.machines[nth % 3]!;
    machine.disk.plan({ nth, action: "sync", effect: "io_error" });
    world.run(1_000);
    machine.crash("lose");
    world.run(300);
    machine.start();
    world.run(500);
    world.settle();
  }
});

Deno.test("one slow disk does not slow the cluster down, two do, and nothing breaks", () => {
  const world = new ClusterWorld({ seed: 55 });
  world.run(500);
  const [a, b] = backupsOf(world);
  a!.diskMs = [200, 400];
  world.run(3_000);
  b!.diskMs = [200, 400];
  world.run(3_000);
  world.settle();
});

/** Changes a bit in the n-th of the log's entries, in whatever segment it lies. */
function damage(machine: ClusterMachine, entry: number): void {
  const wanted = [...machine.mirror.frames.values()].filter(({ isCommand }) => isCommand)[entry]!;
  for (const name of machine.disk.list().filter((name) => name.startsWith(ACTIVE_SEGMENT))) {
    const bytes = machine.disk.contents(name);
    const at = indexOf(bytes, wanted.payload);
    if (at >= 0) bytes[at + 20]! ^= 4;
  }
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at++) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
