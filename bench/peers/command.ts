/** What runs every benchmark of several systems: opening them, saying what happens, ending in order. */
import { type Measurement, NotInstalled, type Scenario, type System } from "./measurement.ts";
import { UsageError } from "./flags.ts";
import { type Candidate, reasonOf } from "./rounds.ts";

/** Progress and complaints; standard output is for the report alone. */
export function say(line: string): void {
  console.error(line);
}

/** Says what one turn came to. */
export function sayResult(
  round: number,
  scenario: Scenario,
  system: string,
  result: Measurement | string,
): void {
  const text = typeof result === "string"
    ? result
    : `${
      Math.round(result.opsPerSecond)
    }/s, p50 ${result.latencyUs.p50} µs, p99 ${result.latencyUs.p99} µs`;
  say(`round ${round}  ${scenario.name}  ${system}: ${text}`);
}

/** Opens a system in a directory of its own; one that is not there becomes a row that says so. */
export async function openCandidate(
  system: System,
  work: string,
  task: string,
  signal: AbortSignal,
): Promise<Candidate> {
  const { name } = system;
  const supports = (scenario: Scenario): boolean => system.supports(scenario);
  const directory = await Deno.makeTempDir({ dir: work });
  try {
    return { name, supports, peer: await system.open({ directory, signal }) };
  } catch (error) {
    signal.throwIfAborted();
    const missing = error instanceof NotInstalled
      ? `not installed: run ./tools/deno task ${task} --install`
      : reasonOf(error);
    say(`${name}: ${missing}`);
    return { name, supports, peer: { missing } };
  }
}

/** The run was called off by a signal. */
class Interrupted extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super("Called off");
    this.exitCode = exitCode;
  }
}

/** A first signal ends the run in order: every wait ends, servers stop, files go. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const [name, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(name, () => controller.abort(new Interrupted(code)));
  }
  return controller.signal;
}

/**
 * Runs a benchmark and ends the process.
 *
 * @param task Its name among the project's tasks.
 * @param run Answers the exit code.
 */
export async function runCommand(
  task: string,
  run: (signal: AbortSignal) => Promise<number>,
): Promise<never> {
  Deno.exit(await exitCodeOf(task, run));
}

async function exitCodeOf(
  task: string,
  run: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  try {
    return await run(abortOnSignals());
  } catch (error) {
    say(`error: ${reasonOf(error)}`);
    if (error instanceof Interrupted) return error.exitCode;
    if (!(error instanceof UsageError)) return 1;
    say(`hint: ./tools/deno task ${task} --help`);
    return 2;
  }
}
