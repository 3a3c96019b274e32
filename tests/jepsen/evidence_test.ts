// Evidence is worth what it notices: runs of a cluster that keeps its word, about which nothing may be said, and each way in
// which logs, states or answers can be wrong, planted in such a run, which the check that is meant for it has to find.
import { assert, assertEquals } from "@std/assert";
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import { checkEvidence, judgeEvidence } from "../../testbed/jepsen/evidence/check.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { EvidenceCluster } from "./evidence_cluster.ts";
import { LIES } from "./evidence_lies.ts";

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

Deno.test("checkEvidence() follows the log that the cluster went on with, and blames whoever left it", () => {
  const cluster = new EvidenceCluster(new SeededRandom(4)).run(40);
  const { entries } = cluster;
  const op = entries.length >>> 1;
  const strayed = [...entries.slice(0, op - 1), { ...entries[op - 1]!, hash: 5n }];
  const logs = [
    { replicaId: 1, baseOp: 0, commitOp: op, entries: strayed },
    ...[2, 3].map((replicaId) => ({ replicaId, baseOp: 0, commitOp: entries.length, entries })),
  ];
  const checks = checkEvidence(cluster.recording(), { ...cluster.evidence(), logs });
  const failed = checks.filter(({ verdict }) => verdict === "fail");
  assertEquals(failed.map(({ name }) => name), ["logs_agree"]);
  assert(failed[0]!.sentence.startsWith(`replica 1 has another entry at op ${op} than replica 2`));
  const acknowledged = checks.find(({ name }) => name === "acknowledged_is_in_log")!;
  assertEquals(acknowledged.verdict, "pass");
});

Deno.test("checkEvidence() sees that a replica gave up what it had committed", () => {
  const cluster = new EvidenceCluster(new SeededRandom(4)).run(40);
  const { entries } = cluster;
  const op = entries.length >>> 1;
  const before = { replicaId: 1, baseOp: 0, commitOp: op, entries: entries.slice(0, op) };
  const strayed = [...before.entries.slice(0, op - 1), { ...entries[op - 1]!, view: 99n }];
  const logs = [
    { ...before, entries: strayed },
    { ...before, commitOp: entries.length, entries },
  ];
  const checks = checkEvidence(cluster.recording(), { ...cluster.evidence(), logs });
  const agreement = checks.find(({ name }) => name === "logs_agree")!;
  assertEquals(agreement.verdict, "fail");
  assert(agreement.sentence.startsWith("replica 1 had a client's command (lsn "));
  const acknowledged = checks.find(({ name }) => name === "acknowledged_is_in_log")!;
  assertEquals(acknowledged.verdict, "pass");
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
