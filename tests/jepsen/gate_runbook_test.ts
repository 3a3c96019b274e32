// Histories of the runbook as its harness wrote them, from their text to the gate's report: what blocked a release there
// still does, what passed still raises no blocker, and what it could not see is seen.
import { assertEquals } from "@std/assert";
import { gateReport } from "../../testbed/jepsen/analysis/gate/report.ts";
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import { READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { RecordingSink } from "../../testbed/jepsen/codec/recording_sink.ts";
import { RUNBOOK_FORMAT } from "../../testbed/jepsen/codec/runbook/runbook.ts";

function reported(lines: readonly string[]): readonly string[] {
  const sink = new RecordingSink(0);
  const reader = RUNBOOK_FORMAT.read(sink, READ_DEFAULTS);
  const text = lines.map((line, i) =>
    `sequence=${i + 1} process=primary-1 time_millis=${1_790_000_000_000 + i} ${line}\n`
  );
  reader.push(new TextEncoder().encode(`version=1\n${text.join("")}`));
  reader.end();
  return gateReport(judge(sink.finish()));
}

/** Expected blockers but for those of linearizability, which may see the same. */
function assertBlockers(lines: readonly string[], expected: readonly string[]): void {
  const blockers = reported(lines).filter((line) => line.startsWith("blocker="))
    .filter((line) => !line.startsWith("blocker=linearizability "));
  assertEquals(blockers, expected);
}

const reserve = (id: number, lsn: number, holder: number, deadline: number): string =>
  `operation=reserve operation_id=${id} resource_id=88 holder_id=${holder} request_slot=12 ` +
  `ttl_slots=6 outcome=committed_write applied_lsn=${lsn} write_result=reserved ` +
  `committed_reservation_id=${lsn} committed_holder_id=${holder} committed_lease_epoch=1 ` +
  `expires_at_slot=${deadline}`;
const reserveElse = (id: number, outcome: string): string =>
  `operation=reserve operation_id=${id} resource_id=88 holder_id=31 request_slot=12 ttl_slots=6 ` +
  `outcome=${outcome}`;
const holder = (kind: string, id: number, outcome: string): string =>
  `operation=${kind} operation_id=${id} resource_id=88 reservation_id=58 holder_id=31 ` +
  `lease_epoch=1 request_slot=13 outcome=${outcome}`;
const done = (lsn: number, result: string): string =>
  `committed_write applied_lsn=${lsn} write_result=${result} committed_reservation_id=58 ` +
  "committed_holder_id=31 committed_lease_epoch=1 released_lsn=none";
const operator = (kind: string, id: number, lsn: number): string =>
  `operation=${kind} operation_id=${id} reservation_id=58 request_slot=14 ` +
  `outcome=committed_write applied_lsn=${lsn} write_result=${kind}${
    kind === "revoke" ? "d" : "ed"
  } committed_reservation_id=58`;
const tick = (id: number, lsn: number, slot: string, expired: string): string =>
  `operation=tick_expirations operation_id=${id} ${slot}outcome=committed_write ` +
  `applied_lsn=${lsn} write_result=tick_expired expired=${expired}`;
const read = (fence: string, role: string, observed: string): string =>
  `operation=get_resource resource_id=88 required_lsn=${fence} outcome=read_ok ` +
  `read_target=resource served_by=2 served_role=${role} observed_lsn=${observed} ` +
  "resource_state=available";

const LIFE = [reserve(1, 58, 31, 90018), holder("confirm", 2, done(59, "confirmed"))];

Deno.test("runbook: an ambiguous reserve and the commit of its retry raise nothing", () => {
  assertBlockers([
    reserveElse(1, "ambiguous reason=indefinite_write"),
    reserve(1, 58, 31, 90018),
  ], []);
});

Deno.test("runbook: an ambiguous reserve whose retry is refused as conflict or busy raises nothing", () => {
  for (const reason of ["conflict", "busy"]) {
    assertBlockers([
      reserveElse(1, "ambiguous reason=indefinite_write"),
      reserveElse(1, `definite_failure reason=${reason}`),
    ], []);
  }
});

Deno.test("runbook: not_primary, engine_halted and invalid_request settle nothing", () => {
  for (const reason of ["not_primary", "engine_halted", "invalid_request"]) {
    assertBlockers([
      reserveElse(1, "ambiguous reason=timeout"),
      reserveElse(1, `definite_failure reason=${reason}`),
    ], ["blocker=unresolved_ambiguity operation_id=1"]);
  }
});

Deno.test("runbook: a retry with an identical commit is no second execution, one with another lsn is", () => {
  assertBlockers([reserve(1, 58, 31, 90018), reserve(1, 58, 31, 90018)], []);
  assertBlockers([
    holder("confirm", 2, done(59, "confirmed")),
    holder("confirm", 2, done(61, "confirmed")),
  ], [
    "blocker=duplicate_committed_execution operation_id=2 first_lsn=59 second_lsn=61",
  ]);
});

Deno.test("runbook: a successful read of a backup, or below its fence, or without an lsn, is stale", () => {
  assertBlockers([read("none", "backup", "none")], [
    "blocker=stale_successful_read replica_id=2 role=backup required_lsn=none observed_lsn=none",
  ]);
  assertBlockers([read("58", "primary", "57"), read("58", "primary", "none")], [
    "blocker=stale_successful_read replica_id=2 role=primary required_lsn=58 observed_lsn=57",
    "blocker=stale_successful_read replica_id=2 role=primary required_lsn=58 observed_lsn=none",
  ]);
  assertBlockers([read("58", "primary", "58"), read("none", "primary", "none")], []);
});

Deno.test("runbook: a holder after a revoke is refused as stale_epoch and nothing else", () => {
  const revoked = [...LIFE, operator("revoke", 3, 60)];
  assertBlockers([
    ...revoked,
    holder("release", 4, "definite_failure reason=stale_epoch"),
    operator("reclaim", 5, 61),
  ], []);
  const blocker = "blocker=stale_holder_not_rejected reservation_id=58 operation_id=4 " +
    "attempted_epoch=1 current_epoch=2";
  assertBlockers([...revoked, holder("release", 4, done(61, "released"))], [blocker]);
  assertBlockers([...revoked, holder("release", 4, "definite_failure reason=conflict")], [blocker]);
});

Deno.test("runbook: a holder's commit before the revoke, written behind it, is not stale", () => {
  assertBlockers([
    reserve(1, 58, 31, 90018),
    operator("revoke", 3, 60),
    holder("confirm", 2, done(59, "confirmed")),
  ], []);
});

Deno.test("runbook: reuse before reclaim is a double allocation, behind it is none", () => {
  const revoked = [...LIFE, operator("revoke", 3, 60)];
  assertBlockers([...revoked, reserve(4, 61, 32, 90024)], [
    "blocker=double_allocation resource_id=88 existing_operation_id=1 conflicting_operation_id=4",
  ]);
  assertBlockers([...revoked, operator("reclaim", 4, 61), reserve(5, 62, 32, 90024)], []);
});

Deno.test("runbook: a tick before the deadline frees too early; one without a slot tells nothing", () => {
  const life = [reserve(1, 58, 31, 90018)];
  assertBlockers([...life, tick(2, 59, "request_slot=90017 ", "88:31:58:59")], [
    "blocker=early_expiration_release resource_id=88 reservation_id=58 expires_at_slot=90018 " +
    "released_at_slot=90017",
  ]);
  assertBlockers([...life, tick(2, 59, "request_slot=90018 ", "88:31:58:59")], []);
  assertBlockers([...life, tick(2, 59, "", "88:31:58:59")], []);
});

Deno.test("runbook: two operations at one lsn are a split brain", () => {
  assertBlockers([holder("confirm", 2, done(59, "confirmed")), operator("revoke", 3, 59)], [
    "blocker=split_brain lsn=59 operation_id=2 other_operation_id=3",
  ]);
});

Deno.test("runbook: a write without an operation id is told by its sequence", () => {
  const [first, second] = [LIFE[0]!, LIFE[1]!.replace("operation_id=2 ", "")];
  assertBlockers([first, second], ["blocker=missing_operation_id sequence=2 operation=confirm"]);
});

Deno.test("runbook: a conflict with a command that is left out is no contradiction", () => {
  const line = reserveElse(9, "definite_failure reason=conflict result_code=operation_conflict");
  assertEquals(reported([...LIFE, line]).slice(0, 3), [
    ...["release_gate=blocked", "logical_commands=3", "blockers=0"],
  ]);
});

Deno.test("runbook: an empty history, and one without a blocker, are no evidence for a release", () => {
  assertEquals(reported([]), [
    ...["release_gate=blocked", "logical_commands=0", "blockers=0"],
    "inconclusive=linearizability examined=0",
  ]);
  assertEquals(reported(LIFE), [
    ...["release_gate=blocked", "logical_commands=2", "blockers=0"],
    "inconclusive=linearizability examined=2",
  ]);
});
