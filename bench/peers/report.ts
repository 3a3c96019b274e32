/** A report as a person reads it. Pure. */
import { renderTable } from "../../node/cli/table.ts";
import type { Spread } from "./rounds.ts";
import { type Figures, type Gap, isGap, type Ratios, type Report } from "./summary.ts";

const RIGHT = 10;

const HEAD = [
  ...["LOAD", "SYSTEM", "OPS/S".padStart(RIGHT), "MIN – MAX"],
  ...["P50", "P95", "P99", "EFFECTIVE"].map((name) => name.padStart(RIGHT)),
  ...["P50 ÷ DISK", "ALLOCDB ÷ IT"],
];

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

function ms({ median }: Spread): string {
  return `${(median / 1000).toFixed(2)} ms`;
}

function times(value: number | null): string {
  return value === null ? "-" : `${value.toFixed(2)}×`;
}

function cells(row: Figures & Ratios): string[] {
  const { opsPerSecond: ops, effective } = row;
  const right = [
    ...[ms(row.p50Us), ms(row.p95Us), ms(row.p99Us)],
    effective === null ? "-" : `${(effective * 100).toFixed(1)}%`,
    // Against one bare sync only one command on its way can be compared.
    times(row.clients * row.depth === 1 ? row.p50ToDisk : null),
    times(row.allocdbRatio),
  ];
  return [
    ...[row.scenario, row.system, count(ops.median).padStart(RIGHT)],
    `${count(ops.min)} – ${count(ops.max)}`,
    ...right.map((text) => text.padStart(RIGHT)),
  ];
}

/** One line for each system and reason, with the loads it holds for. */
export function renderGaps(gaps: readonly Gap[]): string[] {
  const reasons = Map.groupBy(gaps, ({ system, failure }) => `${system}: ${failure}`);
  return [...reasons].map(([reason, same]) =>
    `${reason} (${same.map(({ scenario }) => scenario).join(", ")})`
  );
}

/** What was measured on, and what was. */
export function renderFacts({ machine, systems }: Pick<Report, "machine" | "systems">): string[] {
  return [
    `machine  ${machine.cores} × ${machine.cpu}, ${count(machine.memoryBytes / 2 ** 20)} MiB, ` +
    `load ${machine.loadAverage.toFixed(1)} at the start`,
    `system   ${machine.os}, kernel ${machine.kernel}`,
    `disk     ${machine.fileSystem} on ${machine.device} (${machine.mountOptions})`,
    ...systems.map(({ name, version, settings }) => `${name}: ${version}\n         ${settings}`),
  ];
}

/** The report as text: facts, systems, and a table with the rows that have no figure below it. */
export function renderReport(report: Report): string {
  const figures = report.rows.filter((row): row is Figures & Ratios => !isGap(row));
  return [
    ...renderFacts(report),
    "",
    renderTable([HEAD, ...figures.map(cells)]),
    ...renderGaps(report.rows.filter(isGap)),
  ].join("\n");
}
