/** The status file of a run: what a watcher is told, one `key=value` a line. */

/** Where a run is. */
export const PHASES = [
  "waiting",
  "verifying_surface",
  "executing",
  "analyzing",
  "archiving",
  "completed",
  "failed",
] as const;

/** One of {@linkcode PHASES}. */
export type Phase = (typeof PHASES)[number];

/** See the top of this file. What is undefined is written as `none`. */
export interface RunStatus {
  readonly backend: string;
  readonly runId: string;
  readonly state: "running" | "passed" | "failed";
  readonly phase: Phase;
  readonly detail: string;
  readonly startedAtMillis: number;
  readonly updatedAtMillis: number;
  /** The window that this run goes by, an override included. */
  readonly minimumFaultWindowSecs: number | undefined;
  readonly historyEvents: number;
  readonly historyFile: string | undefined;
  readonly artifactBundle: string | undefined;
  readonly logsArchive: string | undefined;
  readonly releaseGatePassed: boolean | undefined;
  readonly blockers: number | undefined;
  readonly lastError: string | undefined;
  readonly isWindowOverridden: boolean;
  readonly workspace: string | undefined;
  readonly seed: number;
  readonly verdict: string | undefined;
  /** Undefined until it is known. */
  readonly isGateEvidence: boolean | undefined;
}

/** The file's text. */
export function statusText(status: RunStatus): string {
  const elapsedMs = Math.max(0, status.updatedAtMillis - status.startedAtMillis);
  const fields: readonly (readonly [string, unknown])[] = [
    ["version", 1],
    ["backend", status.backend],
    ["run_id", status.runId],
    ["state", status.state],
    ["phase", status.phase],
    ["detail", status.detail],
    ["started_at_millis", status.startedAtMillis],
    ["updated_at_millis", status.updatedAtMillis],
    ["elapsed_secs", Math.floor(elapsedMs / 1_000)],
    ["minimum_fault_window_secs", status.minimumFaultWindowSecs],
    ["history_events", status.historyEvents],
    ["history_file", status.historyFile],
    ["artifact_bundle", status.artifactBundle],
    ["logs_archive", status.logsArchive],
    ["release_gate_passed", status.releaseGatePassed],
    ["blockers", status.blockers],
    ["last_error", status.lastError],
    ["fault_window_overridden", status.isWindowOverridden],
    ["workspace", status.workspace],
    ["seed", status.seed],
    ["verdict", status.verdict],
    ["gate_evidence", status.isGateEvidence],
  ];
  return fields.map(([key, value]) => `${key}=${escapeLine(String(value ?? "none"))}\n`).join("");
}

/** One line of the events log. */
export function eventLine(timeMillis: number, detail: string): string {
  return `time_millis=${timeMillis} detail=${escapeLine(detail)}\n`;
}

/** A text that stays on one line: what reads it turns `\\` and `\n` back. */
export function escapeLine(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", " ");
}
