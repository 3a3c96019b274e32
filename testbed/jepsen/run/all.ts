/**
 * The whole matrix: several clusters at a time, each lane with a workspace of its own and a fresh cluster for every run. What
 * is done already is not done again; a run that fails does not stop the others.
 */
import { join } from "@std/path";
import { replaceText } from "../../../cluster/workspace/files.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { textOf } from "../nemesis/scene.ts";
import { partSeed } from "../../sim/random.ts";
import { type RunOptions, settingsOf } from "./options.ts";
import { lockAll } from "./locks.ts";
import { fileNameOf, makeDirectory } from "./paths.ts";
import { MATRIX, type PlannedRun, SUPPLEMENTARY } from "./plan.ts";
import { type DoneRun, findDone } from "./resume.ts";
import { runOne, type RunOutcome } from "./run.ts";
import { type RunResult, tableJson, tableMarkdown, tableText } from "./table.ts";
import { faultWindow } from "./window.ts";

/** What all runs share. */
export interface AllOptions
  extends Omit<RunOptions, "choice" | "window" | "workspace" | "onEvent"> {
  readonly isWithSupplementary: boolean;
  /** Whether a bundle of another seed stands for a run just as well: when nobody asked for one. */
  readonly isAnySeedFine?: boolean;
  /** Clusters at a time. */
  readonly lanes: number;
  /** Lanes have their clusters below it. */
  readonly workspaces: string;
  readonly windowOverrideSecs: number | undefined;
  /** Told when something begins, ends or is passed over. */
  readonly notice: (text: string) => void;
  /** Carries a run out; a test has its own. */
  readonly run?: (options: RunOptions) => Promise<RunOutcome>;
}

/** Names of the tables below the output root. */
export const SUMMARY_FILES = {
  text: "allocdb-jepsen-summary.txt",
  markdown: "allocdb-jepsen-summary.md",
  json: "allocdb-jepsen-summary.json",
} as const;

/**
 * Runs whatever is not done. Results are in the order of the plan.
 *
 * @throws {CliError} E_WORKSPACE_LOCKED when somebody else does so with the same clusters; that a directory cannot be made.
 */
export async function runAll(options: AllOptions): Promise<readonly RunResult[]> {
  await makeDirectory(options.outputRoot);
  await makeDirectory(options.workspaces);
  using _lock = await lockAll(options.workspaces);
  const plan = [...MATRIX, ...(options.isWithSupplementary ? SUPPLEMENTARY : [])];
  const results = new Map<PlannedRun, RunResult>();
  const waiting = inOrder(plan);
  const lane = async (number: number): Promise<void> => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      if (options.signal?.aborted) return;
      results.set(run, await oneOf(options, run, number));
      writeTables(options.outputRoot, plan, results);
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, (_, i) => lane(i + 1)));
  return listed(plan, results);
}

/** Runs without faults first: when one of those fails, hours are saved. */
export function inOrder(plan: readonly PlannedRun[]): PlannedRun[] {
  const isControl = ({ nemesis }: PlannedRun): boolean => nemesis === "none";
  return [...plan.filter(isControl), ...plan.filter((run) => !isControl(run))];
}

/** The seed of a run: its own, whatever else is run. */
export function seedOf(seed: number, { runId }: PlannedRun): number {
  return partSeed(seed, runId);
}

async function oneOf(options: AllOptions, planned: PlannedRun, lane: number): Promise<RunResult> {
  const { runId, isReleaseBlocking, minimumFaultWindowSecs } = planned;
  const { notice, outputRoot, windowOverrideSecs, run = runOne } = options;
  const window = faultWindow(minimumFaultWindowSecs, windowOverrideSecs);
  const workspace = join(options.workspaces, `lane-${lane}`);
  const seed = seedOf(options.seed, planned);
  const asked = { ...options, choice: planned, window, workspace, seed };
  const settings = settingsOf(asked);
  const done = await findDone(outputRoot, runId, settings, notice, options.isAnySeedFine);
  if (done !== undefined) {
    notice(`${runId}: kept, ${done.bundle}`);
    return { runId, isReleaseBlocking, kind: "kept", outcome: outcomeOf(done) };
  }
  notice(`${runId}: begins in lane ${lane}`);
  let outcome: RunOutcome;
  try {
    await options.backend(workspace, notice).sweep();
    await clear(workspace);
    outcome = await run(asked);
    await putAway(workspace, outcome);
  } catch (error) {
    outcome = brokenRun(runId, textOf(error));
  }
  notice(`${runId}: ${outcome.state}, verdict ${outcome.verdict ?? "none"}`);
  return { runId, isReleaseBlocking, kind: "ran", outcome };
}

/** What an earlier invocation has left half done makes room, and is kept. */
async function clear(workspace: string): Promise<void> {
  try {
    await Deno.rename(workspace, `${workspace}.${Date.now()}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The cluster of a run that passed is of no more use: all that matters is in the bundle. */
async function putAway(workspace: string, { runId, state }: RunOutcome): Promise<void> {
  try {
    if (state === "passed") await Deno.remove(workspace, { recursive: true });
    else await Deno.rename(workspace, `${workspace}.${fileNameOf(runId)}.${Date.now()}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** What a manifest says of a run that was done before. */
function outcomeOf({ bundle, manifest }: DoneRun): RunOutcome {
  const { verdict, facts, isGateEvidence, gateEvidenceReason, blockerCount } = manifest;
  const isGatePassed = facts.release_gate === "passed";
  const faults = [...(facts.faults ?? "").matchAll(/:([0-9]+)/g)];
  return {
    ...{ runId: manifest.runId, state: isGatePassed ? "passed" : "failed", bundle },
    verdict: verdict as RunOutcome["verdict"],
    ...{ blockers: blockerCount, isGatePassed, isGateEvidence, gateEvidenceReason },
    historyFile: join(bundle, manifest.historyFile),
    logsArchive: manifest.logsArchive && join(bundle, manifest.logsArchive),
    ...{ report: "", error: undefined, elapsedSecs: Number(facts.elapsed_secs ?? 0) },
    attempts: Number(facts.attempts ?? 0),
    faults: faults.reduce((sum, [, count]) => sum + Number(count), 0),
  };
}

function brokenRun(runId: string, error: string): RunOutcome {
  return {
    ...{ runId, state: "error", verdict: undefined, blockers: undefined, isGatePassed: false },
    ...{ isGateEvidence: false, gateEvidenceReason: "the run did not come to its end" },
    ...{ historyFile: undefined, bundle: undefined, logsArchive: undefined, report: "", error },
    ...{ elapsedSecs: 0, attempts: 0, faults: 0 },
  };
}

function listed(
  plan: readonly PlannedRun[],
  results: ReadonlyMap<PlannedRun, RunResult>,
): readonly RunResult[] {
  return plan.flatMap((run) => results.get(run) ?? []);
}

/** After every run, so that whoever is interrupted has what there is. */
function writeTables(
  outputRoot: string,
  plan: readonly PlannedRun[],
  results: ReadonlyMap<PlannedRun, RunResult>,
): void {
  const all = listed(plan, results);
  const write = (name: string, text: string): void => replaceText(join(outputRoot, name), text);
  write(SUMMARY_FILES.text, tableText(all));
  write(SUMMARY_FILES.markdown, tableMarkdown(all));
  write(SUMMARY_FILES.json, jsonText(tableJson(all), 2));
}
