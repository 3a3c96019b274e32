/** Checks on logs alone: whether replicas hold the same, whether it is a log at all, and whether enough of them hold it. */
import { Finder } from "../analysis/gate/finder.ts";
import type { CheckResult } from "../analysis/judgement.ts";
import type { CommittedLog } from "./committed_log.ts";
import type { ClusterEvidence, LogEntry } from "./evidence.ts";

/** Wherever the logs of two replicas overlap they hold the same entries. */
export function checkAgreement({ examined, disagreements }: CommittedLog): CheckResult {
  const finder = new Finder({
    name: "logs_agree",
    unit: "committed log entries",
    holds: "replicas hold the same entry wherever their logs overlap",
    nothing: "no log was read",
  });
  finder.examined = examined;
  for (const { op, replicaId, otherId, entry, other, what } of disagreements) {
    finder.add({
      fields: { op, replica_id: replicaId, other_replica_id: otherId, differs: what },
      sentence: replicaId === otherId
        ? `replica ${replicaId} had ${entryText(entry)} at op ${op} at one time and ` +
          `${entryText(other)} at another, and called both committed`
        : `replica ${replicaId} has another entry at op ${op} than replica ${otherId}, and ` +
          `both call theirs committed: replica ${replicaId} ${entryText(entry)}, ` +
          `replica ${otherId} ${entryText(other)}${
            what === "hash" ? ", behind other entries" : ""
          }`,
    });
  }
  return finder.result();
}

function entryText({ isCommand, isInternal, lsn, slot, view }: LogEntry): string {
  const what = !isCommand ? "no command" : isInternal ? "an expiration" : "a client's command";
  return `${what} (lsn ${lsn}, slot ${slot}, view ${view})`;
}

/** Hashes chain, lsns have no gaps, and slots and views never go back. */
export function checkPositions(log: CommittedLog): CheckResult {
  const finder = new Finder({
    name: "log_is_in_order",
    unit: "log entries",
    holds: "hashes chain, lsns have no gaps, and slots and views never go back",
    nothing: "no log was read",
  });
  let before: LogEntry | undefined;
  let lsn: number | undefined;
  for (let op = 1; op <= log.tipOp; op++) {
    const entry = log.at(op);
    if (entry === undefined) {
      before = lsn = undefined;
      continue;
    }
    finder.examined++;
    const wrong = disorderOf(entry, before, lsn);
    if (wrong !== undefined) {
      finder.add({ fields: { op, wrong: wrong.name }, sentence: `op ${op}: ${wrong.sentence}` });
    }
    before = entry;
    if (entry.isCommand) lsn = entry.lsn;
  }
  return finder.result();
}

interface Disorder {
  readonly name: string;
  readonly sentence: string;
}

function disorderOf(
  entry: LogEntry,
  before: LogEntry | undefined,
  lastLsn: number | undefined,
): Disorder | undefined {
  const { lsn, slot, view, previousHash, isCommand } = entry;
  if (isCommand && lastLsn !== undefined && lsn !== lastLsn + 1) {
    return { name: "lsn", sentence: `lsn ${lsn} follows lsn ${lastLsn}` };
  }
  if (before === undefined) return undefined;
  if (slot < before.slot) {
    return { name: "slot", sentence: `slot ${slot} follows slot ${before.slot}` };
  }
  if (view < before.view) {
    return { name: "view", sentence: `view ${view} follows view ${before.view}` };
  }
  if (previousHash === undefined || previousHash === before.hash) return undefined;
  return { name: "hash", sentence: "it names another entry as the one before it" };
}

/** What anybody called committed is on a majority in the end. */
export function checkMajority(evidence: ClusterEvidence, { commitOp }: CommittedLog): CheckResult {
  const { logs, replicaCount } = evidence;
  const finder = new Finder({
    name: "commits_are_held",
    unit: "replicas",
    holds: "a majority holds everything that was called committed",
    nothing: "no log was read",
  });
  const reach = new Map<number, number>();
  for (const { replicaId, baseOp, entries } of logs) {
    // The latest piece of a replica counts: what came before may have been wiped.
    reach.set(replicaId, entries.at(-1)?.op ?? baseOp);
  }
  finder.examined = reach.size;
  const majority = Math.floor(replicaCount / 2) + 1;
  if (reach.size < majority) {
    if (reach.size === 0) return finder.result();
    const sentence = `the logs of ${reach.size} of ${replicaCount} replicas are no majority`;
    return finder.undecided(sentence, true);
  }
  const holders = [...reach].filter(([, op]) => op >= commitOp).map(([id]) => id);
  if (holders.length < majority) {
    finder.add({
      fields: { op: commitOp, holders: holders.length, replicas: replicaCount },
      sentence: `op ${commitOp} was called committed, and ${
        holders.length === 0 ? "no replica has it" : `only replica ${holders.join(", ")} has it`
      }`,
    });
  }
  return finder.result();
}
