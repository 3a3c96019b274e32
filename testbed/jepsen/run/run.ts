/**
 * One run from its name to its bundle. What was seen is on disk as it happens; whatever goes wrong, all that there is by then
 * is judged and kept, and the status says failed. The final state is written last, when the cluster has been ended.
 */
import { removeIfAny } from "../../../cluster/workspace/files.ts";
import { fileError } from "../../../cluster/workspace/workspace_files.ts";
import { CliError } from "../../../node/errors.ts";
import type { Backend, ClusterFacts } from "../backend/backend.ts";
import { convert } from "../codec/convert.ts";
import { READ_DEFAULTS } from "../codec/format.ts";
import type { HistoryHeader } from "../history/event.ts";
import { textOf } from "../nemesis/scene.ts";
import { Recorder } from "../recorder/recorder.ts";
import { Workload } from "../workload/workload.ts";
import { type AnalyzedRun, analyzeRun } from "./analyze_run.ts";
import { archiveLogs } from "./collect.ts";
import { execute, type Executed } from "./execute.ts";
import { minimumCoverage } from "./minimum.ts";
import { type RunOptions, settingsOf } from "./options.ts";
import { lockRun } from "./locks.ts";
import { makeDirectory, type RunPaths, runPaths } from "./paths.ts";
import { replicaLogs } from "./run_log.ts";
import { RunArchive } from "./run_archive.ts";
import { verifySurface } from "./surface.ts";
import { Tracker } from "./tracker.ts";

/** How a run ended. */
export interface RunOutcome {
  readonly runId: string;
  /** `error`: it did not come to its end; what there was by then may have been judged all the same. */
  readonly state: "passed" | "failed" | "error";
  readonly verdict: "valid" | "invalid" | "unknown" | undefined;
  readonly blockers: number | undefined;
  readonly isGatePassed: boolean;
  readonly isGateEvidence: boolean;
  readonly gateEvidenceReason: string;
  readonly historyFile: string | undefined;
  readonly bundle: string | undefined;
  readonly logsArchive: string | undefined;
  /** The release gate's report; empty when nothing was judged. */
  readonly report: string;
  readonly error: string | undefined;
  readonly elapsedSecs: number;
  /** Attempts, and faults that took hold. */
  readonly attempts: number;
  readonly faults: number;
}

/**
 * Runs one. What goes wrong in it is told in the outcome.
 *
 * @throws {CliError} When it cannot even say how it goes: nothing can be written, or another run writes there.
 */
export async function runOne(options: RunOptions): Promise<RunOutcome> {
  const nowMillis = options.nowMillis ?? Date.now;
  await makeDirectory(options.outputRoot);
  const startedAtMillis = nowMillis();
  const { choice, outputRoot, backendName } = options;
  const paths = runPaths(outputRoot, choice.runId, backendName, startedAtMillis);
  using _lock = await lockRun(paths, choice.runId);
  using tracker = new Tracker(paths, firstStatus(options, startedAtMillis), nowMillis);
  try {
    return await new Run(options, paths, tracker, startedAtMillis, nowMillis).run();
  } catch (error) {
    if (error instanceof CliError || !String(error).includes("os error")) throw error;
    throw fileError(error, "go on writing below", outputRoot);
  }
}

function firstStatus(
  { choice, backendName, window, workspace, seed }: RunOptions,
  startedAtMillis: number,
): ConstructorParameters<typeof Tracker>[1] {
  return {
    ...{ backend: backendName, runId: choice.runId, startedAtMillis, workspace, seed },
    ...{
      minimumFaultWindowSecs: window.secs,
      isWindowOverridden: window.overrideSecs !== undefined,
    },
    ...{ historyEvents: 0, historyFile: undefined, artifactBundle: undefined },
    ...{ logsArchive: undefined, releaseGatePassed: undefined, blockers: undefined },
    ...{ lastError: undefined, verdict: undefined, isGateEvidence: undefined },
  };
}

class Run {
  readonly #options: RunOptions;
  readonly #paths: RunPaths;
  readonly #tracker: Tracker;
  readonly #startedAtMillis: number;
  readonly #nowMillis: () => number;
  readonly #signal: AbortSignal;
  /** Raised when the run cannot even say any more how it goes. */
  readonly #broken = new AbortController();
  readonly #backend: Backend;
  #executed: Executed | undefined;
  #workload: Workload | undefined;
  #isRecorded = false;
  #isEnding = false;
  #facts: ClusterFacts | undefined;
  #analyzed: AnalyzedRun | undefined;
  #archive: RunArchive | undefined;

  constructor(
    options: RunOptions,
    paths: RunPaths,
    tracker: Tracker,
    startedAtMillis: number,
    nowMillis: () => number,
  ) {
    this.#options = options;
    this.#paths = paths;
    this.#tracker = tracker;
    this.#startedAtMillis = startedAtMillis;
    this.#nowMillis = nowMillis;
    const { signal } = this.#broken;
    this.#signal = options.signal === undefined
      ? signal
      : AbortSignal.any([options.signal, signal]);
    this.#backend = options.backend(options.workspace, (text) => this.#event(text));
  }

  /** Whatever happens, nothing that was started goes on. */
  async run(): Promise<RunOutcome> {
    try {
      return await this.#runToEnd();
    } finally {
      if (!this.#isEnding) await this.#end();
    }
  }

  async #runToEnd(): Promise<RunOutcome> {
    const problems: string[] = [];
    const attempt = async (part: () => Promise<void>): Promise<void> => {
      try {
        await part();
      } catch (error) {
        const problem = this.#problemOf(error);
        problems.push(problem);
        this.#event(`error: ${problem}`);
      }
    };
    await attempt(() => this.#loadAndRecord());
    if (this.#isRecorded) {
      await attempt(() => this.#analyze());
      await attempt(() => this.#writeText());
      await attempt(() => this.#archiveAll(problems[0]));
    }
    await attempt(() => this.#end());
    return this.#outcome(problems[0]);
  }

  #problemOf(error: unknown): string {
    const isInterrupted = error instanceof DOMException && error.name === "AbortError" &&
      this.#options.signal?.aborted === true;
    return isInterrupted ? "interrupted" : textOf(error);
  }

  async #loadAndRecord(): Promise<void> {
    for (const path of [this.#paths.recording, this.#paths.history, this.#paths.logsArchive]) {
      removeIfAny(path);
    }
    const facts = await this.#backend.start(this.#signal);
    this.#facts = facts;
    this.#tracker.enter("verifying_surface", "verifying external surface");
    await verifySurface(this.#backend, facts);
    this.#tracker.enter("executing", "executing Jepsen scenario");
    await using recorder = await Recorder.create(this.#paths.recording, this.#header(facts));
    this.#isRecorded = true;
    this.#tracker.update({ historyFile: this.#paths.recording });
    try {
      await this.#execute(facts, recorder);
    } finally {
      if (this.#executed === undefined) recorder.breakOff();
    }
  }

  async #execute(facts: ClusterFacts, recorder: Recorder): Promise<void> {
    const { choice, seed, window } = this.#options;
    const { clients, resources, ratePerSecond, controlSecs } = settingsOf(this.#options);
    await using workload = new Workload({
      ...{ workload: choice.workload, seed, recorder, secret: facts.secret },
      ...{ clients, resources, ratePerSecond },
      addresses: facts.replicas.map(({ clientAddress }) => clientAddress),
      ...{ slotDurationMs: facts.slotDurationMs, bounds: facts.bounds },
      maxResources: facts.maxResources,
    });
    this.#workload = workload;
    this.#executed = await execute({
      ...{ backend: this.#backend, workload, recorder, nemesis: choice.nemesis, seed },
      ...{ windowSecs: window.secs, controlSecs },
      ...{ replicas: facts.replicas.length, signal: this.#signal },
      told: {
        event: (detail) => this.#event(detail),
        progress: (elapsed, remaining) => this.#progress(elapsed, remaining, recorder.events),
      },
    });
    this.#tracker.update({ historyEvents: recorder.events });
    const { problem } = this.#executed;
    if (problem !== undefined) throw new Error(problem);
  }

  #header(facts: ClusterFacts): HistoryHeader {
    const { choice, window, seed } = this.#options;
    const { secs, overrideSecs } = window;
    return {
      ...{ model: "reservation", runId: choice.runId, workload: choice.workload },
      ...{ nemesis: choice.nemesis, backend: this.#backend.name, seed, program: facts.program },
      ...{ startedAtMillis: this.#nowMillis(), slotDurationMs: facts.slotDurationMs },
      ...(secs === undefined ? {} : { minimumFaultWindowSecs: secs }),
      ...{ isWindowOverridden: overrideSecs !== undefined, bounds: facts.bounds },
    };
  }

  async #analyze(): Promise<void> {
    this.#tracker.enter("analyzing", "analyzing Jepsen history");
    const { choice, window, judgeMsMax } = this.#options;
    const minimum = minimumCoverage(choice, window);
    this.#analyzed = await analyzeRun(
      this.#paths.recording,
      this.#executed?.evidence,
      minimum,
      judgeMsMax,
    );
    const { judgement, blockers, isGatePassed } = this.#analyzed;
    const { counts, verdict } = judgement;
    const known = { verdict, blockers, historyEvents: counts.events };
    this.#tracker.update({ ...known, releaseGatePassed: isGatePassed });
    this.#event(`verdict ${verdict}, ${blockers} blockers`);
  }

  /** The runbook's form of the history; what it has no words for is told. */
  async #writeText(): Promise<void> {
    const { recording, history } = this.#paths;
    const { losses } = await convert(recording, history, "runbook", READ_DEFAULTS);
    this.#tracker.update({ historyFile: history });
    const left = [...losses].map(([what, count]) => `${what} (${count})`);
    if (left.length > 0) this.#event(`the text history leaves out ${left.join(", ")}`);
  }

  async #archiveAll(problem: string | undefined): Promise<void> {
    this.#tracker.enter("archiving", "collecting logs and artifacts");
    const { runId } = this.#options.choice;
    const { logsArchive } = this.#paths;
    const told = await archiveLogs(this.#backend, logsArchive, runId, this.#startedAtMillis);
    this.#tracker.update({ logsArchive });
    if (this.#analyzed === undefined || this.#facts === undefined) return;
    this.#archive = new RunArchive({
      ...{ options: this.#options, paths: this.#paths, facts: this.#facts },
      ...{ analyzed: this.#analyzed, executed: this.#executed, problem },
      ...{ counts: this.#workload!.counts(), createdAtMillis: this.#nowMillis() },
      startedAtMillis: this.#startedAtMillis,
      logs: replicaLogs(told, this.#analyzed.recording.header),
    });
    await this.#archive.write();
    const { isGateEvidence } = this.#archive;
    this.#tracker.update({ artifactBundle: this.#paths.bundle, isGateEvidence });
  }

  async #end(): Promise<void> {
    this.#isEnding = true;
    await this.#backend.end();
  }

  #outcome(problem: string | undefined): RunOutcome {
    const { status } = this.#tracker;
    const isPassed = problem === undefined && status.releaseGatePassed === true;
    if (problem === undefined) this.#tracker.complete(isPassed, {});
    else this.#tracker.fail(problem);
    const { artifactBundle, historyFile, logsArchive, verdict } = this.#tracker.status;
    return {
      runId: this.#options.choice.runId,
      state: problem === undefined ? isPassed ? "passed" : "failed" : "error",
      verdict: verdict as RunOutcome["verdict"],
      blockers: this.#analyzed?.blockers,
      isGatePassed: this.#analyzed?.isGatePassed ?? false,
      isGateEvidence: this.#archive?.isGateEvidence ?? false,
      gateEvidenceReason: this.#archive?.gateEvidenceReason ?? "the run did not come to its end",
      ...{ historyFile, bundle: artifactBundle, logsArchive, error: problem },
      report: this.#analyzed?.report ?? "",
      elapsedSecs: Math.floor((this.#nowMillis() - this.#startedAtMillis) / 1_000),
      attempts: this.#workload?.counts().attempts ?? 0,
      faults: faultsOf(this.#executed),
    };
  }

  /** Called by a timer: nobody else would catch what goes wrong, such as a full disk. */
  #progress(elapsedSecs: number, remainingSecs: number, events: number): void {
    try {
      this.#tellProgress(elapsedSecs, remainingSecs, events);
    } catch (error) {
      this.#broken.abort(error);
    }
  }

  #tellProgress(elapsedSecs: number, remainingSecs: number, events: number): void {
    const isFaulted = this.#options.window.secs !== undefined;
    this.#tracker.update({ historyEvents: events });
    this.#event(
      isFaulted
        ? `fault window elapsed=${elapsedSecs}s remaining=${remainingSecs}s history_events=${events}`
        : `control elapsed=${elapsedSecs}s history_events=${events}`,
    );
  }

  #event(detail: string): void {
    this.#tracker.event(detail);
    try {
      this.#options.onEvent?.(detail);
    } catch {
      // Whoever listened has gone, such as the reader of a pipe: the run goes on, and the events log has it.
    }
  }
}

/** Faults that took hold. */
export function faultsOf(executed: Executed | undefined): number {
  const counts = Object.values(executed?.nemesis?.faults ?? {});
  return counts.reduce((sum, count) => sum + count, 0);
}
