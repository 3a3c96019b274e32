/** Digests of states: equal on all replicas at the same op, and equal to that of the replayed log. */
import { Finder } from "../analysis/gate/finder.ts";
import type { CheckResult } from "../analysis/judgement.ts";
import type { ClusterEvidence, StateDigest } from "./evidence.ts";
import type { Replay } from "./replay.ts";

/** Replicas that stand at one op are in one state. */
export function checkStatesAgree({ states }: ClusterEvidence): CheckResult {
  const finder = new Finder({
    name: "states_agree",
    unit: "states of replicas",
    holds: "replicas at the same op are in the same state",
    nothing: "no replica told its state",
  });
  const byOp = new Map<number, StateDigest>();
  for (const state of states) {
    finder.examined++;
    const { op, replicaId, digest } = state;
    const known = byOp.get(op);
    if (known === undefined) byOp.set(op, state);
    else if (known.digest !== digest) {
      finder.add({
        fields: { op, replica_id: replicaId, other_replica_id: known.replicaId },
        sentence:
          `replica ${replicaId} is in another state at op ${op} than replica ${known.replicaId}`,
      });
    }
  }
  return finder.result();
}

/** A replica's state is what its log makes. */
export function checkStatesFollow({ states }: ClusterEvidence, replay: Replay): CheckResult {
  const finder = new Finder({
    name: "states_follow_from_log",
    unit: "states of replicas",
    holds: "every replica is in the state that the replayed log gives",
    nothing: "no replica told its state",
  });
  let isOpen = false;
  for (const { op, replicaId, digest } of states) {
    finder.examined++;
    const expected = op === 0 ? undefined : replay.digests.get(op);
    if (expected === undefined) isOpen ||= op !== 0;
    else if (expected !== digest) {
      finder.add({
        fields: { op, replica_id: replicaId },
        sentence: `replica ${replicaId} is in another state at op ${op} than its log gives`,
      });
    }
  }
  if (finder.hasFound || !isOpen) return finder.result();
  return finder.undecided(replay.stopped ?? "the log does not reach to every state", true);
}
