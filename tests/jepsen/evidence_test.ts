// Evidence is worth what it notices: runs of a cluster that keeps its word, about which nothing may be said, and each way in
// which logs, states or answers can be wrong, planted in such a run, which the check that is meant for it has to find.
import { assert, assertEquals } from "@std/assert";
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import { checkEvidence, judgeEvidence } from "../../testbed/jepsen/evidence/check.ts";
import type { ClusterEvidence, LogEntry } from "../../testbed/jepsen/evidence/evidence.ts";
import type { AppliedAnswer, HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import { encodePlain } from "../../testbed/sim/workload/plain.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { EvidenceCluster, type Open } from "./evidence_cluster.ts";

const SEEDS = 60;

Deno.test("judge() with evidence finds nothing in runs of a cluster that keeps its word", () => {
  const examined = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const cluster = new EvidenceCluster(new SeededRandom(seed)).run(120);
    const evidence = checkEvidence(cluster.recording(), cluster.evidence());
    const { verdict, checks } = judge(cluster.recording(), { evidence });
    const told = checks.filter(({ verdict }) => verdict === "fail").map(({ sentence }) => sentence);
    assertEquals([verdict, told], ["valid", []], `seed ${seed}`);
    for (const { name, examined: count } of evidence) {
      examined.set(name, (examined.get(name) ?? 0) + count);
    }
  }
  for (const [name, count] of examined) assert(count > SEEDS, `${name}: ${count}`);
});

/** Spoils a run, and says which operation it is about, or undefined when this run has nothing of the kind. */
type Spoil = (run: Spoilt) => boolean;

interface Spoilt {
  readonly cluster: EvidenceCluster;
  readonly evidence: ClusterEvidence;
  readonly random: SeededRandom;
}

/** Each with the check that has to find it, whatever others do. */
const LIES: Record<string, { readonly finds: string; readonly spoil: Spoil }> = {
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
        (piece as Open<typeof piece>).entries = entries.slice(0, -1);
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

for (const [name, { finds, spoil }] of Object.entries(LIES)) {
  Deno.test(`${finds} finds ${name}`, () => {
    let planted = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(1_000 + seed);
      const cluster = new EvidenceCluster(random).run(80);
      const evidence = cluster.evidence();
      if (!spoil({ cluster, evidence, random })) continue;
      planted++;
      const checks = checkEvidence(cluster.recording(), evidence);
      const check = checks.find((other) => other.name === finds)!;
      assertEquals(check.verdict, "fail", `seed ${seed}: ${check.sentence}`);
      assert(check.violations[0]!.line.startsWith(`blocker=${finds} `));
      assertEquals(
        judge(cluster.recording(), { evidence: checks, stepsMax: 10_000 }).verdict,
        "invalid",
      );
    }
    assert(planted >= 10, `planted ${planted} times`);
  });
}

Deno.test("executed_once finds an operation that ran again because nothing remembered it", () => {
  const cluster = new EvidenceCluster(new SeededRandom(4)).run(40);
  const evidence = cluster.evidence();
  const short = { ...evidence.core, maxTtlSlots: 0n, maxClientRetryWindowSlots: 0n };
  const first = cluster.entries.find(({ isCommand, isInternal }) => isCommand && !isInternal)!;
  const last = cluster.entries.at(-1)!;
  const op = last.op + 1;
  const lsn = Number(cluster.entries.findLast(({ isCommand }) => isCommand)!.lsn) + 1;
  const again = { ...first, op, lsn, slot: last.slot + 50n, view: last.view, hash: 5n };
  const entry = { ...again, previousHash: last.hash };
  const piece = { replicaId: 1, baseOp: 0, commitOp: op, entries: [...cluster.entries, entry] };
  const checks = checkEvidence(cluster.recording(), { ...evidence, core: short, logs: [piece] });
  const check = checks.find(({ name }) => name === "executed_once")!;
  assertEquals(check.verdict, "fail");
  assert(check.sentence.includes(`again at op ${op}`), check.sentence);
});

Deno.test("expirations_are_due finds an expiration before the deadline", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = new EvidenceCluster(new SeededRandom(seed)).run(40);
    cluster.expireEarly();
    const checks = checkEvidence(cluster.recording(), cluster.evidence());
    const failed = checks.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
    assertEquals(failed, ["expirations_are_due"], `seed ${seed}`);
  }
});

Deno.test("commits_are_held asks nobody for what was committed after the states were told", () => {
  const cluster = new EvidenceCluster(new SeededRandom(4)).run(40);
  const evidence = cluster.evidence();
  cluster.append({ kind: "create_resource", resourceId: 50n, clientId: 1n, operationId: 0n });
  const commitOp = cluster.entries.length;
  const [first, ...others] = evidence.logs;
  const logs = [{ ...first!, entries: cluster.entries, commitOp }, ...others];
  const failed = (changed: ClusterEvidence) =>
    checkEvidence(cluster.recording(), changed).filter(({ verdict }) => verdict === "fail")
      .map(({ name }) => name);
  assertEquals(failed({ ...evidence, logs }), []);
  assertEquals(failed({ ...evidence, logs, states: [] }), ["commits_are_held"]);
});

Deno.test("checkEvidence() decides nothing from a log without its beginning", () => {
  const cluster = new EvidenceCluster(new SeededRandom(4)).run(40);
  const evidence = { ...cluster.evidence(), logs: [cluster.evidence().logs[1]!] };
  const checks = checkEvidence(cluster.recording(), evidence);
  const verdicts = new Map(checks.map(({ name, verdict }) => [name, verdict]));
  assertEquals(verdicts.get("log_can_be_replayed"), "inconclusive");
  assertEquals(verdicts.get("acknowledged_is_in_log"), "inconclusive");
  assertEquals(verdicts.get("commits_are_held"), "inconclusive");
  assertEquals(judge(cluster.recording(), { evidence: checks }).verdict, "unknown");
});

Deno.test("checkEvidence() has nothing to look at without evidence, and proves nothing absent", () => {
  const { core } = new EvidenceCluster(new SeededRandom(4)).evidence();
  const cluster = new EvidenceCluster(new SeededRandom(4)).run(40);
  const nothing = { core, replicaCount: 3, logs: [], states: [] };
  const { checks, isAbsent } = judgeEvidence(cluster.recording(), nothing);
  assertEquals(checks.filter(({ verdict }) => verdict === "pass"), []);
  assertEquals(isAbsent({ clientId: 9n, operationId: 9n }), false);
});

Deno.test("judgeEvidence() proves that an operation is absent when the whole log does not have it", () => {
  const cluster = new EvidenceCluster(new SeededRandom(4)).run(40);
  const { isAbsent } = judgeEvidence(cluster.recording(), cluster.evidence());
  const done = cluster.operations.find(({ key, outcome }) =>
    key !== undefined && outcome.kind === "ok"
  )!;
  assertEquals([isAbsent(done.key!), isAbsent({ clientId: 9n, operationId: 9n })], [false, true]);
});

const CREATE = { kind: "create_resource", resourceId: 99n, clientId: 1n, operationId: 1n } as const;

function put(entries: readonly LogEntry[], at: number, what: Partial<LogEntry>): boolean {
  (entries as LogEntry[])[at] = { ...entries[at]!, ...what };
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
    const entries = piece.entries.map((entry) => changed.get(entry.op) ?? entry);
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
