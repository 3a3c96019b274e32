// Evidence from whole simulated clusters: replicas that crash, lose disks and change views, under the shipping code. Their logs,
// states and clients' histories have to agree as those of real clusters have to.
import { assert, assertEquals } from "@std/assert";
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import { judgeEvidence } from "../../testbed/jepsen/evidence/check.ts";
import type { ClusterEvidence, LogEntry } from "../../testbed/jepsen/evidence/evidence.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";
import { ClusterWorld } from "../../testbed/sim/world/world.ts";
import { GateScript } from "./gate_script.ts";

/** Virtual milliseconds of a life: nothing is forgotten of it. */
const LIFE_MS = 4_000;

function liveOnce(seed: number): ClusterWorld {
  const world = new ClusterWorld({ seed });
  world.run(LIFE_MS);
  world.settle();
  return world;
}

function recordingOf(world: ClusterWorld): Recording {
  return { ...new GateScript().recording(), operations: [...world.history.attempts] };
}

function evidenceOf({ machines, judges, core }: ClusterWorld): ClusterEvidence {
  const commitOp = judges.truth.op;
  return {
    core,
    replicaCount: machines.length,
    logs: machines.map(({ id, mirror }) => ({
      ...{ replicaId: Number(id), baseOp: firstOf(mirror.frames) - 1, commitOp },
      entries: [...mirror.frames.values()].sort((a, b) => a.op - b.op) as LogEntry[],
    })),
    states: machines.flatMap(({ id, subject }) => {
      const state = subject?.digest();
      if (state === undefined) return [];
      return [{ replicaId: Number(id), op: Number(state.op), digest: state.digest }];
    }),
  };
}

function firstOf(frames: ReadonlyMap<number, unknown>): number {
  return Math.min(...frames.keys());
}

Deno.test("judgeEvidence() finds nothing in what simulated clusters leave behind", () => {
  let [entries, whole] = [0, 0];
  for (let seed = 1; seed <= 12; seed++) {
    const world = liveOnce(seed);
    const recording = recordingOf(world);
    const { checks } = judgeEvidence(recording, evidenceOf(world));
    // What clients asked for after the history was full is in the log and not in the history.
    const told = checks.filter(({ name }) =>
      !world.history.isCutShort || name !== "log_was_asked_for"
    );
    const failed = told.filter(({ verdict }) => verdict === "fail");
    assertEquals(failed.map(({ name, sentence }) => `${name}: ${sentence}`), [], `seed ${seed}`);
    entries += checks[0]!.examined;
    if (checks.every(({ isDecisive }) => isDecisive !== true)) whole++;
    const bounds = { answers: "may_be_forgotten", history: "may_retire" } as const;
    const { checks: own } = judge(recording, { bounds, stepsMax: 100_000 });
    const blocked = own.filter(({ verdict }) => verdict === "fail");
    assertEquals(blocked.map(({ name, sentence }) => `${name}: ${sentence}`), [], `seed ${seed}`);
  }
  assert(entries > 1_000 && whole > 6, `${entries} entries, ${whole} whole logs`);
});
