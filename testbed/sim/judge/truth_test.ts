// What the truth forgets must change nothing of what it says about the time that it still knows.
import { assert, assertEquals } from "@std/assert";
import { ClusterWorld } from "../world/world.ts";
import type { MirrorFrame } from "./log_mirror.ts";
import { ClusterTruth } from "./truth.ts";

const RESOURCES = 6;

Deno.test("ClusterTruth.forget() leaves every later moment as it was", () => {
  const world = new ClusterWorld({ seed: 5 });
  world.run(50_000);
  const [whole, short] = [new ClusterTruth(world.core), new ClusterTruth(world.core)];
  for (const frame of framesOf(world)) {
    for (const truth of [whole, short]) truth.decide({ ...frame }, frame.op);
  }
  const keys: string[] = [];
  const floor = short.forget(3_000, (key) => keys.push(key));
  assert(floor > 1_000 && keys.length > 500, `op ${floor}, ${keys.length} keys`);
  assert(short.kept < whole.kept / 1.2, `${short.kept} of ${whole.kept}`);
  assertEquals([short.at(floor), short.at(floor + 1)?.frame.op], [undefined, floor + 1]);
  for (let op = 1; op <= whole.op; op++) assertEquals(short.hashAt(op), whole.hashAt(op));
  for (let lsn = floor; lsn <= whole.lsn; lsn += 37) {
    for (let id = 1n; id <= RESOURCES; id++) {
      assertEquals(resourceAt(short, id, lsn), resourceAt(whole, id, lsn));
    }
    for (let id = 1; id <= lsn; id += 11) {
      const [before, after] = [whole, short].map((truth) => reservationAt(truth, BigInt(id), lsn));
      if (before !== "not_found") assertEquals(after, before);
    }
  }
});

Deno.test("ClusterTruth.forget() keeps what is young, and the latest entries however old", () => {
  const world = new ClusterWorld({ seed: 6 });
  world.run(20_000);
  const truth = new ClusterTruth(world.core);
  for (const frame of framesOf(world)) truth.decide({ ...frame }, 1_000);
  const { kept } = truth;
  assertEquals([truth.forget(Infinity, () => {}), truth.forget(1_000, () => {})], [0, 0]);
  assertEquals(truth.kept, kept);
});

/** All that one replica has durably, in order. */
function framesOf({ machines }: ClusterWorld): MirrorFrame[] {
  const { frames, durableTip } = machines[0]!.mirror;
  return [...frames.values()].filter(({ op }) => op <= durableTip).sort((a, b) => a.op - b.op);
}

function resourceAt(truth: ClusterTruth, id: bigint, lsn: number): unknown {
  let seen: unknown;
  truth.whenResource(id, (resource) => (seen = resource, true), lsn, lsn);
  return seen;
}

function reservationAt(truth: ClusterTruth, id: bigint, lsn: number): unknown {
  let seen: unknown;
  truth.whenReservation(id, 0n, (reservation) => (seen = reservation, true), lsn, lsn);
  return seen;
}
