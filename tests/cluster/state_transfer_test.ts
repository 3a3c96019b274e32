// A replica that was away for so long that the others no longer have the entries it misses: it gets a
// snapshot, and goes on from there.
import { assert, assertEquals } from "@std/assert";
import { backupsOf, runToCaughtUp } from "../../testbed/sim/world/script.ts";
import type { WorldOptions } from "../../testbed/sim/world/options.ts";
import { ClusterWorld } from "../../testbed/sim/world/world.ts";

const FORGETFUL: Partial<WorldOptions> = {
  segmentBytes: 4_096,
  checkpoints: { bytes: 1e9, frames: 60, ageMs: 1e9 },
};

Deno.test("a replica far behind gets a snapshot from a primary that forgot its log", () => {
  const world = new ClusterWorld({ seed: 61, ...FORGETFUL });
  world.run(1_000);
  const [behind] = backupsOf(world);
  behind!.crash("lose");
  world.run(8_000);
  const seen = behind!.mirror.frames.size;
  behind!.start();
  world.isBusy = false;
  runToCaughtUp(world, behind!);
  assert((behind!.subject!.status().snapshotLsn ?? 0n) > BigInt(seen), "it has a later snapshot");
  world.settle();
});

Deno.test("a replica that lost its disk gets a snapshot while writes go on", () => {
  const world = new ClusterWorld({ seed: 62, ...FORGETFUL, clients: 6 });
  world.run(6_000);
  const [wiped] = backupsOf(world);
  world.replace(wiped!);
  wiped!.start();
  world.run(5_000);
  world.settle();
});

Deno.test("a transfer survives its giver, and a power failure of its taker", () => {
  for (let round = 0; round < 6; round++) {
    const world = new ClusterWorld({ seed: 63 + round, ...FORGETFUL });
    world.run(5_000);
    const giver = world.runToPrimary();
    const [taker] = backupsOf(world);
    world.replace(taker!);
    taker!.start();
    world.run(20 + round * 40);
    if (round % 2 === 0) giver.crash("lose");
    else taker!.crash(world.random);
    world.run(2_000);
    world.settle();
  }
});

Deno.test("a power failure at any operation of a transfer costs a sound replica neither log nor vote", () => {
  let struck = 0;
  for (let nth = 1; nth <= 24; nth++) {
    const world = new ClusterWorld({ seed: 80 + nth, ...FORGETFUL });
    world.run(800);
    const [taker, other] = backupsOf(world);
    world.network.isolate(taker!.id);
    world.run(3_000);
    world.isBusy = false;
    world.network.heal();
    taker!.disk.plan({ nth, effect: "crash" });
    world.run(500);
    struck += taker!.isRunning ? 0 : 1;
    taker!.start();
    other!.crash("lose");
    world.isBusy = true;
    world.run(1_000);
    world.settle([other!]);
  }
  assert(struck > 20, `most were struck: ${struck}`);
});

Deno.test("replicas that all checkpoint all the time agree and keep little", () => {
  const world = new ClusterWorld({
    seed: 70,
    segmentBytes: 4_096,
    checkpoints: { bytes: 1e9, frames: 10, ageMs: 1e9 },
  });
  world.run(8_000);
  world.settle();
  assertEquals(world.judges.truth.op > 300, true);
  for (const { disk } of world.machines) assert(disk.list().length < 40, "old segments are gone");
});
