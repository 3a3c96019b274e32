// What may be damaged decides what is called a bug: a budget that is too small hides bugs, one that is too large
// invents them. Whatever is drawn for a replica that is no victim, it must come back by itself, with its vote.
import { assert, assertEquals } from "@std/assert";
import { loadMetadata, METADATA_FILE } from "../../../node/metadata/metadata.ts";
import { SeededRandom } from "../random.ts";
import type { ClusterMachine } from "../world/machine.ts";
import { ask, quietWorld, runToCaughtUp } from "../world/script.ts";
import type { ClusterWorld } from "../world/world.ts";
import { create } from "../workload/requests.ts";
import { type DamagePlace, FaultAtlas } from "./fault_atlas.ts";

const [VICTIM, OTHER, KEEPER] = [0, 1, 2];

function atlasOf(world: ClusterWorld, keepsLogs: boolean): FaultAtlas {
  return new FaultAtlas(world, { victims: [VICTIM], keeper: KEEPER, keepsLogs });
}

/** A world with a log of some segments, and two snapshots if asked for. */
function writtenWorld(hasSnapshots: boolean): ClusterWorld {
  const world = quietWorld({ seed: 3, segmentBytes: 4_096, core: { maxResources: 200 } });
  for (let id = 1n; id <= 60n; id++) {
    ask(world, create(id));
    if (!hasSnapshots || id % 25n !== 0n) continue;
    for (const machine of world.machines) machine.reachSubject((one) => one.checkpoint(() => {}));
    world.run(300);
  }
  world.run(500);
  return world;
}

const HARMS: readonly ((place: DamagePlace, random: SeededRandom) => void)[] = [
  ({ machine, name, from, end }) => machine.disk.loseWritten(name, from, end),
  ({ machine, name, from, end }) => machine.disk.makeUnreadable(name, from, end),
  ({ machine, name, from, end }, random) =>
    machine.disk.rot(name, from + random.below(end - from), 1 << random.below(8)),
];

function assertKeepsVote(world: ClusterWorld, machine: ClusterMachine, what: string): void {
  machine.start();
  runToCaughtUp(world, machine);
  world.run(100);
  const load = loadMetadata(machine.disk);
  assert(load.kind === "loaded" && load.stored.metadata.role !== "recovering", what);
  assert(load.stored.isIntact, what);
}

for (const hasSnapshots of [false, true]) {
  Deno.test(`FaultAtlas draws for a replica that is no victim only what costs no vote, ${hasSnapshots ? "with" : "without"} snapshots`, () => {
    const world = writtenWorld(hasSnapshots);
    const atlas = atlasOf(world, !hasSnapshots);
    const machine = world.machines[OTHER]!;
    const parts = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const random = new SeededRandom(seed);
      machine.kill();
      for (let left = 1 + random.below(3); left > 0; left--) {
        const place = atlas.drawPlaceOf(machine, random);
        if (place === undefined) continue;
        assertEquals(place.from % 512, 0);
        parts.add(place.part);
        HARMS[random.below(HARMS.length)]!(place, random);
      }
      assertKeepsVote(world, machine, `seed ${seed}`);
      if (hasSnapshots) {
        machine.reachSubject((one) => one.checkpoint(() => {}));
        world.run(1_500);
      }
    }
    assertEquals([...parts].sort(), hasSnapshots ? ["metadata", "snapshot"] : ["log", "metadata"]);
    world.settle();
  });
}

Deno.test("FaultAtlas lets a victim lose anything, and the keeper nothing", () => {
  const world = writtenWorld(true);
  const atlas = atlasOf(world, true);
  const names = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const random = new SeededRandom(seed);
    assertEquals(atlas.drawPlaceOf(atlas.keeper, random), undefined);
    const place = atlas.drawPlace(random);
    assert(place?.machine !== atlas.keeper);
    if (place !== undefined && place.machine.index === VICTIM) names.add(place.name);
  }
  assertEquals([...names].sort(), world.machines[VICTIM]!.disk.list().sort());
});

Deno.test("FaultAtlas damages no second copy of the metadata, and none while they differ", () => {
  const world = writtenWorld(false);
  const atlas = atlasOf(world, false);
  const machine = world.machines[OTHER]!;
  machine.kill();
  const { disk } = machine;
  disk.contents(METADATA_FILE)[5_000]! ^= 1;
  const draws = (): number => {
    let drawn = 0;
    for (let seed = 0; seed < 50; seed++) {
      const place = atlas.drawPlaceOf(machine, new SeededRandom(seed));
      if (place !== undefined) drawn++;
    }
    return drawn;
  };
  assertEquals(draws(), 0, "they differ");
  disk.contents(METADATA_FILE)[5_000]! ^= 1;
  assertEquals(draws(), 50);
  disk.rot(METADATA_FILE, 6, 1);
  assertEquals(draws(), 0, "one is damaged already");
});
