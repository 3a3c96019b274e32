// Power failures and disk faults at every operation that changes the disk, from making the directory through
// appends, rotations and checkpoints, and again during the recoveries that follow. What unsynced sectors hold
// afterwards is all of the new, none of it, or a coin for each. Whatever was acknowledged must be there, whatever
// was not must be a prefix, and a retry must have happened once.
//
// ALLOCDB_CRASH_SEEDS=100 lives as many different lives; two without it.
import { assert, assertGreater } from "@std/assert";
import { type LifeReport, live } from "../support/crash_life.ts";
import type { PlannedFault } from "../../testbed/sim/disk/memory_disk.ts";
import type { Survival } from "../../testbed/sim/disk/memory_file.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const ACTIONS = ["create", "write", "sync", "rename", "remove", "sync_directory"] as const;
type Action = typeof ACTIONS[number];

const SEEDS = Number(Deno.env.get("ALLOCDB_CRASH_SEEDS") ?? "2");
const STEPS = 28;
/** No life has as many operations of one kind. */
const POINTS_MAX = 1_000;

interface Tally {
  points: number;
  recoveries: number;
  recoveriesStruck: number;
  retried: number;
}

/** One life; says which, when it ends badly. */
function liveOnce(seed: number, plan: PlannedFault, survival: Survival): LifeReport {
  const nth = plan.nth;
  try {
    return live({ seed, steps: STEPS, plan, survival, luckSeed: nth, deferred: seed % 2 === 1 });
  } catch (error) {
    const fate = survival instanceof SeededRandom ? "coin" : survival;
    const life = `seed=${seed} plan=${JSON.stringify(plan)} survival=${fate}`;
    throw new Error(`A life went wrong: ${life}`, { cause: error });
  }
}

/** Strikes one kind of operation of one life, the first, the second and so on, until there is none. */
function sweep(seed: number, action: Action, tally: Tally): number {
  for (let nth = 1; nth < POINTS_MAX; nth++) {
    for (const survival of ["lose", "keep", new SeededRandom(nth)] as const) {
      const report = liveOnce(seed, { nth, action, effect: "crash" }, survival);
      if (!report.struck) return nth - 1;
      tally.recoveries += report.recoveries;
      tally.recoveriesStruck += report.recoveriesStruck;
      tally.retried += report.retried;
    }
    for (const effect of ["io_error", "disk_full"] as const) {
      const tornBytes = nth % 3 * 700;
      liveOnce(seed, { nth, action, effect, tornBytes }, new SeededRandom(nth));
    }
    tally.points++;
  }
  throw new Error("A life does not end");
}

Deno.test("a node loses nothing acknowledged and applies nothing twice, wherever its disk fails it", () => {
  const tally = { points: 0, recoveries: 0, recoveriesStruck: 0, retried: 0 };
  const points: Record<Action, number> = {
    create: 0,
    write: 0,
    sync: 0,
    rename: 0,
    remove: 0,
    sync_directory: 0,
  };
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const action of ACTIONS) points[action] += sweep(seed, action, tally);
  }
  const healthy = live({
    seed: 1,
    steps: STEPS,
    plan: undefined,
    survival: "lose",
    luckSeed: 1,
    deferred: false,
  });
  assertGreater(healthy.entries, 40, "a life is long enough to rotate and to checkpoint");
  for (const action of ACTIONS) assertGreater(points[action], 2, `too few of ${action}`);
  assert(tally.recoveriesStruck > tally.points / 8, "recoveries are struck too");
  assert(tally.retried > tally.points / 2, "commands are in flight when the disk fails");
});
