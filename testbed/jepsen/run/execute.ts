/**
 * The part of a run in which things happen: clients load the cluster, a nemesis hurts it, all is put right, and what clients
 * were never told is asked about until it is known. Whatever goes wrong, what was recorded stays.
 */
import type { Backend } from "../backend/backend.ts";
import { startSampling } from "../backend/sampling.ts";
import type { NemesisName } from "../nemesis/atlas.ts";
import { type NemesisReport, runNemesis, type StrikeTold } from "../nemesis/nemesis.ts";
import { drawStrikes, type Strike } from "../nemesis/plan.ts";
import type { Recorder } from "../recorder/recorder.ts";
import type { WorkloadCounts } from "../workload/counts.ts";
import { REAL_PACE } from "../workload/token_bucket.ts";
import type { Workload } from "../workload/workload.ts";
import { type Ended, endRun } from "./ending.ts";

/** How often progress is told, in milliseconds. */
const PROGRESS_MS = 5_000;
/** Load goes on for so long after the last fault, in milliseconds. */
const AFTERMATH_MS = 3_000;
/** Making resources may take so long in all, in milliseconds. */
const SETUP_MS_MAX = 60_000;

/** What is needed. */
export interface ExecuteOptions {
  readonly backend: Backend;
  readonly workload: Workload;
  readonly recorder: Recorder;
  readonly nemesis: NemesisName;
  readonly seed: number;
  /** Seconds of faults; undefined for runs without. */
  readonly windowSecs: number | undefined;
  /** Seconds of load in runs without faults. */
  readonly controlSecs: number;
  readonly replicas: number;
  readonly signal: AbortSignal;
  readonly told: Listener;
}

/** Who is told. */
export interface Listener {
  /** Now and then: of the window, how much is over and how much is left, in whole seconds. */
  progress(elapsedSecs: number, remainingSecs: number): void;
  event(detail: string): void;
}

/** What it came to. */
export interface Executed extends Ended {
  readonly strikes: readonly Strike[];
  readonly nemesis: NemesisReport | undefined;
  readonly loadSecs: number;
  readonly counts: WorkloadCounts;
}

/** Runs clients and nemesis side by side. */
export async function execute(options: ExecuteOptions): Promise<Executed> {
  const { backend, workload, recorder, signal, told } = options;
  const strikes = strikesOf(options);
  await setUp(workload, signal);
  const stopSampling = startSampling(backend, recorder);
  try {
    const { nemesis, loadSecs } = await loadAndHurt(options, strikes);
    signal.throwIfAborted();
    told.event("load is over, mending");
    const ended = await endRun(options);
    return { strikes, nemesis, loadSecs, counts: workload.counts(), ...ended };
  } finally {
    await stopSampling();
    await recorder.flush();
  }
}

function strikesOf(
  { backend, nemesis, seed, windowSecs, replicas }: ExecuteOptions,
): readonly Strike[] {
  if (windowSecs === undefined) return [];
  return drawStrikes({ nemesis, seed, windowMs: windowSecs * 1_000, replicas, can: backend.can });
}

async function setUp(workload: Workload, signal: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(SETUP_MS_MAX);
  try {
    await workload.setup(AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (error !== timeout.reason) throw error;
    throw new Error(`the resources could not be made in ${SETUP_MS_MAX / 1_000} s`);
  }
}

/** Whoever of both fails ends the other. */
async function loadAndHurt(
  options: ExecuteOptions,
  strikes: readonly Strike[],
): Promise<{ readonly nemesis: NemesisReport | undefined; readonly loadSecs: number }> {
  const { workload, signal } = options;
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const beganMs = performance.now();
  const loading = workload.run(stop).catch((error: unknown) => {
    over.abort();
    throw error;
  });
  const hurting = hurt(options, strikes, stop).finally(() => over.abort());
  const [, nemesis] = await Promise.all([loading, hurting]);
  return { nemesis, loadSecs: (performance.now() - beganMs) / 1_000 };
}

async function hurt(
  options: ExecuteOptions,
  strikes: readonly Strike[],
  signal: AbortSignal,
): Promise<NemesisReport | undefined> {
  const { backend, recorder, told, windowSecs, controlSecs } = options;
  const progress = new Progress(
    recorder,
    told,
    windowSecs ?? controlSecs,
    windowSecs !== undefined,
  );
  using _telling = progress.start();
  if (windowSecs === undefined) {
    await REAL_PACE.wait(controlSecs * 1_000, signal);
    return undefined;
  }
  const report = await runNemesis({
    ...{ backend, strikes, windowMs: windowSecs * 1_000, signal },
    sink: {
      nowNs: () => recorder.nowNs(),
      fault: (event) => {
        progress.faultSeen();
        recorder.fault(event);
      },
    },
    onStrike: (strike) => told.event(strikeLine(strike)),
  });
  await REAL_PACE.wait(AFTERMATH_MS, signal);
  return report;
}

/** Tells how much of the window is over. Windows of faults begin with the first one. */
class Progress {
  readonly #recorder: Recorder;
  readonly #told: Listener;
  readonly #totalSecs: number;
  #sinceNs: number | undefined;

  constructor(recorder: Recorder, told: Listener, totalSecs: number, isFaulted: boolean) {
    this.#recorder = recorder;
    this.#told = told;
    this.#totalSecs = totalSecs;
    if (!isFaulted) this.#sinceNs = recorder.nowNs();
  }

  faultSeen(): void {
    this.#sinceNs ??= this.#recorder.nowNs();
  }

  start(): Disposable {
    const timer = setInterval(() => this.#tell(), PROGRESS_MS);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  #tell(): void {
    const now = this.#recorder.nowNs();
    const elapsedSecs = Math.floor((now - (this.#sinceNs ?? now)) / 1e9);
    this.#told.progress(elapsedSecs, Math.max(0, this.#totalSecs - elapsedSecs));
  }
}

function strikeLine(
  { strike, outcome, faults, problems, operatorRestarts, recoveredMs }: StrikeTold,
): string {
  const recovered = recoveredMs === undefined ? "" : `, recovered in ${Math.round(recoveredMs)} ms`;
  const restarted = operatorRestarts.length === 0
    ? ""
    : `, operator restarted ${operatorRestarts.join(", ")}`;
  const trouble = problems.length === 0 ? "" : `: ${problems.join("; ")}`;
  return `strike ${strike.id} ${strike.kind} ${outcome} [${
    faults.join(" ")
  }]${recovered}${restarted}${trouble}`;
}
