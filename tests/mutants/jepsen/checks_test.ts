// What planted bugs are to be found by is what the judge has: a check that does not exist finds nothing and blames nobody.
import { assert, assertEquals } from "@std/assert";
import { judge } from "../../../testbed/jepsen/analysis/judge.ts";
import { checkEvidence } from "../../../testbed/jepsen/evidence/check.ts";
import { SeededRandom } from "../../../testbed/sim/random.ts";
import { EvidenceCluster } from "../../jepsen/evidence_cluster.ts";
import { tableOf } from "../docs_table.ts";
import { REAL_MUTANTS } from "./catalogue.ts";

const cluster = new EvidenceCluster(new SeededRandom(1)).run(20);
const ofClients = namesOf(judge(cluster.recording()).checks);
const ofLogs = namesOf(checkEvidence(cluster.recording(), cluster.evidence()));

function namesOf(checks: readonly { readonly name: string }[]): readonly string[] {
  return checks.map(({ name }) => name);
}

Deno.test("every check that is to find a bug in a real cluster is one of the judge's", () => {
  assert(ofClients.includes("linearizability") && ofLogs.includes("logs_agree"));
  const known = [...ofClients, ...ofLogs];
  for (const { name, checks } of REAL_MUTANTS) {
    assert(checks.length > 0, name);
    assertEquals(checks.filter((check) => !known.includes(check)), [], name);
  }
});

Deno.test("docs/testing.md lists every bug of real clusters, and who sees it", async () => {
  const listed = (await tableOf("Planted bugs in real clusters")).map((row) => row.slice(0, -1));
  const planted = REAL_MUTANTS.map(({ name, what, workload, nemesis, windowSecs, checks }) => [
    `\`${name}\``,
    what,
    workload,
    nemesis,
    `${windowSecs} s`,
    checks.some((check) => ofClients.includes(check)) ? "clients" : "logs",
    checks.map((check) => `\`${check}\``).join(" "),
  ]);
  assertEquals(listed, planted);
});

Deno.test("most bugs of real clusters are seen by clients, who need no logs", () => {
  const seen = REAL_MUTANTS.filter(({ checks }) => checks.some((one) => ofClients.includes(one)));
  assert(seen.length >= 12, `${seen.length} of ${REAL_MUTANTS.length}`);
});
