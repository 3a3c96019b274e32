/**
 * A run of the matrix in a process of its own: judging takes a processor for seconds, and would stop the clients and the
 * nemeses of all other lanes meanwhile. A process that dies takes one run with it.
 */
import * as v from "valibot";
import type { CliIo } from "../../../node/cli/io.ts";
import { childEnvironment, type Program, selfProgram } from "../../../node/process_self.ts";
import type { RunOptions } from "../run/options.ts";
import type { RunOutcome } from "../run/run.ts";

/** What a run prints with `--json`, as far as it is needed. */
const OUTPUT = v.object({
  runs: v.tuple([v.object({
    state: v.picklist(["passed", "failed", "error"]),
    verdict: v.nullable(v.picklist(["valid", "invalid", "unknown"])),
    release_gate_passed: v.boolean(),
    blockers: v.nullable(v.number()),
    gate_evidence: v.boolean(),
    gate_evidence_reason: v.nullable(v.string()),
    attempts: v.number(),
    faults: v.number(),
    elapsed_secs: v.number(),
    artifact_bundle: v.nullable(v.string()),
    history_file: v.nullable(v.string()),
    logs_archive: v.nullable(v.string()),
    error: v.nullable(v.string()),
  })]),
});

/** Tells a run of the matrix which process waits for it. */
const PARENT_VARIABLE = "ALLOCDB_JEPSEN_PARENT";
/** How often such a run looks whether it is there, in milliseconds. */
const PARENT_LOOK_MS = 1_000;

/** Last words of a process that are told, in characters. */
const WORDS_MAX = 500;

/**
 * Carries a run of the matrix out.
 *
 * @param program This program.
 * @throws {Error} When the process ended without saying what came of the run.
 */
export async function runInProcess(
  options: RunOptions,
  program: Program = selfProgram(),
): Promise<RunOutcome> {
  const child = new Deno.Command(program.path, {
    args: [...program.args, ...argsOf(options)],
    env: { ...childEnvironment(), [PARENT_VARIABLE]: `${Deno.pid}` },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  const stop = (): void => end(child);
  options.signal?.addEventListener("abort", stop);
  try {
    const { code, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    return outcomeOf(options, code, text.decode(stdout), text.decode(stderr));
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
}

/**
 * The signal to end: as it is, and for a run of the matrix also when the process that waits for it was killed, since its
 * cluster would be in the way of whoever takes the matrix up again.
 */
export function untilAbandoned(signal: AbortSignal, { env }: Pick<CliIo, "env">): AbortSignal {
  const parent = env(PARENT_VARIABLE);
  if (parent === undefined) return signal;
  const abandoned = new AbortController();
  const timer = setInterval(() => {
    if (`${Deno.ppid}` === parent) return;
    clearInterval(timer);
    abandoned.abort();
  }, PARENT_LOOK_MS);
  Deno.unrefTimer(timer);
  return AbortSignal.any([signal, abandoned.signal]);
}

/** It ends its cluster first. */
function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // It has ended already.
  }
}

function argsOf(options: RunOptions): string[] {
  const { choice, backendName, workspace, outputRoot, seed, program } = options;
  const flags: readonly (readonly [string, string | number | undefined])[] = [
    ["--backend", backendName],
    ["--run-id", choice.runId],
    ["--workspace", workspace],
    ["--output-root", outputRoot],
    ["--seed", seed],
    ["--program", program.path],
    ["--clients", options.clients],
    ["--rate", options.ratePerSecond],
    ["--control-time", options.controlSecs === undefined ? undefined : `${options.controlSecs}s`],
  ];
  const typed = flags.flatMap(([flag, value]) => value === undefined ? [] : [flag, `${value}`]);
  return ["jepsen", "run", ...typed, "--json"];
}

function outcomeOf(
  { choice }: RunOptions,
  code: number,
  stdout: string,
  stderr: string,
): RunOutcome {
  const [run] = parsed(stdout)?.runs ?? [];
  if (run === undefined) {
    throw new Error(`its process ended with ${code}: ${stderr.trim().slice(-WORDS_MAX)}`);
  }
  return {
    ...{ runId: choice.runId, state: run.state, verdict: run.verdict ?? undefined },
    blockers: run.blockers ?? undefined,
    isGatePassed: run.release_gate_passed,
    isGateEvidence: run.gate_evidence,
    gateEvidenceReason: run.gate_evidence_reason ?? "",
    historyFile: run.history_file ?? undefined,
    bundle: run.artifact_bundle ?? undefined,
    logsArchive: run.logs_archive ?? undefined,
    ...{ report: "", error: run.error ?? undefined },
    ...{ elapsedSecs: run.elapsed_secs, attempts: run.attempts, faults: run.faults },
  };
}

function parsed(stdout: string): v.InferOutput<typeof OUTPUT> | undefined {
  try {
    return v.parse(OUTPUT, JSON.parse(stdout));
  } catch {
    return undefined;
  }
}
