/** Where a run leaves what. Names are those of the operators' runbook. */
import { join } from "@std/path";
import { fileError } from "../../../cluster/workspace/workspace_files.ts";

/** A copy of the newest status of any run below an output root. */
export const LATEST_STATUS_FILE = "allocdb-jepsen-latest-status.txt";

/** Everything that one run writes below its output root. */
export interface RunPaths {
  readonly outputRoot: string;
  readonly status: string;
  readonly latestStatus: string;
  readonly events: string;
  /** The text of the runbook. */
  readonly history: string;
  /** The recording itself. */
  readonly recording: string;
  readonly logsArchive: string;
  /** The directory of everything together. */
  readonly bundle: string;
}

/** The name of a run as part of a file's name. */
export function fileNameOf(runId: string): string {
  return runId.replace(/[^A-Za-z0-9_-]/g, "_") || "run";
}

/** The paths of a run of a backend that began at a time. */
export function runPaths(
  outputRoot: string,
  runId: string,
  backend: string,
  startedAtMillis: number,
): RunPaths {
  const name = fileNameOf(runId);
  const at = (rest: string): string => join(outputRoot, `${name}-${rest}`);
  return {
    outputRoot,
    status: at("status.txt"),
    latestStatus: join(outputRoot, LATEST_STATUS_FILE),
    events: at("events.log"),
    history: at("history.txt"),
    recording: at("history.cbor"),
    logsArchive: at(`${fileNameOf(backend)}-logs.tar.gz`),
    bundle: join(outputRoot, `${name}-${startedAtMillis}`),
  };
}

/**
 * Makes a directory, and those above it, unless it is there.
 *
 * @throws {CliError} When the system refuses.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError(error, "make the directory", path);
  }
}
