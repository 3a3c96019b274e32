/** The report of the cluster benchmark as a person reads it. Pure. */
import { renderTable } from "../../node/cli/table.ts";
import { count, renderFacts, renderGaps } from "../peers/report.ts";
import type { Spread } from "../peers/rounds.ts";
import { type Figures, type Gap, isGap, type Report } from "../peers/summary.ts";
import type { CatchUpFigures } from "./catch_up.ts";
import type { FailoverFigures } from "./failover.ts";
import type { IdleFigures } from "./idle.ts";
import type { Target } from "./targets.ts";

/** Everything that was measured. */
export interface ClusterReport extends Omit<Report, "diskSyncUs" | "rows"> {
  readonly rows: readonly (Figures | Gap)[];
  readonly failover?: FailoverFigures | undefined;
  readonly catchUp?: CatchUpFigures | undefined;
  readonly idle?: IdleFigures | undefined;
  readonly targets: readonly Target[];
  /** Parts that failed, and why. */
  readonly failures: readonly string[];
}

const RIGHT = 10;
const LOAD_HEAD = [
  ...["LOAD", "SYSTEM", "OPS/S".padStart(RIGHT), "MIN – MAX"],
  ...["P50", "P95", "P99"].map((name) => name.padStart(RIGHT)),
  "P99 MIN – MAX",
];

function ms(us: number): string {
  return (us / 1_000).toFixed(2);
}

function loadCells(row: Figures): string[] {
  const { opsPerSecond: ops } = row;
  const latencies: readonly Spread[] = [row.p50Us, row.p95Us, row.p99Us];
  return [
    ...[row.scenario, row.system, count(ops.median).padStart(RIGHT)],
    `${count(ops.min)} – ${count(ops.max)}`,
    ...latencies.map(({ median }) => `${ms(median)} ms`.padStart(RIGHT)),
    `${ms(row.p99Us.min)} – ${ms(row.p99Us.max)}`,
  ];
}

function targetCells({ name, wanted, measured, unit, isMet }: Target): string[] {
  const figure = measured >= 1_000 ? count(measured) : measured.toFixed(2);
  return [isMet ? "yes" : "NO", name, wanted, `${figure} ${unit}`];
}

function failoverLine({ kills, ms, failedWrites }: FailoverFigures): string {
  const [median, min, max] = [ms.median, ms.min, ms.max].map((figure) => figure.toFixed(0));
  return `failover  ${kills} kills: median ${median} ms, ${min} – ${max} ms; ${failedWrites} writes in doubt or refused`;
}

function catchUpLine(figures: CatchUpFigures): string {
  const { bytes, seconds, mibPerSecond, p99UsBefore, p99UsMeanwhile } = figures;
  return `catch-up  ${count(bytes / 2 ** 20)} MiB in ${seconds.toFixed(1)} s: ${
    mibPerSecond.toFixed(1)
  } MiB/s; p99 of writes ${ms(p99UsBefore)} ms before, ${ms(p99UsMeanwhile)} ms meanwhile`;
}

function idleLine({ seconds, cpuPercent, rssMib }: IdleFigures): string {
  const memory = rssMib.map((mib) => mib.toFixed(0)).join(", ");
  return `idle      ${
    cpuPercent.toFixed(2)
  } % of a core over ${seconds} s; fresh replicas hold ${memory} MiB`;
}

/** The report as text. */
export function renderClusterReport(report: ClusterReport): string {
  const { rows, failover, catchUp, idle, targets, failures } = report;
  const figures = rows.filter((row): row is Figures => !isGap(row));
  return [
    ...renderFacts(report),
    "",
    ...(figures.length === 0 ? [] : [renderTable([LOAD_HEAD, ...figures.map(loadCells)])]),
    ...renderGaps(rows.filter(isGap)),
    ...(failover === undefined ? [] : [failoverLine(failover)]),
    ...(catchUp === undefined ? [] : [catchUpLine(catchUp)]),
    ...(idle === undefined ? [] : [idleLine(idle)]),
    ...failures,
    "",
    ...(targets.length === 0
      ? []
      : [renderTable([["MET", "TARGET", "WANTED", "MEASURED"], ...targets.map(targetCells)])]),
  ].join("\n");
}
