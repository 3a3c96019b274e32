// The report is what people quote: nothing measured may be missing from it, and a gap must be seen.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { catchUpFigures } from "./catch_up.ts";
import { failoverFigures } from "./failover.ts";
import { type ClusterReport, renderClusterReport } from "./report.ts";

const MACHINE = {
  ...{ cores: 2, cpu: "a CPU", memoryBytes: 2 ** 30, loadAverage: 0.5, os: "an OS" },
  ...{ kernel: "6", deno: "2", fileSystem: "ext4", device: "/dev/a", mountOptions: "rw" },
};
const SPREAD = { median: 1_234_567, min: 1_000, max: 2_000 };

const REPORT: ClusterReport = {
  startedAt: "2026-01-01T00:00:00Z",
  seconds: 5,
  machine: MACHINE,
  systems: [{ name: "etcd", version: "3.4", settings: "defaults" }],
  rows: [
    {
      ...{ system: "allocdb", scenario: "64x1", clients: 64, depth: 1, rounds: 3, effective: 1 },
      ...{ opsPerSecond: SPREAD, p50Us: SPREAD, p95Us: SPREAD, p99Us: SPREAD },
    },
    { system: "etcd", scenario: "64x1", failure: "not installed" },
  ],
  failover: failoverFigures([700, 900, 800], 2),
  catchUp: catchUpFigures(1_024 * 2 ** 20, 10, 2_000, 3_000),
  idle: { seconds: 60, cpuPercent: 1.5, rssMib: [100, 101, 102] },
  targets: [
    { name: "a target", wanted: "≥ 6 ×", measured: 6.5, unit: "×", isMet: true },
    { name: "another", wanted: "≥ 5 ×", measured: 4.5, unit: "×", isMet: false },
  ],
  failures: ["idle: it fell over"],
};

Deno.test("renderClusterReport() shows every figure, gap, failure and verdict", () => {
  const text = renderClusterReport(REPORT);
  for (
    const part of [
      ...["2 × a CPU", "ext4", "etcd: 3.4", "1,234,567", "1,000 – 2,000", "1234.57 ms"],
      ...["etcd: not installed (64x1)", "median 800 ms, 700 – 900 ms; 2 writes"],
      ...["1,024 MiB in 10.0 s: 102.4 MiB/s", "2.00 ms before, 3.00 ms meanwhile"],
      ...["1.50 % of a core over 60 s", "100, 101, 102 MiB", "idle: it fell over"],
    ]
  ) assertStringIncludes(text, part);
  const verdicts = text.split("\n").filter((line) => /^(yes|NO)/.test(line));
  assertEquals(verdicts.map((line) => line.split(/\s{2,}/)[0]), ["yes", "NO"]);
});

Deno.test("renderClusterReport() leaves out what was not measured", () => {
  const { failover: _, catchUp: __, idle: ___, ...rest } = REPORT;
  const text = renderClusterReport({ ...rest, rows: [], targets: [], failures: [] });
  assertEquals(/failover|catch-up|idle|TARGET|LOAD/.test(text), false);
});
