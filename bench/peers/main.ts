// AllocDB beside its peers: same machine, same disk, same minutes. See bench/README.md.
import { fromFileUrl, resolve } from "@std/path";
import { allocdb } from "./allocdb.ts";
import { installPeers } from "./install.ts";
import { describeMachine } from "./machine.ts";
import { type Measurement, NotInstalled, type Scenario, type System } from "./measurement.ts";
import { type Options, parseOptions, USAGE, UsageError } from "./options.ts";
import { POSTGRESQL } from "./postgresql.ts";
import { DISK_APPEND, DISK_OVERWRITE } from "./raw_disk.ts";
import { REDIS } from "./redis.ts";
import { renderReport } from "./report.ts";
import { type Candidate, reasonOf, runRounds } from "./rounds.ts";
import { isGap, type Report, summarize } from "./summary.ts";

const DEFAULT_DATA = fromFileUrl(new URL("../../dist/bench", import.meta.url));
const INSTALL_HINT = "not installed: run ./tools/deno task bench:peers --install";

/** Progress and complaints; standard output is for the report alone. */
function say(line: string): void {
  console.error(line);
}

function sayResult(
  round: number,
  scenario: Scenario,
  system: string,
  result: Measurement | string,
): void {
  const text = typeof result === "string"
    ? result
    : `${Math.round(result.opsPerSecond)}/s, p50 ${result.latencyUs.p50} µs`;
  say(`round ${round}  ${scenario.name}  ${system}: ${text}`);
}

/** Opens a system in a directory of its own; one that is not there becomes a row that says so. */
async function candidateOf(
  system: System,
  work: string,
  signal: AbortSignal,
): Promise<Candidate> {
  const { name } = system;
  const supports = (scenario: Scenario): boolean => system.supports(scenario);
  const directory = await Deno.makeTempDir({ dir: work });
  try {
    return { name, supports, peer: await system.open({ directory, signal }) };
  } catch (error) {
    signal.throwIfAborted();
    const missing = error instanceof NotInstalled ? INSTALL_HINT : reasonOf(error);
    say(`${name}: ${missing}`);
    return { name, supports, peer: { missing } };
  }
}

async function measureAll(options: Options, work: string, signal: AbortSignal): Promise<Report> {
  const startedAt = new Date().toISOString();
  const machine = await describeMachine(work);
  if (machine.fileSystem === "tmpfs") {
    say("warning: tmpfs has no disk to sync; choose another --data");
  }
  const all = [DISK_APPEND, DISK_OVERWRITE, REDIS, POSTGRESQL, allocdb(options.allocdb)];
  const candidates: Candidate[] = [];
  for (const system of all.filter(({ name }) => options.systems.includes(name))) {
    candidates.push(await candidateOf(system, work, signal));
  }
  const rows = await runRounds(candidates, { ...options, signal, onResult: sayResult });
  const systems = candidates.flatMap(({ name, peer }) =>
    "missing" in peer ? [] : [{ name, version: peer.version, settings: peer.settings }]
  );
  return { startedAt, seconds: options.seconds, machine, systems, ...summarize(rows) };
}

/** Everything between the command line and the exit code; leaves nothing on the disk. */
async function run(options: Options, signal: AbortSignal): Promise<number> {
  if (options.install) await installPeers(signal, say);
  const data = resolve(options.data ?? DEFAULT_DATA);
  await Deno.mkdir(data, { recursive: true });
  const work = await Deno.makeTempDir({ dir: data, prefix: "peers." });
  await Deno.chmod(work, 0o711); // PostgreSQL's user has to pass through.
  try {
    const report = await measureAll(options, work, signal);
    console.log(options.json ? JSON.stringify(report, null, 2) : renderReport(report));
    return report.rows.some(isGap) ? 1 : 0;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** A first signal ends the run in order: every wait ends, servers stop, files go. */
function abortOnSignals(): AbortController {
  const controller = new AbortController();
  for (const [name, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(name, () => controller.abort(new Interrupted(code)));
  }
  return controller;
}

class Interrupted extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super("Called off");
    this.exitCode = exitCode;
  }
}

async function main(): Promise<number> {
  try {
    const options = parseOptions(Deno.args);
    if (!options.help) return await run(options, abortOnSignals().signal);
    console.log(USAGE);
    return 0;
  } catch (error) {
    say(`error: ${reasonOf(error)}`);
    if (error instanceof Interrupted) return error.exitCode;
    if (!(error instanceof UsageError)) return 1;
    say("hint: ./tools/deno task bench:peers --help");
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main());
