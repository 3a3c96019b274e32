// What blocks a release and what must not, blocker by blocker: histories as a cluster could record them, and the names of
// the checks that have to fail on each, no other. Linearizability judges them too and may see more.
import { assert, assertEquals } from "@std/assert";
import { gateReport } from "../../testbed/jepsen/analysis/gate/report.ts";
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import type { GateCases } from "./gate_case.ts";
import { EXPIRATIONS_CASES } from "./gate_cases_expirations.ts";
import { HOLDS_CASES } from "./gate_cases_holds.ts";
import { OLD_CASES } from "./gate_cases_old.ts";
import { READS_CASES } from "./gate_cases_reads.ts";
import { WRITES_CASES } from "./gate_cases_writes.ts";

const TABLES = [WRITES_CASES, READS_CASES, HOLDS_CASES, EXPIRATIONS_CASES, OLD_CASES];
const CASES: GateCases = Object.assign({}, ...TABLES);

for (
  const [name, { script: { operations }, script: written, fails, lines, ...rest }] of Object
    .entries(CASES)
) {
  Deno.test(`judge() raises ${fails.join(", ") || "no blocker"} for ${name}`, () => {
    assert(operations.length + written.ticks.length > 0);
    const judgement = judge(written.recording(rest.header), rest.options);
    const failed = judgement.checks.filter(({ verdict, name }) =>
      verdict === "fail" && name !== "linearizability"
    );
    assertEquals(failed.map(({ name }) => name).sort(), [...fails].sort());
    if (fails.length > 0) assertEquals(judgement.verdict, "invalid");
    const report = gateReport(judgement);
    for (const line of lines ?? []) assert(report.includes(line), report.join("\n"));
    for (const { violations, sentence } of failed) {
      assert(sentence.length > 20);
      for (const violation of violations) {
        assert(violation.operations.every((attempt) => operations.includes(attempt)));
      }
    }
  });
}

Deno.test("every blocker is raised by some history that raises no other", () => {
  const alone = Object.values(CASES).flatMap(({ fails }) => fails.length === 1 ? fails : []);
  assertEquals([...new Set(alone)].sort(), [
    ...["double_allocation", "duplicate_committed_execution", "early_expiration_release"],
    ...["missing_operation_id", "split_brain", "stale_holder_not_rejected"],
    ...["stale_successful_read", "unresolved_ambiguity"],
  ]);
});
