/** What of a run goes into its bundle, and what its manifest says. */
import { basename } from "@std/path";
import type { ClusterFacts } from "../backend/backend.ts";
import { buildCommit, VERSION } from "../../../node/version.ts";
import { jsonText } from "../../../node/cli/output.ts";
import type { WorkloadCounts } from "../workload/counts.ts";
import type { AnalyzedRun } from "./analyze_run.ts";
import { ANALYSIS_FILE, HISTORY_FILE, RECORDING_FILE, writeBundle } from "./bundle.ts";
import { ineligibilities } from "./eligibility.ts";
import type { Executed } from "./execute.ts";
import type { Manifest } from "./manifest.ts";
import { isInMatrix, type RunOptions, settingsOf } from "./options.ts";
import type { RunPaths } from "./paths.ts";
import { MATRIX } from "./plan.ts";
import { reproduce } from "./reproduce.ts";
import type { LogLine } from "../report/input.ts";
import { runnerLog } from "./run_log.ts";
import { isWindowReached } from "./window.ts";

/** What is known at the end of a run. */
export interface RunParts {
  readonly options: RunOptions;
  readonly paths: RunPaths;
  readonly facts: ClusterFacts;
  readonly analyzed: AnalyzedRun;
  /** Absent when the run broke off. */
  readonly executed: Executed | undefined;
  readonly counts: WorkloadCounts;
  /** What replicas logged. */
  readonly logs: readonly LogLine[];
  /** Why it broke off. */
  readonly problem: string | undefined;
  readonly startedAtMillis: number;
  readonly createdAtMillis: number;
}

/** See the top of this file. */
export class RunArchive {
  readonly #parts: RunParts;
  /** Why the run is no evidence for a release; empty when it is. */
  readonly gateEvidenceReason: string;

  /** @param parts All of it. */
  constructor(parts: RunParts) {
    this.#parts = parts;
    this.gateEvidenceReason = reasonsOf(parts).join("; ");
  }

  get isGateEvidence(): boolean {
    return this.gateEvidenceReason === "";
  }

  /** Writes the bundle. */
  async write(): Promise<void> {
    const { paths, analyzed, logs } = this.#parts;
    const { recording } = analyzed;
    await writeBundle({
      ...{ directory: paths.bundle, analyzed, manifest: this.#manifest() },
      files: {
        ...(isThere(paths.history) ? { [HISTORY_FILE]: paths.history } : {}),
        [RECORDING_FILE]: paths.recording,
        [basename(paths.logsArchive)]: paths.logsArchive,
      },
      texts: this.#texts(),
      logs: [...runnerLog(await Deno.readTextFile(paths.events), recording.header), ...logs],
      reproduce: reproduce(this.#parts.options),
    });
  }

  #manifest(): Omit<Manifest, "files"> {
    const { options, paths, analyzed, createdAtMillis } = this.#parts;
    const { choice, window } = options;
    return {
      ...choice,
      ...{ createdAtMillis, historyFile: HISTORY_FILE, analysisFile: ANALYSIS_FILE },
      logsArchive: basename(paths.logsArchive),
      blockerCount: analyzed.blockers,
      verdict: analyzed.judgement.verdict,
      isGateEvidence: this.isGateEvidence,
      gateEvidenceReason: this.gateEvidenceReason,
      minimumFaultWindowSecs: window.plannedSecs,
      faultWindowOverrideSecs: window.overrideSecs,
      settings: settingsOf(options),
      facts: this.#facts(),
    };
  }

  #facts(): Record<string, string> {
    const { facts, executed, counts, problem, analyzed } = this.#parts;
    const { startedAtMillis, createdAtMillis } = this.#parts;
    const faults = Object.entries(executed?.nemesis?.faults ?? {});
    return {
      program: facts.program,
      harness: `allocdb ${VERSION} (${buildCommit()})`,
      deno: Deno.version.deno,
      os: `${Deno.build.os} ${Deno.build.arch} ${Deno.osRelease()}`,
      release_gate: analyzed.isGatePassed ? "passed" : "blocked",
      elapsed_secs: `${Math.floor((createdAtMillis - startedAtMillis) / 1_000)}`,
      attempts: `${counts.attempts}`,
      unanswered: `${counts.info}`,
      unresolved: `${counts.unresolved}`,
      load_secs: executed === undefined ? "none" : executed.loadSecs.toFixed(1),
      settle_ms: executed?.settled === undefined
        ? "none"
        : `${Math.round(executed.settled.settleMs)}`,
      faults: faults.map(([name, count]) => `${name}:${count}`).join(" ") || "none",
      ...(problem === undefined ? {} : { problem }),
    };
  }

  #texts(): Record<string, string> {
    const { executed, counts, facts, paths } = this.#parts;
    return {
      "events.log": Deno.readTextFileSync(paths.events),
      "workload.json": jsonText(counts, 2),
      "cluster.json": jsonText({ ...facts.settings, program: facts.program }, 2),
      ...(executed?.nemesis === undefined ? {} : {
        "nemesis.json": jsonText({ strikes: executed.strikes, report: executed.nemesis }, 2),
      }),
    };
  }
}

/** A run that broke off may not have come to writing it. */
function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function reasonsOf(parts: RunParts): readonly string[] {
  const { options, executed, counts, analyzed, problem } = parts;
  const { window, choice, program } = options;
  const faults = Object.values(executed?.nemesis?.faults ?? {}).reduce((sum, n) => sum + n, 0);
  const { firstFaultNs } = executed?.nemesis ?? {};
  const endNs = (firstFaultNs ?? 0) + (executed?.nemesis?.windowMs ?? 0) * 1e6;
  const shortfalls = analyzed.judgement.shortfalls ?? [];
  const reasons = ineligibilities({
    ...{ window, counts, faults, loadSecs: executed?.loadSecs ?? 0 },
    isWindowReached: isWindowReached(window, firstFaultNs, endNs),
    ...{ isShippedProgram: program.isShipped, isInMatrix: isInMatrix(choice) },
    minimumSecs: MATRIX.find(({ runId }) => runId === choice.runId)?.minimumFaultWindowSecs,
    missingCoverage: shortfalls.map(({ name, count, minimum }) =>
      `${name} is ${count}, below ${minimum}`
    ),
  });
  return problem === undefined ? reasons : ["the run broke off", ...reasons];
}
