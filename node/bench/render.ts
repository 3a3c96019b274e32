/** Reports as people read them, and as one JSON document. Pure. */
import picocolors from "picocolors";
import { jsonText } from "../cli/output.ts";
import { renderTable } from "../cli/table.ts";
import { size } from "./format.ts";
import { isVolatile, type Machine, machineKeys } from "./machine.ts";
import type { Figure, Figures, ScenarioReport } from "./scenario.ts";

/** Widest line of running text, in characters. */
const LINE_CHARS = 100;
const INDENT = "  ";

/** What the figures were measured on, in two lines. */
export function renderMachine(machine: Machine): string {
  const { version, commit, deno, cores, cpu, memoryBytes, os, kernel, fileSystem } = machine;
  const warning = isVolatile(machine)
    ? `${fileSystem} is memory: nothing here survives a power failure, and every sync is free.\n` +
      "Give --data DIR on a disk.\n"
    : "";
  return `allocdb ${version} (${commit}, deno ${deno}) on ${cores} × ${cpu}, ` +
    `${size(memoryBytes)}, ${os} ${kernel}, ${fileSystem}\n${warning}`;
}

/**
 * One scenario.
 *
 * @param report The scenario.
 * @param machine What it was measured on.
 * @param color Whether the heading may be in colour.
 */
export function renderScenario(report: ScenarioReport, machine: Machine, color: boolean): string {
  const colors = picocolors.createColors(color);
  const synced = isVolatile(machine) ? "synced to memory" : "durable";
  const kind = report.durable ? synced : "in memory";
  const lines = [
    "",
    `${colors.bold(report.scenario)} (${kind})`,
    ...wrap(report.says, INDENT),
    "",
    ...renderTable(aligned(report.table)).trimEnd().split("\n").map((line) => INDENT + line),
    "",
    ...report.notes.flatMap((note) => wrap(note, INDENT)),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** What the words in the headings mean. */
export function renderLegend(machine: Machine, reports: readonly ScenarioReport[]): string {
  const synced = isVolatile(machine)
    ? "synced to memory: as durable, but on a file system that is gone when the power fails."
    : "durable: every command was in the log, written and synced (fdatasync), before its answer.";
  const words = [
    ...(reports.some(({ durable }) => durable) ? [synced] : []),
    ...(reports.some(({ durable }) => !durable) ? ["in memory: nothing was written."] : []),
  ];
  return `\n${words.map((word) => `${word}\n`).join("")}`;
}

/**
 * The whole run as one document.
 *
 * @param machine What it was measured on.
 * @param startedAt When, ISO 8601 in UTC.
 * @param settings What was asked for.
 * @param reports What came out.
 */
export function renderJson(
  machine: Machine,
  startedAt: string,
  settings: Figures,
  reports: readonly ScenarioReport[],
): string {
  const survives = !isVolatile(machine);
  const document = {
    started_at: startedAt,
    machine: machineKeys(machine),
    survives_power_failure: survives,
    settings,
    scenarios: reports.map(({ data, durable, says }) => ({
      ...data,
      durable: durable && survives,
      says,
    })),
  };
  return jsonText(plain(document), 2);
}

/** Numbers to the right, names to the left. */
function aligned(table: readonly (readonly string[])[]): string[][] {
  const widths = table[0]!.map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0))
  );
  const isName = (column: number): boolean =>
    column === 0 && !/^[A-Z]?[\d,.]+$/.test(table[1]![0]!);
  return table.map((row) =>
    row.map((cell, column) => isName(column) ? cell : cell.padStart(widths[column]!))
  );
}

function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length + word.length > LINE_CHARS && line !== indent) {
      lines.push(line);
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line];
}

function plain(value: Figure): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Array) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}
