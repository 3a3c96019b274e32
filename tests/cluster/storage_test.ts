// Storage that does not hold what was written to it: misdirected and lost writes, sectors that cannot be read, disks
// without room. What is committed stays, what a replica can prove it keeps, and what it cannot prove it gives up.
import { assert, assertEquals } from "@std/assert";
import { loadMetadata, METADATA_FILE } from "../../node/metadata/metadata.ts";
import { SNAPSHOT_FILE } from "../../node/snapshot/store.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { type LogInside, logInsides } from "../../testbed/sim/nemesis/log_places.ts";
import type { ClusterMachine } from "../../testbed/sim/world/machine.ts";
import {
  ask,
  backupsOf,
  quietWorld,
  runToCaughtUp,
  runToSuccessor,
  submit,
} from "../../testbed/sim/world/script.ts";
import type { ClusterWorld } from "../../testbed/sim/world/world.ts";
import { create } from "../../testbed/sim/workload/requests.ts";

/** More entries than a segment of 4 KiB has room for. */
const ENTRIES = 60n;

function writtenWorld(seed: number): ClusterWorld {
  const world = quietWorld({ seed, segmentBytes: 4_096, core: { maxResources: 200 } });
  for (let id = 1n; id <= ENTRIES; id++) ask(world, create(id));
  world.run(500);
  return world;
}

/** Sectors inside the log of a machine that is down. */
function insideOf(machine: ClusterMachine, random: SeededRandom): LogInside & { at: number } {
  const insides = logInsides(machine.disk);
  const inside = insides[random.below(insides.length)]!;
  const sectors = (inside.end - inside.from) / 512;
  return { ...inside, at: inside.from + random.below(sectors) * 512 };
}

/** It comes back by itself, with its vote, and helps to keep what was committed. */
function assertMended(world: ClusterWorld, machine: ClusterMachine): void {
  machine.start();
  runToCaughtUp(world, machine);
  assertEquals(machine.subject!.status().role, "backup");
  const primary = world.primary!;
  primary.crash("lose");
  runToSuccessor(world, primary);
  assertEquals(ask(world, create(1n)).code, "already_exists");
  world.settle();
}

const INSIDE: Readonly<
  Record<string, (machine: ClusterMachine, random: SeededRandom) => void>
> = {
  "a misdirected write": ({ disk }, random) => {
    const machine = { disk } as ClusterMachine;
    const from = insideOf(machine, random);
    const onto = insideOf(machine, random);
    const bytes = disk.contents(from.name).slice(from.at, from.at + 512);
    disk.loseWritten(from.name, from.at, from.at + 512);
    disk.landOn(onto.name, onto.at, bytes);
  },
  "a lost write": ({ disk }, random) => {
    const { name, at } = insideOf({ disk } as ClusterMachine, random);
    disk.loseWritten(name, at, at + 512);
  },
  "a sector that cannot be read": ({ disk }, random) => {
    const { name, at } = insideOf({ disk } as ClusterMachine, random);
    disk.makeUnreadable(name, at, at + 512);
  },
};

for (const [what, strike] of Object.entries(INSIDE)) {
  Deno.test(`${what} inside the log of a backup is found at its start and mended by a peer`, () => {
    for (let seed = 1; seed <= 6; seed++) {
      const world = writtenWorld(seed);
      const [machine] = backupsOf(world);
      machine!.kill();
      strike(machine!, new SeededRandom(seed));
      assertMended(world, machine!);
    }
  });
}

Deno.test("sectors of a running primary that cannot be read are found when a backup needs what they hold", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const world = writtenWorld(20 + seed);
    const primary = world.primary!;
    const [wiped] = backupsOf(world);
    for (const { name, from, end } of logInsides(primary.disk)) {
      primary.disk.makeUnreadable(name, from, end);
    }
    world.replace(wiped!);
    wiped!.start();
    runToCaughtUp(world, wiped!);
    world.settle();
    assert(primary.disk.list().every((name) => primary.disk.damagedSectors(name).length === 0));
  }
});

Deno.test("replicas with holes in different places mend each other, as long as one is open", () => {
  const world = writtenWorld(30);
  const [first, second, third] = world.machines;
  for (const machine of world.machines) machine.kill();
  for (const [i, machine] of [first!, second!].entries()) {
    const inside = logInsides(machine.disk)[i]!;
    machine.disk.loseWritten(inside.name, inside.from, inside.end);
    machine.start();
  }
  world.run(60_000);
  for (const machine of [first!, second!]) {
    assertEquals(machine.subject!.status().role, "recovering");
    const load = loadMetadata(machine.disk);
    assert(
      load.kind === "loaded" && load.stored.metadata.role !== "recovering",
      "it keeps its vote",
    );
  }
  third!.start();
  world.runToPrimary();
  for (const machine of world.machines) runToCaughtUp(world, machine);
  assertEquals(ask(world, create(1n)).code, "already_exists");
  world.settle();
});

Deno.test("a lost write of the metadata costs one of two copies, and no promise", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const world = writtenWorld(40 + seed);
    const primary = world.primary!;
    const [machine] = backupsOf(world);
    machine!.disk.divert({ file: METADATA_FILE, from: seed % 2 * 4_096 });
    primary.crash("lose");
    runToSuccessor(world, primary);
    assert(!machine!.disk.isDiverting, "a view change writes it");
    machine!.crash(new SeededRandom(seed));
    machine!.start();
    primary.start();
    world.settle();
  }
});

Deno.test("one copy of the metadata that cannot be read does not keep a replica out", () => {
  for (const at of [0, 4_096]) {
    const world = writtenWorld(50);
    const [machine] = backupsOf(world);
    machine!.kill();
    machine!.disk.makeUnreadable(METADATA_FILE, at, at + 1);
    assertMended(world, machine!);
    assertEquals(machine!.disk.damagedSectors(METADATA_FILE), []);
  }
});

Deno.test("a primary without room makes way for another, and nothing that was answered is lost", () => {
  for (const pages of [0, 1, 3]) {
    const world = writtenWorld(60 + pages);
    const primary = world.primary!;
    const { disk } = primary;
    disk.capacityBytes = disk.usedBytes + pages * 4_096;
    const waiting = Array.from(
      { length: 40 },
      (_, i) => submit(world, create(ENTRIES + 1n + BigInt(i))),
    );
    const isDone = (): boolean => waiting.every(({ outcome }) => outcome !== undefined);
    assert(world.runUntil(isDone, 16_000), "another one answers");
    if (pages === 0) assert(world.primary !== primary, "it cannot lead");
    world.run(1_000);
    assertEquals(ask(world, create(1n)).code, "already_exists");
    for (const { command } of waiting) {
      if (command.kind !== "create_resource") continue;
      assertEquals(ask(world, create(command.resourceId)).code, "already_exists");
    }
    world.settle();
  }
});

Deno.test("a primary whose newest snapshot has rotted makes another one for who needs it", () => {
  for (const isKnown of [false, true]) {
    const world = writtenWorld(70);
    const primary = world.primary!;
    const [wiped] = backupsOf(world);
    for (let round = 0n; round < 3n; round++) {
      for (const machine of world.machines) {
        machine.reachSubject((subject) => subject.checkpoint(() => {}));
      }
      world.run(500);
      ask(world, create(ENTRIES + 1n + round));
    }
    const size = primary.disk.size(SNAPSHOT_FILE)!;
    primary.disk.rot(SNAPSHOT_FILE, size - 100, 1);
    if (isKnown) {
      for (const machine of world.machines) machine.disk.rot(SNAPSHOT_FILE, size - 100, 1);
      for (const machine of world.machines) machine.kill();
      for (const machine of world.machines) machine.start();
      world.runToPrimary();
    }
    const lost = world.primary === wiped ? primary : wiped!;
    world.replace(lost);
    lost.start();
    runToCaughtUp(world, lost);
    world.settle();
  }
});
