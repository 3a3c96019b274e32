// Ways in which logs, states or answers can be wrong, each to be planted in an honest run.
import type {
  ClusterEvidence,
  LogEntries,
  LogEntry,
} from "../../testbed/jepsen/evidence/evidence.ts";
import type { AppliedAnswer, HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";
import { encodePlain } from "../../testbed/sim/workload/plain.ts";
import type { EvidenceCluster, Open } from "./evidence_cluster.ts";

const CREATE = { kind: "create_resource", resourceId: 99n, clientId: 1n, operationId: 1n } as const;

/** Spoils a run; false when it has nothing of the kind. */
export type Spoil = (run: Spoilt) => boolean;

/** A run to be spoilt. */
export interface Spoilt {
  readonly cluster: EvidenceCluster;
  readonly evidence: ClusterEvidence;
  readonly random: SeededRandom;
}

/** Each with the check that has to find it, whatever others do. */
export const LIES: Readonly<Record<string, { readonly finds: string; readonly spoil: Spoil }>> = {
  "another entry on one replica": {
    finds: "logs_agree",
    spoil: ({ evidence, random }) => {
      const { entries } = evidence.logs[1]!;
      const at = random.below(entries.length);
      return put(entries, at, { hash: 1n });
    },
  },
  "another command under the same hash": {
    finds: "logs_agree",
    spoil: ({ evidence, random }) => {
      const { entries } = evidence.logs[1]!;
      const at = random.below(entries.length);
      return put(entries, at, { payload: encodePlain(CREATE) });
    },
  },
  "an lsn that is missing": {
    finds: "log_is_in_order",
    spoil: (run) => everywhere(run, ({ isCommand }) => isCommand, ({ lsn }) => ({ lsn: lsn + 1 })),
  },
  "a slot that goes back": {
    finds: "log_is_in_order",
    spoil: (run) => everywhere(run, ({ slot }) => slot > 1n, () => ({ slot: 0n })),
  },
  "a view that goes back": {
    finds: "log_is_in_order",
    spoil: (run) => everywhere(run, ({ view }) => view > 1n, () => ({ view: 0n })),
  },
  "hashes that do not chain": {
    finds: "log_is_in_order",
    spoil: (run) => everywhere(run, ({ op }) => op > 1, () => ({ previousHash: 1n })),
  },
  "an entry that is no command": {
    finds: "log_can_be_replayed",
    spoil: (run) =>
      everywhere(run, ({ isCommand }) => isCommand, () => ({ payload: new Uint8Array(3) })),
  },
  "what is committed on one replica of three": {
    finds: "commits_are_held",
    spoil: ({ evidence }) => {
      for (const piece of evidence.logs.slice(1)) {
        const { entries } = piece as Open<typeof piece>;
        (piece as Open<typeof piece>).entries = [...entries].slice(0, -1);
      }
      return true;
    },
  },
  "a replica in another state": {
    finds: "states_agree",
    spoil: ({ evidence, random }) => {
      const state = evidence.states[random.below(3)] as Open<ClusterEvidence["states"][0]>;
      state.digest ^= 1n;
      return true;
    },
  },
  "all replicas in another state than their log gives": {
    finds: "states_follow_from_log",
    spoil: ({ evidence }) => {
      for (const state of evidence.states) (state as Open<typeof state>).digest ^= 1n;
      return true;
    },
  },
  "an acknowledged operation that no log has": {
    finds: "acknowledged_is_in_log",
    spoil: (run) => answered(run, isWritten, (op) => op.key = { clientId: 5n, operationId: 5n }),
  },
  "an answer with another lsn": {
    finds: "acknowledged_is_in_log",
    spoil: (run) => answered(run, isWritten, (op) => change(op, { lsn: 9_999n })),
  },
  "another command than was sent": {
    finds: "acknowledged_is_in_log",
    spoil: (run) => answered(run, isWritten, (op) => op.request = CREATE),
  },
  "an answer with another code": {
    finds: "answers_follow_from_log",
    spoil: (run) => answered(run, isWritten, (op) => change(op, { code: "holder_mismatch" })),
  },
  "an answer with another deadline": {
    finds: "answers_follow_from_log",
    spoil: (run) =>
      answered(run, ({ reserved }) => reserved !== undefined, (op, { reserved }) =>
        change(op, {
          reserved: { ...reserved!, deadlineSlot: reserved!.deadlineSlot + 1n },
        })),
  },
  "a conflict that there is none of": {
    finds: "answers_follow_from_log",
    spoil: (run) => answered(run, isWritten, (op) => change(op, { code: "operation_conflict" })),
  },
  "a refused operation that is in the log": {
    finds: "refused_is_not_in_log",
    spoil: ({ cluster, ...run }) =>
      answered({ cluster, ...run }, isWritten, (op) => {
        for (const other of cluster.operations) {
          if (other.key?.operationId !== op.key!.operationId) continue;
          other.outcome = { kind: "fail", reason: "overloaded" };
        }
      }),
  },
  "an operation that nobody asked for": {
    finds: "log_was_asked_for",
    spoil: (run) =>
      answered(run, ({ code, reserved }) => code === "ok" && reserved !== undefined, (op) => {
        const { operationId } = op.key!;
        for (const other of run.cluster.operations) {
          if (other.key?.operationId === operationId) other.key = { clientId: 5n, operationId };
        }
      }),
  },
  "an operation that stands before what was known": {
    finds: "log_is_in_real_time",
    spoil: (run) =>
      answered(run, ({ lsn }) => lsn! > 0n, (op) => {
        for (const other of run.cluster.operations) {
          if (other.key?.operationId !== op.key!.operationId) continue;
          other.invokedAt += 10_000;
          if (other.completedAt !== undefined) other.completedAt += 10_000;
        }
      }) && answered(run, ({ lsn }) => lsn !== undefined, () => {}),
  },
  "a read of what was so at another lsn": {
    finds: "reads_follow_from_log",
    spoil: ({ cluster, random }) => {
      const reads = cluster.operations.filter(({ outcome, servedBy }) =>
        servedBy?.observedLsn !== undefined && outcome.kind === "ok" &&
        outcome.answer.kind === "resource" && outcome.answer.version! > 0n
      );
      const read = reads[random.below(reads.length || 1)];
      if (read === undefined) return false;
      read.servedBy = { ...read.servedBy!, observedLsn: 1n };
      return true;
    },
  },
  "a read of what never was": {
    finds: "reads_follow_from_log",
    spoil: ({ cluster, random }) => {
      const reads = cluster.operations.filter(({ outcome }) =>
        outcome.kind === "ok" && outcome.answer.kind === "resource"
      );
      const read = reads[random.below(reads.length || 1)];
      if (read?.outcome.kind !== "ok" || read.outcome.answer.kind !== "resource") return false;
      read.outcome = { kind: "ok", answer: { ...read.outcome.answer, version: 77n } };
      return true;
    },
  },
  "a read that time does not allow": {
    finds: "reads_follow_from_log",
    spoil: ({ cluster }) => {
      const read = cluster.operations.findLast(({ outcome, request }) =>
        request.kind === "get_resource" && outcome.kind === "ok" &&
        outcome.answer.kind === "resource"
      );
      if (read === undefined) return false;
      delete read.servedBy;
      read.outcome = { kind: "ok", answer: { kind: "not_found" } };
      return true;
    },
  },
};

function put(entries: LogEntries, at: number, what: Partial<LogEntry>): boolean {
  (entries as LogEntry[])[at] = { ...entries.at(at)!, ...what };
  return true;
}

/** Changes one entry in the middle on all replicas. */
function everywhere(
  run: Spoilt,
  isMeant: (entry: LogEntry) => boolean,
  change: (entry: LogEntry) => Partial<LogEntry>,
): boolean {
  const { entries } = run.cluster;
  const fitting = entries.slice(2, -2).filter((entry) =>
    isMeant(entry) && entries[entry.op - 2]!.slot > 0n && entries[entry.op - 2]!.view > 0n
  );
  const meant = fitting[run.random.below(fitting.length || 1)];
  if (meant === undefined) return false;
  return everywhereAt(run, [meant], change);
}

function everywhereAt(
  { evidence }: Spoilt,
  meant: readonly LogEntry[],
  change: (entry: LogEntry) => Partial<LogEntry>,
): boolean {
  const changed = new Map(meant.map((entry) => [entry.op, { ...entry, ...change(entry) }]));
  for (const piece of evidence.logs) {
    const entries = Array.from(piece.entries, (entry) => changed.get(entry.op) ?? entry);
    (piece as Open<typeof piece>).entries = entries;
  }
  return true;
}

function isWritten({ code }: AppliedAnswer): boolean {
  return code !== "operation_conflict" && code !== "operation_table_full";
}

/** Changes an answered write. */
function answered(
  { cluster, random }: Spoilt,
  isMeant: (answer: AppliedAnswer) => boolean,
  spoil: (operation: Open<HistoryOperation>, answer: AppliedAnswer) => void,
): boolean {
  const fitting = cluster.operations.flatMap((operation) => {
    const { outcome } = operation;
    if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") return [];
    return isMeant(outcome.answer) ? [{ operation, answer: outcome.answer }] : [];
  });
  const one = fitting[random.below(fitting.length || 1)];
  if (one === undefined) return false;
  spoil(one.operation, one.answer);
  return true;
}

function change(operation: Open<HistoryOperation>, what: Partial<AppliedAnswer>): void {
  const { outcome } = operation;
  if (outcome.kind !== "ok") return;
  operation.outcome = { kind: "ok", answer: { ...outcome.answer as AppliedAnswer, ...what } };
}
