/** The manifest of a bundle: which run it was, what decides its worth, and a checksum of everything that lies beside it. */
import { Fields, TextProblem } from "../../../cluster/workspace/text.ts";
import type { HashedFile } from "./hashing.ts";
import { escapeLine } from "./status.ts";

/** Its name in the bundle. */
export const MANIFEST_FILE = "manifest.txt";

/** See the top of this file. What is undefined is written as `none`. */
export interface Manifest {
  readonly runId: string;
  readonly workload: string;
  readonly nemesis: string;
  readonly createdAtMillis: number;
  readonly historyFile: string;
  readonly analysisFile: string;
  /** Of whichever backend; the key is the runbook's. */
  readonly logsArchive: string | undefined;
  readonly blockerCount: number;
  readonly verdict: string;
  readonly isGateEvidence: boolean;
  /** Why not; empty when it is. */
  readonly gateEvidenceReason: string;
  readonly minimumFaultWindowSecs: number | undefined;
  readonly faultWindowOverrideSecs: number | undefined;
  readonly settings: RunSettings;
  /** Whatever else is worth knowing, by names in snake_case. */
  readonly facts: Readonly<Record<string, string>>;
  readonly files: readonly HashedFile[];
}

/** What makes a run the same run: another one with these would show nothing new. */
export interface RunSettings {
  readonly backend: string;
  readonly seed: number;
  readonly clients: number;
  readonly ratePerSecond: number;
  readonly resources: number;
  /** Seconds of load in runs without faults. */
  readonly controlSecs: number;
  /** Seconds of faults in the others. */
  readonly windowSecs: number | undefined;
  /** SHA-256 of the executable under test; undefined for sources. */
  readonly programSha256: string | undefined;
}

/** The file's text. */
export function manifestText(manifest: Manifest): string {
  const { settings } = manifest;
  const fields: readonly (readonly [string, unknown])[] = [
    ["version", 1],
    ["run_id", manifest.runId],
    ["workload", manifest.workload],
    ["nemesis", manifest.nemesis],
    ["created_at_millis", manifest.createdAtMillis],
    ["history_file", manifest.historyFile],
    ["analysis_file", manifest.analysisFile],
    ["qemu_logs_archive", manifest.logsArchive],
    ["blocker_count", manifest.blockerCount],
    ["verdict", manifest.verdict],
    ["gate_evidence", manifest.isGateEvidence],
    ["gate_evidence_reason", manifest.gateEvidenceReason || undefined],
    ["minimum_fault_window_secs", manifest.minimumFaultWindowSecs],
    ["fault_window_secs_override", manifest.faultWindowOverrideSecs],
    ["backend", settings.backend],
    ["seed", settings.seed],
    ["clients", settings.clients],
    ["rate_per_second", settings.ratePerSecond],
    ["resources", settings.resources],
    ["control_secs", settings.controlSecs],
    ["fault_window_secs", settings.windowSecs],
    ["program_sha256", settings.programSha256],
    ...Object.entries(manifest.facts).map(([name, value]) => [`fact.${name}`, value] as const),
    ...manifest.files.map(({ path, bytes, sha256 }) =>
      [`file.${path}`, `${sha256} ${bytes}`] as const
    ),
  ];
  return fields.map(([key, value]) => `${key}=${escapeLine(String(value ?? "none"))}\n`).join("");
}

/**
 * Reads a manifest.
 *
 * @throws {TextProblem} When it is none.
 */
export function parseManifest(text: string): Manifest {
  const fields = new Fields(text, [1]);
  const textOf = (key: string): string => unescapeLine(fields.text(key));
  const optional = (key: string): string | undefined => {
    const value = textOf(key);
    return value === "none" ? undefined : value;
  };
  const number = (key: string): number => wholeNumber(key, textOf(key));
  const optionalNumber = (key: string): number | undefined => {
    const value = optional(key);
    return value === undefined ? undefined : wholeNumber(key, value);
  };
  return {
    runId: textOf("run_id"),
    workload: textOf("workload"),
    nemesis: textOf("nemesis"),
    createdAtMillis: number("created_at_millis"),
    historyFile: textOf("history_file"),
    analysisFile: textOf("analysis_file"),
    logsArchive: optional("qemu_logs_archive"),
    blockerCount: number("blocker_count"),
    verdict: textOf("verdict"),
    isGateEvidence: textOf("gate_evidence") === "true",
    gateEvidenceReason: optional("gate_evidence_reason") ?? "",
    minimumFaultWindowSecs: optionalNumber("minimum_fault_window_secs"),
    faultWindowOverrideSecs: optionalNumber("fault_window_secs_override"),
    settings: {
      backend: textOf("backend"),
      seed: number("seed"),
      clients: number("clients"),
      ratePerSecond: number("rate_per_second"),
      resources: number("resources"),
      controlSecs: number("control_secs"),
      windowSecs: optionalNumber("fault_window_secs"),
      programSha256: optional("program_sha256"),
    },
    facts: Object.fromEntries(
      [...fields.keys()].filter((key) => key.startsWith("fact."))
        .map((key) => [key.slice("fact.".length), textOf(key)]),
    ),
    files: [...fields.keys()].filter((key) => key.startsWith("file."))
      .map((key) => hashedFile(key.slice("file.".length), textOf(key))),
  };
}

function hashedFile(path: string, value: string): HashedFile {
  const [, sha256, bytes] = /^([0-9a-f]{64}) ([0-9]{1,15})$/.exec(value) ?? [];
  if (sha256 === undefined) throw new TextProblem(undefined, `file.${path} has no checksum`);
  if (path.startsWith("/") || path.split("/").includes("..")) {
    throw new TextProblem(undefined, `file.${path} lies outside of the bundle`);
  }
  return { path, bytes: Number(bytes), sha256 };
}

function wholeNumber(key: string, value: string): number {
  if (/^[0-9]{1,15}$/.test(value)) return Number(value);
  throw new TextProblem(undefined, `${key} is no whole number`);
}

function unescapeLine(text: string): string {
  return text.replace(/\\(\\|n)/g, (_, escaped) => escaped === "n" ? "\n" : "\\");
}
