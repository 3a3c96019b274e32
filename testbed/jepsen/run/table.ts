/** What many runs came to, side by side: for terminals, for pages and for programs. */
import type { RunOutcome } from "./run.ts";

/** One run of many. */
export interface RunResult {
  readonly runId: string;
  readonly isReleaseBlocking: boolean;
  /** `kept`: an earlier bundle stands for it. */
  readonly kind: "ran" | "kept";
  readonly outcome: RunOutcome;
}

/** Worst of all: what a program that ran them exits by. */
export type Worst = "invalid" | "error" | "unknown" | "blocked" | "valid";

const ORDER: readonly Worst[] = ["invalid", "error", "unknown", "blocked", "valid"];

/** What one run came to, for {@linkcode worstOf}. `blocked`: valid, and yet too little was seen. */
export function standing({ state, verdict, isGatePassed }: RunOutcome): Worst {
  if (verdict === "invalid") return "invalid";
  if (state === "error" || verdict === undefined) return "error";
  if (verdict === "unknown") return "unknown";
  return isGatePassed ? "valid" : "blocked";
}

/** Unknown never hides invalid. */
export function worstOf(results: readonly RunResult[]): Worst {
  const all = results.map(({ outcome }) => standing(outcome));
  return ORDER.find((each) => all.includes(each)) ?? "valid";
}

const HEADINGS = [
  ...["run", "state", "verdict", "blockers", "attempts", "faults", "elapsed", "evidence"],
];

function cells({ runId, kind, outcome }: RunResult): readonly string[] {
  return [
    runId,
    kind === "kept" ? `${outcome.state} (kept)` : outcome.state,
    outcome.verdict ?? "none",
    String(outcome.blockers ?? "none"),
    String(outcome.attempts),
    String(outcome.faults),
    `${outcome.elapsedSecs}s`,
    outcome.isGateEvidence ? "yes" : "no",
  ];
}

/** Columns for a terminal. */
export function tableText(results: readonly RunResult[]): string {
  const rows = [HEADINGS, ...results.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
  );
  return [...lines, ...notes(results)].map((line) => `${line}\n`).join("");
}

/** The same for a page. */
export function tableMarkdown(results: readonly RunResult[]): string {
  const row = (columns: readonly string[]): string =>
    `| ${columns.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |\n`;
  const rule = row(HEADINGS.map(() => "---"));
  const said = notes(results).map((note) => `- ${note}\n`).join("");
  const table = row(HEADINGS) + rule + results.map((result) => row(cells(result))).join("");
  return said === "" ? table : `${table}\n${said}`;
}

/** The same for programs, before it is text. */
export function tableJson(results: readonly RunResult[]): unknown {
  const runs = results.map(({ runId, isReleaseBlocking, kind, outcome }) => ({
    run_id: runId,
    release_blocking: isReleaseBlocking,
    kept: kind === "kept",
    state: outcome.state,
    verdict: outcome.verdict ?? null,
    release_gate_passed: outcome.isGatePassed,
    blockers: outcome.blockers ?? null,
    gate_evidence: outcome.isGateEvidence,
    gate_evidence_reason: outcome.gateEvidenceReason || null,
    attempts: outcome.attempts,
    faults: outcome.faults,
    elapsed_secs: outcome.elapsedSecs,
    artifact_bundle: outcome.bundle ?? null,
    history_file: outcome.historyFile ?? null,
    logs_archive: outcome.logsArchive ?? null,
    error: outcome.error ?? null,
  }));
  const blocking = results.filter(({ isReleaseBlocking }) => isReleaseBlocking);
  return {
    version: 1,
    worst: worstOf(results),
    release_gate_passed: blocking.length > 0 &&
      blocking.every(({ outcome }) => outcome.isGatePassed && outcome.isGateEvidence),
    runs,
  };
}

/** Why runs failed, and why others are no evidence; the same reason of several once. */
function notes(results: readonly RunResult[]): readonly string[] {
  const errors = results.flatMap(({ runId, outcome: { error } }) =>
    error === undefined ? [] : [`${runId}: ${error}`]
  );
  const weak = results.filter(({ outcome }) => !outcome.isGateEvidence);
  const reasons = Map.groupBy(weak, ({ outcome }) => outcome.gateEvidenceReason);
  const said = [...reasons].map(([reason, group]) =>
    `no evidence: ${reason} (${group.length === 1 ? group[0]!.runId : `${group.length} runs`})`
  );
  return [...errors, ...said];
}
