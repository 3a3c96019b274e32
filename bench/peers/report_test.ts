// The ratios are what people quote. They are compared with figures that can be checked by eye.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { SCENARIOS } from "./measurement.ts";
import { renderReport } from "./report.ts";
import type { Row } from "./rounds.ts";
import { type Report, summarize } from "./summary.ts";

const [ONE, MANY] = [SCENARIOS[0]!, SCENARIOS[2]!];

/** A row of one round with every percentile alike. */
function row(
  system: string,
  scenario: typeof ONE,
  ops: number,
  us: number,
  effective?: number,
): Row {
  const measurement = { opsPerSecond: ops, latencyUs: { p50: us, p95: us, p99: us } };
  const seats = effective === undefined ? {} : { effective };
  return { system, scenario, measurements: [{ ...measurement, ...seats }] };
}

const ROWS: readonly Row[] = [
  row("disk overwrite", ONE, 10_000, 100),
  row("redis", ONE, 4_000, 250, 1),
  row("allocdb", ONE, 6_000, 150, 0.5),
  row("redis", MANY, 50_000, 3_000, 1),
  { system: "allocdb", scenario: MANY, measurements: [], failure: "no serve" },
];

Deno.test("summarize() compares each row with AllocDB under its load and with the bare overwrite", () => {
  const { rows, diskSyncUs } = summarize(ROWS);
  assertEquals(
    rows.map((row) => "failure" in row ? row.failure : [row.allocdbRatio, row.p50ToDisk]),
    [
      [null, 1], // A disk does not do what AllocDB does.
      [1.5, 2.5],
      [1, 1.5],
      [null, 30],
      "no serve",
    ],
  );
  assertEquals(diskSyncUs, { append: null, overwrite: { p50: 100, p99: 100 } });
});

Deno.test("summarize() leaves the ratios open without AllocDB and without a disk", () => {
  const { rows } = summarize([row("redis", ONE, 4_000, 250, 1)]);
  const [first] = rows;
  assertEquals("failure" in first! ? undefined : [first!.allocdbRatio, first!.p50ToDisk], [
    null,
    null,
  ]);
});

Deno.test("renderReport() shows figures in the table and gaps below it, never as a number", () => {
  const report: Report = {
    startedAt: "2026-01-01T00:00:00Z",
    seconds: 5,
    machine: {
      ...{ cores: 2, cpu: "CPU", memoryBytes: 2 ** 30, loadAverage: 0.25 },
      ...{ os: "OS", kernel: "1.2", deno: "2.4.2" },
      ...{ fileSystem: "ext4", device: "/dev/x", mountOptions: "rw" },
    },
    systems: [{ name: "redis", version: "7", settings: "always" }],
    ...summarize(ROWS),
  };
  const lines = renderReport(report).split("\n").map((line) => line.replace(/ +/g, " ").trim());
  assertEquals(lines[0], "machine 2 × CPU, 1,024 MiB, load 0.3 at the start");
  assertStringIncludes(lines.join("\n"), "disk ext4 on /dev/x (rw)");
  assertEquals(lines.filter((line) => line.startsWith("1x1 redis")), [
    "1x1 redis 4,000 4,000 – 4,000 0.25 ms 0.25 ms 0.25 ms 100.0% 2.50× 1.50×",
  ]);
  assertEquals(lines.filter((line) => line.includes("no serve")), ["allocdb: no serve (256x1)"]);
  assertEquals(lines.filter((line) => line.startsWith("256x1")).length, 1);
});
