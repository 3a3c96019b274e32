/** `jepsen run`: one run, or the whole matrix. */
import { join } from "@std/path";
import type { CliIo } from "../../../node/cli/io.ts";
import type { JepsenRun, JepsenRunChoice } from "../../../node/cli/jepsen_options.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { printable } from "../../../node/cli/text.ts";
import { CliError } from "../../../node/errors.ts";
import { runAll } from "../run/all.ts";
import { ownRun, type RunOptions } from "../run/options.ts";
import { fileNameOf } from "../run/paths.ts";
import { findRun, UnknownRunError } from "../run/plan.ts";
import { programUnderTest } from "../run/program.ts";
import { runOne, type RunOutcome } from "../run/run.ts";
import { type RunResult, tableJson, tableText, type Worst, worstOf } from "../run/table.ts";
import { faultWindow, parseWindowOverride, WINDOW_OVERRIDE_VARIABLE } from "../run/window.ts";
import { backendMaker } from "./backends.ts";
import { runInProcess, untilAbandoned } from "./child_run.ts";

/** The matrix has to have the same seed when it is taken up again. */
const MATRIX_SEED = 1;

type Shared = Omit<RunOptions, "choice" | "window" | "workspace" | "seed" | "onEvent">;
type Single = Exclude<JepsenRunChoice, { readonly kind: "all" }>;

/**
 * Runs, judges and says what came of it.
 *
 * @throws {CliError} E_CHECK_FAILED when a gate is blocked, E_INCONCLUSIVE when nothing can be said, E_RUN_FAILED when a
 * run did not come to its end, E_INTERRUPTED on Ctrl-C.
 */
export async function runRun(request: JepsenRun, io: CliIo): Promise<void> {
  const overrideSecs = parseWindowOverride(io.env(WINDOW_OVERRIDE_VARIABLE));
  const { choice } = request;
  const planned = choice.kind === "all" ? undefined : plannedRun(choice, overrideSecs);
  const signal = untilAbandoned(io.interruption(), io);
  const shared = { ...await sharedOptions(request), signal };
  const results = choice.kind === "all"
    ? await allRuns(request, choice, shared, overrideSecs, io)
    : [await oneRun(request, planned!, shared, io)];
  io.out.write(request.json ? jsonText(tableJson(results), 2) : textOf(results, request));
  if (signal.aborted) throw new CliError("E_INTERRUPTED", "the run was interrupted");
  const failure = failureOf(results);
  if (failure !== undefined) throw failure;
}

async function sharedOptions(request: JepsenRun): Promise<Shared> {
  const { backend, program, outputRoot, clients, ratePerSecond, controlSecs } = request;
  return {
    ...{ backend: backendMaker(backend, program), backendName: backend, outputRoot },
    program: await programUnderTest(program),
    ...clients === undefined ? {} : { clients },
    ...ratePerSecond === undefined ? {} : { ratePerSecond },
    ...controlSecs === undefined ? {} : { controlSecs },
  };
}

/** Which run it is, and for how long things go wrong in it. */
function plannedRun(
  choice: Single,
  overrideSecs: number | undefined,
): Pick<RunOptions, "choice" | "window"> {
  if (choice.kind === "own") {
    const { workload, nemesis, windowSecs } = choice;
    const planned = nemesis === "none" ? undefined : windowSecs;
    return { choice: ownRun(workload, nemesis), window: faultWindow(planned, undefined) };
  }
  try {
    const run = findRun(choice.runId);
    return { choice: run, window: faultWindow(run.minimumFaultWindowSecs, overrideSecs) };
  } catch (error) {
    if (!(error instanceof UnknownRunError)) throw error;
    throw new CliError("E_USAGE", error.message, { hint: error.hint });
  }
}

async function oneRun(
  request: JepsenRun,
  planned: Pick<RunOptions, "choice" | "window">,
  shared: Shared,
  io: CliIo,
): Promise<RunResult> {
  const { runId, isReleaseBlocking } = planned.choice;
  const workspace = join(request.workspace, `${fileNameOf(runId)}-${Date.now()}`);
  const seed = request.seed ?? Number(io.randomId() & 0xffff_ffffn);
  const onEvent = (detail: string): void => io.err.write(`${runId}: ${printable(detail)}\n`);
  const outcome = await runOne({ ...shared, ...planned, workspace, seed, onEvent });
  return { runId, isReleaseBlocking, kind: "ran", outcome };
}

async function allRuns(
  request: JepsenRun,
  { supplementary, lanes }: Extract<JepsenRunChoice, { readonly kind: "all" }>,
  shared: Shared,
  overrideSecs: number | undefined,
  io: CliIo,
): Promise<readonly RunResult[]> {
  return await runAll({
    ...shared,
    seed: request.seed ?? MATRIX_SEED,
    isWithSupplementary: supplementary,
    lanes,
    workspaces: request.workspace,
    windowOverrideSecs: overrideSecs,
    run: runInProcess,
    notice: (text) => io.err.write(`${printable(text)}\n`),
  });
}

/** One run says where everything is; many are a table. */
function textOf(results: readonly RunResult[], { choice }: JepsenRun): string {
  return choice.kind === "all" ? tableText(results) : linesOf(results[0]!.outcome);
}

function linesOf(outcome: RunOutcome): string {
  const { historyFile, bundle, logsArchive, report, error } = outcome;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["history_file", historyFile],
    ["artifact_bundle", bundle],
    ["local_logs_archive", logsArchive],
    ["verdict", outcome.verdict],
    ["gate_evidence", outcome.isGateEvidence ? "true" : "false"],
    ["gate_evidence_reason", outcome.isGateEvidence ? undefined : outcome.gateEvidenceReason],
    ["error", error],
  ];
  const lines = facts.flatMap(([key, value]) => value === undefined ? [] : [`${key}=${value}`]);
  // Whatever was seen until then: a run that broke off passes no gate.
  const gate = error === undefined ? report : "release_gate=blocked\n";
  return [...lines.map((line) => `${printable(line)}\n`), gate].join("");
}

const FAILURES: Readonly<
  Record<
    Exclude<Worst, "valid">,
    readonly ["E_CHECK_FAILED" | "E_INCONCLUSIVE" | "E_RUN_FAILED", string]
  >
> = {
  invalid: ["E_CHECK_FAILED", "the release gate is blocked: a promise was broken"],
  blocked: ["E_CHECK_FAILED", "the release gate is blocked: too little was seen"],
  error: ["E_RUN_FAILED", "a run did not come to its end"],
  unknown: ["E_INCONCLUSIVE", "nothing can be said of a run"],
};

function failureOf(results: readonly RunResult[]): CliError | undefined {
  const worst = worstOf(results);
  if (worst === "valid") return undefined;
  const [code, message] = FAILURES[worst];
  const [first] = results.filter(({ outcome }) => outcome.error !== undefined);
  const why = worst === "error" && first !== undefined
    ? `: ${printable(first.outcome.error!)}`
    : "";
  return new CliError(code, `${message}${why}`);
}
