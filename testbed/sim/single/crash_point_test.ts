// Crash points: the choice depends on nothing but the seed, each point is met by a real node, and none of them
// costs anything that was answered.
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { create, reserve } from "../workload/requests.ts";
import {
  CRASH_POINTS,
  ENGINE_CRASH_POINTS,
  type EngineCrashPoint,
  planCrash,
  RECOVERY_CRASH_POINTS,
} from "./crash_point.ts";
import { SingleNode } from "./harness.ts";
import { codeOf, outcomeOf } from "./ticket.ts";

Deno.test("planCrash() chooses by seed alone, whatever the order and the repetitions of the points", () => {
  const forward = [...CRASH_POINTS];
  const backward = [...forward, ...forward].reverse();
  const chosen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const plan = planCrash(seed, forward);
    assertEquals(planCrash(seed, backward), plan);
    chosen.add(plan.point);
  }
  assertEquals(chosen.size, CRASH_POINTS.length, "every point is chosen by some seed");
  assertThrows(() => planCrash(1, []), Error, "No crash point");
});

Deno.test("there are eleven points, and their order is for good", () => {
  assertEquals(CRASH_POINTS, [
    "client_before_wal_append",
    "client_after_wal_sync",
    "client_after_apply",
    "internal_before_wal_append",
    "internal_after_wal_sync",
    "internal_after_apply",
    "checkpoint_after_snapshot_write",
    "checkpoint_after_wal_rewrite",
    "recovery_after_snapshot_load",
    "recovery_after_wal_truncate",
    "recovery_after_replay_frame",
  ]);
});

/** A node with a resource, one that is about to expire, and a snapshot behind it. */
function prepared(): SingleNode {
  const single = SingleNode.start();
  single.submit(create(1n));
  single.submit(reserve(1n, 2n));
  single.checkpoint();
  single.submit(create(2n));
  single.advanceTo(9n);
  return single;
}

/** What reaches a point, and says whether somebody was told of it. */
const REACH: Record<EngineCrashPoint, (single: SingleNode) => string> = {
  client_before_wal_append: (single) => codeOf(single.submit(create(3n))),
  client_after_wal_sync: (single) => codeOf(single.submit(create(3n))),
  client_after_apply: (single) => codeOf(single.submit(create(3n))),
  internal_before_wal_append: (single) => single.tick().outcome?.kind ?? "nothing",
  internal_after_wal_sync: (single) => single.tick().outcome?.kind ?? "nothing",
  internal_after_apply: (single) => single.tick().outcome?.kind ?? "nothing",
  checkpoint_after_snapshot_write: (single) => single.checkpoint()?.kind ?? "nothing",
  checkpoint_after_wal_rewrite: (single) => single.checkpoint()?.kind ?? "nothing",
};

for (const point of ENGINE_CRASH_POINTS) {
  Deno.test(`${point}: the process ends there once, nobody is told, and a start has all that was applied`, () => {
    for (const how of ["kill", "lose", "keep"] as const) {
      const single = prepared();
      assertEquals(single.armNextEngineCrash(7, [point]), { seed: 7, point });
      assertEquals(REACH[point](single), "nothing");
      assertEquals([single.isRunning, single.process.crashes], [false, 1]);
      const applied = single.judge.truth.lsn;
      assertEquals(single.restart(how).kind, "started");
      const isLogged = /after_(wal_sync|apply)$/.test(point);
      assertEquals(single.judge.truth.lsn, applied + (isLogged ? 1 : 0));
      assertNotEquals(REACH[point](single), "nothing", "it strikes once");
    }
  });
}

for (const point of RECOVERY_CRASH_POINTS) {
  Deno.test(`${point}: the start ends there once, and the next has everything`, () => {
    for (let seed = 0; seed < 12; seed++) {
      const single = prepared();
      for (let id = 3n; id < 60n; id++) single.submit(create(id));
      assert(single.metrics().wal.segments > 1, "the log has several files");
      const { lsn } = single.judge.truth;
      assertEquals(single.armNextRecoveryCrash(seed, [point]), { seed, point });
      assertEquals(single.restart("lose"), { kind: "crashed" });
      const started = single.restart("lose");
      assert(started.kind === "started");
      assertEquals(started.startup.loadedSnapshotLsn, 2n);
      assertEquals(started.startup.replayedWalLastLsn, BigInt(lsn));
      assertEquals(outcomeOf(single.submit(create(1n))).code, "already_exists");
    }
  });
}

Deno.test("a crash that is not reached is forgotten with its process", () => {
  const single = prepared();
  single.armNextEngineCrash(1, ["checkpoint_after_wal_rewrite"]);
  assertEquals(codeOf(single.submit(create(4n))), "ok");
  single.restart();
  assertEquals(single.checkpoint()?.kind, "done");
});
