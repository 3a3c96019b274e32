/** What a run is asked to be. */
import type { Backend } from "../backend/backend.ts";
import type { NemesisName } from "../nemesis/atlas.ts";
import { CLIENTS, RATE_PER_SECOND, RESOURCES } from "../workload/workload.ts";
import type { WorkloadName } from "../workload/workload_name.ts";
import type { RunSettings } from "./manifest.ts";
import { MATRIX, runIdOf } from "./plan.ts";
import type { ProgramUnderTest } from "./program.ts";
import type { FaultWindow } from "./window.ts";

/** Seconds of load in runs without faults, unless told. */
export const CONTROL_SECS = 60;

/** Which clients meet which nemesis: a run of the matrix, or one of one's own. */
export interface RunChoice {
  readonly runId: string;
  readonly workload: WorkloadName;
  readonly nemesis: NemesisName;
  /** Whether it decides on a release; a run of one's own never does. */
  readonly isReleaseBlocking: boolean;
}

/** See the top of this file. */
export interface RunOptions {
  readonly choice: RunChoice;
  readonly window: FaultWindow;
  /** Makes the backend of a cluster in a workspace; `notice` is told what a person might want to know. */
  readonly backend: (workspace: string, notice: (text: string) => void) => Backend;
  readonly backendName: string;
  /** Where the cluster goes: new or empty. */
  readonly workspace: string;
  readonly outputRoot: string;
  readonly program: ProgramUnderTest;
  /** 32 bits: decides what clients and nemesis do. */
  readonly seed: number;
  readonly clients?: number;
  readonly ratePerSecond?: number;
  readonly resources?: number;
  readonly controlSecs?: number;
  /** How long judging may take, in milliseconds. */
  readonly judgeMsMax?: number;
  readonly signal?: AbortSignal;
  /** The wall clock. */
  readonly nowMillis?: () => number;
  /** Told each line of the events log. */
  readonly onEvent?: (detail: string) => void;
}

/** A run that the matrix does not have is called by its family and its nemesis, too. */
export function ownRun(workload: WorkloadName, nemesis: NemesisName): RunChoice {
  return { runId: runIdOf(workload, nemesis), workload, nemesis, isReleaseBlocking: false };
}

/** Whether a run is one of those that decide on a release. */
export function isInMatrix({ runId, workload, nemesis }: RunChoice): boolean {
  return MATRIX.some((run) =>
    run.runId === runId && run.workload === workload && run.nemesis === nemesis
  );
}

/** What makes it the same run as another. */
export function settingsOf(options: Omit<RunOptions, "backend" | "workspace">): RunSettings {
  return {
    backend: options.backendName,
    seed: options.seed,
    clients: options.clients ?? CLIENTS,
    ratePerSecond: options.ratePerSecond ?? RATE_PER_SECOND,
    resources: options.resources ?? RESOURCES,
    controlSecs: options.controlSecs ?? CONTROL_SECS,
    windowSecs: options.window.secs,
    programSha256: options.program.sha256,
  };
}
