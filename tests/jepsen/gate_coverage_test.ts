// Coverage says whether a history would have noticed: each figure on a history of which it is known.
import { assertEquals } from "@std/assert";
import { Spans, widestOf } from "../../testbed/jepsen/analysis/gate/spans.ts";
import { judge } from "../../testbed/jepsen/analysis/judge.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { GateScript } from "./gate_script.ts";

function figuresOf(recording: Recording): Record<string, number> {
  return Object.fromEntries(judge(recording).coverage.map(({ name, count }) => [name, count]));
}

/** Of the figures of a history those that are asked for; 0 for one that it does not have. */
function pick(recording: Recording, names: readonly string[]): number[] {
  const figures = figuresOf(recording);
  return names.map((name) => figures[name] ?? 0);
}

Deno.test("coverage counts operations by kind and outcome", () => {
  const script = new GateScript().create(5n).create(5n, "already_exists").create(5n, "info")
    .create(5n, "fail:overloaded").reserve(5n, 7n).resource(5n, "reserved", 3n).tick(1n, []);
  const names = [
    ...["create_resource_ok", "create_resource_refused", "create_resource_unanswered"],
    ...["create_resource_failed", "reserve_ok", "get_resource_ok", "tick_expirations_ok"],
    ...["attempts", "unanswered"],
  ];
  assertEquals(pick(script.recording(), names), [1, 1, 1, 1, 1, 1, 1, 6, 1]);
});

Deno.test("coverage tells retries, and those that came after the execution", () => {
  const script = new GateScript().create(5n, "info", { id: 3n }).create(6n, "ok", { lsn: 9n })
    .create(5n, "ok", { id: 3n, lsn: 4n }).create(7n, "info", { id: 5n })
    .create(7n, "ok", { id: 5n, lsn: 12n });
  assertEquals(pick(script.recording(), ["retries", "retries_after_execution"]), [2, 1]);
});

Deno.test("coverage tells who wanted the same at the same time", () => {
  const script = new GateScript().reserve(5n, 7n, { span: [0, 3] })
    .reserveElse(5n, 8n, "resource_busy", { span: [1, 2] })
    .reserveElse(5n, 9n, "resource_busy", { span: [4, 5] })
    .reserve(6n, 7n, { span: [6, 7] });
  const names = [
    ...["contended_reserves", "refused_busy", "resources_wanted", "resources_wanted_once"],
    "widest_concurrency",
  ];
  assertEquals(pick(script.recording(), names), [2, 2, 2, 1, 2]);
});

Deno.test("coverage tells reads that overlap a write of the same resource", () => {
  const script = new GateScript().reserve(5n, 7n, { span: [0, 1] })
    .holder("confirm", 1n, 7n, "ok", { span: [2, 5] })
    .resource(5n, "reserved", 1n, { span: [3, 4] })
    .resource(6n, "not_found", undefined, { span: [3, 4] })
    .resource(5n, "confirmed", 1n, { span: [6, 7], requiredLsn: 1n });
  assertEquals(pick(script.recording(), ["reads_overlapping_write", "fenced_reads"]), [1, 1]);
});

Deno.test("coverage tells expirations, those that met a confirm, and fenced-off holders", () => {
  const script = new GateScript().reserve(5n, 7n).holder("confirm", 1n, 7n, "stale_epoch")
    .reserve(6n, 7n, { slot: 50n }).reservation(3n, "expired");
  const names = ["expirations_seen", "expiries_racing_confirm", "stale_epochs"];
  assertEquals(pick(script.recording(), names), [2, 1, 1]);
});

Deno.test("coverage tells what happened while something was wrong, and views", () => {
  const { operations, ...rest } = new GateScript().create(5n).resource(5n, "available")
    .resource(5n, "available").recording();
  const servedBy = (view: bigint) => ({ servedBy: { replicaId: 1, role: "primary", view } });
  const recording: Recording = {
    ...rest,
    operations: [
      { ...operations[0]!, invokedNs: 5, completedNs: 15, ...servedBy(1n) },
      { ...operations[1]!, invokedNs: 18, completedNs: 19, ...servedBy(3n) },
      { ...operations[2]!, invokedNs: 40, completedNs: 50 },
    ],
    faults: [
      { name: "kill", detail: "", replicaIds: [1], startNs: 10, stopNs: 20 },
      { name: "clock skew", detail: "", replicaIds: [1], startNs: 55, stopNs: undefined },
    ],
    samples: [{ type: "replica", timeNs: 1, replicaId: 2, state: "active", view: 7n }],
    endNs: 60,
  };
  const names = [
    ...["faults", "faults_kill", "faults_clock_skew", "faults_healed"],
    ...["reads_during_faults", "writes_during_faults", "view_changes"],
  ];
  assertEquals(pick(recording, names), [2, 1, 1, 1, 1, 1, 2]);
});

Deno.test("Spans and widestOf() agree with looking at all pairs", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const spans = Array.from({ length: random.below(8) }, () => {
      const from = random.below(12);
      return { from, to: random.oneIn(6) ? Infinity : from + random.below(5) };
    });
    const meets = (a: typeof spans[0], b: typeof spans[0]) => a.from <= b.to && b.from <= a.to;
    const contended = spans.filter((a, i) => spans.some((b, j) => i !== j && meets(a, b))).length;
    const widest = Math.max(
      0,
      ...spans.map(({ from }) => spans.filter((b) => meets({ from, to: from }, b)).length),
    );
    const asked = { from: random.below(12), to: 0 };
    asked.to = asked.from + random.below(3);
    const some = new Spans(spans);
    assertEquals(
      [some.contended, widestOf(spans, (span) => span), some.meets(asked)],
      [contended, widest, spans.some((span) => meets(span, asked))],
      `seed ${seed}`,
    );
  }
});
