// One judgement of a whole recording: what makes it invalid, unknown or valid, what the gate makes of that, and what it
// counts. Histories of the model, as clients saw them, must raise no blocker; a lie must never be found by the gate alone.
import { assert, assertEquals } from "@std/assert";
import { LISTED_MAX } from "../../testbed/jepsen/analysis/gate/finder.ts";
import { gateReport, isGatePassed } from "../../testbed/jepsen/analysis/gate/report.ts";
import { judge, type JudgeOptions } from "../../testbed/jepsen/analysis/judge.ts";
import type { CheckResult, Judgement } from "../../testbed/jepsen/analysis/judgement.ts";
import type { ModelOperation } from "../../testbed/jepsen/history/model.ts";
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import type { Recording, TickOperation } from "../../testbed/jepsen/history/recording.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { describeHistory } from "./describe.ts";
import { isLinearizable } from "./brute_force.ts";
import { GateScript } from "./gate_script.ts";
import { generate, generateWithTicks, ROOMY, tellLie } from "./generate.ts";

/** `ALLOCDB_HISTORIES=100000` tries more of them. */
const HISTORIES = Number(Deno.env.get("ALLOCDB_HISTORIES") ?? "2000");
const CHEAP: JudgeOptions = { shrinkRunsMax: 0, stepsMax: 1_000_000 };

function recorded(operations: HistoryOperation[], ticks: TickOperation[] = []): Recording {
  return { ...new GateScript().recording(), operations, ticks };
}

function drawn(seed: number, showsOrder: boolean, attempts: number) {
  const random = new SeededRandom(seed);
  const made = generateWithTicks(random, {
    ...{ attempts, processes: 1 + seed % 5, resources: 1 + seed % 3, bounds: ROOMY },
    ...{ lostOneIn: [0, 5, 15][seed % 3]!, conflictOneIn: seed % 2 === 0 ? 8 : 0 },
    ...{ bundleOneIn: seed % 2 === 0 ? 3 : 0, showsVersions: seed % 4 < 2, showsOrder },
    ...(seed % 7 === 0 ? { tickOneIn: 9 } : {}),
  });
  const ticks = made.ticks.map((tick, i) => ({
    ...tick,
    key: { clientId: 9n, operationId: BigInt(i) },
  }));
  return { random, history: made.history, ticks };
}

function failures({ checks }: Judgement): string[] {
  return checks.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
}

Deno.test("judge() raises no blocker in histories of the model", () => {
  const examined = new Map<string, number>();
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const { history, ticks } = drawn(seed, seed % 2 === 0, 20 + seed % 40);
    const judgement = judge(recorded(history, ticks), CHEAP);
    assertEquals(failures(judgement), [], `seed ${seed}: ${describeHistory(history)}`);
    assertEquals(judgement.verdict, "valid", `seed ${seed}`);
    for (const { name, examined: count } of judgement.checks) {
      examined.set(name, (examined.get(name) ?? 0) + count);
    }
  }
  assertEquals(examined.size, 9);
  for (const [name, count] of examined) assert(count >= HISTORIES / 10, `${name}: ${count}`);
});

Deno.test("judge() raises a blocker in no history that linearizability explains, lied or not", () => {
  let [found, alone] = [0, 0];
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const { history, ticks, random } = drawn(seed, false, 20 + seed % 40);
    const lied = tellLie(random, history);
    const judgement = judge(recorded(lied, ticks), CHEAP);
    const [whole, ...others] = failures(judgement);
    if (whole === undefined) continue;
    alone += whole === "linearizability" ? 0 : 1;
    found += others.length > 0 ? 1 : 0;
    assertEquals(whole, "linearizability", `seed ${seed}: ${others} ${describeHistory(lied)}`);
  }
  assert(found > HISTORIES / 10 && alone === 0, `${found} found`);
});

Deno.test("judge() agrees with brute force about small histories", () => {
  const rules = { mayFill: true, mayRetire: true, prepared: [] };
  let invalid = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const random = new SeededRandom(seed);
    const history = generate(random, {
      ...{ attempts: 6, processes: 3, resources: 1, bounds: ROOMY, lostOneIn: 9 },
      ...{ conflictOneIn: 0, bundleOneIn: 0, showsVersions: true },
    });
    const judged = seed % 2 === 0 ? history : tellLie(random, history);
    if (judged.every(({ outcome }) => outcome.kind !== "ok")) continue;
    const { verdict } = judge(recorded(judged), CHEAP);
    const expected = isLinearizable(judged, rules) ? "valid" : "invalid";
    assertEquals(verdict, expected, `seed ${seed}: ${describeHistory(judged)}`);
    if (expected === "invalid") invalid++;
  }
  assert(invalid > 50, `${invalid} invalid`);
});

Deno.test("judge() passes nothing where nothing was answered", () => {
  const empty = judge(new GateScript().recording());
  assertEquals(empty.verdict, "unknown");
  assertEquals(empty.checks.filter(({ verdict }) => verdict !== "inconclusive"), []);
  assertEquals(empty.checks.map(({ examined }) => examined), new Array(9).fill(0));
  assertEquals(gateReport(empty), [
    ...["release_gate=blocked", "logical_commands=0", "blockers=0"],
    "inconclusive=linearizability examined=0",
  ]);
  const refused = new GateScript().reserveElse(1n, 2n, "fail:not_primary");
  assertEquals(judge(refused.recording()).verdict, "unknown");
  const model = { ...new GateScript().recording(), header: { model: "register" as const } };
  assertEquals(judge(model).verdict, "unknown");
});

Deno.test("judge() says at best unknown of a history without invocations, and invalid where time does not matter", () => {
  const fine = new GateScript(false).create(5n).reserve(5n, 7n).holder("confirm", 2n, 7n);
  const { verdict, checks } = judge(fine.recording());
  assertEquals([verdict, failures({ checks } as Judgement)], ["unknown", []]);
  assert(checks[0]!.sentence.startsWith("recorded without invocations"), checks[0]!.sentence);
  const wrong = new GateScript(false).create(5n).resource(5n, "confirmed", 99n);
  assertEquals(judge(wrong.recording()).verdict, "invalid");
});

Deno.test("judge() is decided by linearizability alone where other checks have nothing to look at", () => {
  const judgement = judge(new GateScript().create(5n).reserve(5n, 7n).recording());
  assertEquals(judgement.verdict, "valid");
  const open = judgement.checks.filter(({ verdict }) => verdict === "inconclusive");
  assertEquals(open.map(({ name }) => name), [
    ...["stale_successful_read", "stale_holder_not_rejected"],
    ...["unresolved_ambiguity", "early_expiration_release"],
  ]);
  assert(open.every(({ examined }) => examined === 0));
  assertEquals(isGatePassed(judgement), true);
  assertEquals(gateReport(judgement), [
    ...["release_gate=passed", "logical_commands=2", "blockers=0"],
  ]);
});

Deno.test("isGatePassed() holds back what is in doubt although the history is valid", () => {
  const judgement = judge(new GateScript().create(5n).create(6n, "info").recording());
  assertEquals([judgement.verdict, isGatePassed(judgement)], ["valid", false]);
  assertEquals(gateReport(judgement).at(-1), "inconclusive=unresolved_ambiguity examined=1");
});

Deno.test("judge() counts checks on evidence like its own", () => {
  const recording = new GateScript().create(5n).recording();
  const check = { name: "logs_agree", isReleaseBlocking: true, examined: 3, unit: "entries" };
  const said = { ...check, sentence: "so it is", violations: [] };
  const verdictWith = (evidence: CheckResult) => {
    const judgement = judge(recording, { evidence: [evidence] });
    return [judgement.verdict, isGatePassed(judgement)];
  };
  assertEquals(verdictWith({ ...said, verdict: "pass" }), ["valid", true]);
  assertEquals(verdictWith({ ...said, verdict: "fail" }), ["invalid", false]);
  const open = { ...said, verdict: "inconclusive" } as const;
  assertEquals(verdictWith({ ...open, isDecisive: true }), ["unknown", false]);
  assertEquals(verdictWith({ ...open, examined: 0 }), ["valid", true]);
});

Deno.test("judge() lists what is below a minimum, and the gate does not pass then", () => {
  const recording = new GateScript().create(5n).reserve(5n, 7n).recording();
  const minimum = { reserve_ok: 1, create_resource_ok: 2, contended_reserves: 1, no_such: 1 };
  const judgement = judge(recording, { minimum });
  assertEquals(judgement.verdict, "valid");
  assertEquals(judgement.shortfalls, [
    { name: "create_resource_ok", count: 1, minimum: 2 },
    { name: "contended_reserves", count: 0, minimum: 1 },
    { name: "no_such", count: 0, minimum: 1 },
  ]);
  assertEquals(isGatePassed(judgement), false);
  assertEquals(gateReport(judgement).slice(-3), [
    "shortfall=create_resource_ok count=1 minimum=2",
    ...["shortfall=contended_reserves count=0 minimum=1", "shortfall=no_such count=0 minimum=1"],
  ]);
});

Deno.test("judge() lists so many violations of one check and tells how many there are", () => {
  const script = new GateScript();
  for (let i = 0; i < LISTED_MAX + 5; i++) {
    script.create(BigInt(i), "ok", { id: null });
  }
  const judgement = judge(script.recording());
  const check = judgement.checks.find(({ name }) => name === "missing_operation_id")!;
  assertEquals([check.violations.length, check.found], [LISTED_MAX, LISTED_MAX + 5]);
  assertEquals(gateReport(judgement)[2], `blockers=${LISTED_MAX + 5}`);
  assert(check.sentence.endsWith(`and ${LISTED_MAX + 4} more`));
});

Deno.test("judge() lets run twice what was sent again after its retry window, and says so", () => {
  const NS = 1_000_000;
  const { operations, ...rest } = new GateScript().create(5n, "ok", { id: 3n })
    .create(5n, "already_exists", { id: 3n }).recording();
  const sentAt = (ms: number, bounds?: { retryWindowSlots: bigint }): Judgement =>
    judge({
      ...rest,
      header: {
        model: "reservation",
        slotDurationMs: 10,
        ...(bounds === undefined ? {} : { bounds }),
      },
      operations: operations.map((operation, i) => ({
        ...operation,
        ...{ invokedNs: i * ms * NS, completedNs: i * ms * NS + 1 },
      })),
      endNs: ms * NS + 1,
    });
  const late = sentAt(501, { retryWindowSlots: 100n });
  assertEquals([late.verdict, late.findings.length], ["valid", 1]);
  assertEquals(sentAt(499, { retryWindowSlots: 100n }).verdict, "invalid");
  assertEquals(sentAt(501).verdict, "invalid");
});

Deno.test("judge() holds runs of the harness to the order of their lsns", () => {
  const script = new GateScript().create(5n, "ok", { lsn: 1n })
    .reserveElse(5n, 7n, "resource_busy", { lsn: 2n, span: [2, 9] })
    .reserve(5n, 8n, { lsn: 3n, span: [3, 8] });
  const verdictOf = (header: { runId?: string }) => judge(script.recording(header)).verdict;
  assertEquals([verdictOf({}), verdictOf({ runId: "run" })], ["valid", "invalid"]);
});

Deno.test("judge() hands other models to their checker", () => {
  const operation = (value: bigint, f: string, at: number): ModelOperation => ({
    ...{ process: at, f, value, invokedAt: 2 * at, completedAt: 2 * at + 1 },
    outcome: { kind: "ok", value },
  });
  const of = (...modelOperations: ModelOperation[]): Judgement =>
    judge({
      ...new GateScript().recording(),
      header: { model: "register" },
      modelOperations,
    });
  const valid = of(operation(1n, "write", 0), operation(1n, "read", 1));
  assertEquals([valid.verdict, valid.checks.length], ["valid", 1]);
  const invalid = of(operation(1n, "write", 0), operation(2n, "read", 1));
  assertEquals(invalid.verdict, "invalid");
  assert(invalid.checks[0]!.violations[0]!.modelOperations.length > 0);
  const figures = new Map(valid.coverage.map(({ name, count }) => [name, count]));
  assertEquals([figures.get("write_ok"), figures.get("read_ok")], [1, 1]);
});

Deno.test("judge() tells how much each check looked at", () => {
  const { checks } = judge(
    new GateScript().create(5n).reserve([5n, 6n], 7n).holder("confirm", 2n, 7n)
      .holder("release", 2n, 7n, "info", { id: 3n }).holder("release", 2n, 7n, "ok", { id: 3n })
      .create(9n, "operation_table_full").create(9n, "fail:overloaded")
      .resource(5n, "available").reservation(2n, "released").recording(),
  );
  assertEquals(Object.fromEntries(checks.map(({ name, examined }) => [name, examined])), {
    linearizability: 6,
    missing_operation_id: 7,
    duplicate_committed_execution: 4,
    stale_successful_read: 2,
    stale_holder_not_rejected: 2,
    unresolved_ambiguity: 1,
    double_allocation: 2,
    early_expiration_release: 0,
    split_brain: 5,
  });
});

Deno.test("judge() says of a fenced read what it shows, or that it does not say", () => {
  const sentenceOf = (observed: { observedLsn?: bigint }): string => {
    const servedBy = { replicaId: 1, ...observed };
    const script = new GateScript().resource(5n, "available", undefined, {
      ...{ requiredLsn: 4n, servedBy },
    });
    const { violations } = judge(script.recording()).checks[3]!;
    assertEquals(violations[0]!.resourceIds, [5n]);
    return violations[0]!.sentence;
  };
  assert(sentenceOf({}).endsWith("asked for lsn 4 and does not say what it shows"));
  assert(sentenceOf({ observedLsn: 3n }).endsWith("asked for lsn 4 and shows lsn 3"));
});

Deno.test("judge() says of two holders in the words of the domain who had what until when", () => {
  const script = new GateScript().create(7n).reserve(7n, 1n).reserve(7n, 2n, { slot: 50n })
    .holder("confirm", 2n, 1n);
  const { checks } = judge(script.recording());
  const check = checks.find(({ name }) => name === "double_allocation")!;
  assertEquals(
    check.sentence,
    "resource 7: `reserve` of resource 7 by holder 2 (event 4) and `reserve` of resource 7 by " +
      "holder 1 (event 2) both succeeded; the first ended no earlier than `confirm` of " +
      "reservation 2 by holder 1 with epoch 1 (event 6)",
  );
  assertEquals(check.violations[0]!.operations.length, 3);
});
