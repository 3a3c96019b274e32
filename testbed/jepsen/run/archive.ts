/** Makes a bundle of a history that is there: judged again, with the logs of the cluster as they are now. */
import type { Backend } from "../backend/backend.ts";
import { convert } from "../codec/convert.ts";
import { HistoryError } from "../history/history_error.ts";
import { READ_DEFAULTS } from "../codec/format.ts";
import { buildCommit, VERSION } from "../../../node/version.ts";
import { basename, join } from "@std/path";
import { type AnalyzedRun, analyzeRun } from "./analyze_run.ts";
import { ANALYSIS_FILE, HISTORY_FILE, RECORDING_FILE, writeBundle } from "./bundle.ts";
import { archiveLogs } from "./collect.ts";
import { makeDirectory, runPaths } from "./paths.ts";

/** What is archived. */
export interface ArchiveOptions {
  readonly runId: string;
  readonly historyFile: string;
  readonly outputRoot: string;
  readonly backend: Pick<Backend, "name" | "collectLogs">;
  readonly nowMillis?: () => number;
}

/** What came of it. */
export interface Archived {
  readonly bundle: string;
  readonly logsArchive: string;
  readonly analyzed: AnalyzedRun;
}

/**
 * Archives a history.
 *
 * @throws {HistoryError} When it cannot be read.
 */
export async function archiveRun(options: ArchiveOptions): Promise<Archived> {
  const { runId, historyFile, outputRoot, backend } = options;
  const createdAtMillis = (options.nowMillis ?? Date.now)();
  await makeDirectory(outputRoot);
  const analyzed = await analyzeRun(historyFile, undefined, {});
  const { model } = analyzed.recording.header;
  if (model !== "reservation") {
    const found = `a history of ${model}`;
    throw new HistoryError(undefined, found, "one of reservations", historyFile);
  }
  const paths = runPaths(outputRoot, runId, backend.name, createdAtMillis);
  await archiveLogs(backend, paths.logsArchive, runId, createdAtMillis);
  const temporary = await Deno.makeTempDir({ dir: outputRoot, prefix: ".archive-" });
  try {
    const [text, cbor] = [join(temporary, HISTORY_FILE), join(temporary, RECORDING_FILE)];
    await convert(historyFile, text, "runbook", READ_DEFAULTS);
    await convert(historyFile, cbor, "cbor", READ_DEFAULTS);
    await writeBundle({
      ...{ directory: paths.bundle, analyzed, texts: {}, logs: [] },
      files: {
        [HISTORY_FILE]: text,
        [RECORDING_FILE]: cbor,
        [basename(paths.logsArchive)]: paths.logsArchive,
      },
      reproduce: `allocdb jepsen analyze ${RECORDING_FILE}`,
      manifest: manifestOf(options, analyzed, createdAtMillis, basename(paths.logsArchive)),
    });
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
  return { bundle: paths.bundle, logsArchive: paths.logsArchive, analyzed };
}

/** Of what nobody knows any more how it was made: it is no evidence for a release. */
function manifestOf(
  { runId, backend }: ArchiveOptions,
  { recording: { header }, judgement, blockers, isGatePassed }: AnalyzedRun,
  createdAtMillis: number,
  logsArchive: string,
): Parameters<typeof writeBundle>[0]["manifest"] {
  return {
    ...{ runId, workload: header.workload ?? "unknown", nemesis: header.nemesis ?? "unknown" },
    ...{ createdAtMillis, historyFile: HISTORY_FILE, analysisFile: ANALYSIS_FILE, logsArchive },
    ...{ blockerCount: blockers, verdict: judgement.verdict, isGateEvidence: false },
    gateEvidenceReason: "archived by hand from a history",
    minimumFaultWindowSecs: header.minimumFaultWindowSecs,
    faultWindowOverrideSecs: header.isWindowOverridden ? header.minimumFaultWindowSecs : undefined,
    settings: {
      ...{ backend: header.backend ?? backend.name, seed: header.seed ?? 0, clients: 0 },
      ...{ ratePerSecond: 0, resources: 0, controlSecs: 0 },
      ...{ windowSecs: header.minimumFaultWindowSecs, programSha256: undefined },
    },
    facts: {
      program: header.program ?? "unknown",
      harness: `allocdb ${VERSION} (${buildCommit()})`,
      release_gate: isGatePassed ? "passed" : "blocked",
      archived_by_hand: "true",
    },
  };
}
