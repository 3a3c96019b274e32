/** `allocdb bench`: scenarios one after the other, each in an empty directory, and what came out of them. */
import { wantsColor } from "../cli/color.ts";
import { type CliIo, processIo } from "../cli/io.ts";
import type { BenchOptions, Scenario } from "../cli/options.ts";
import { DiskFault } from "../disk.ts";
import { CliError } from "../errors.ts";
import { DenoDisk } from "../io/deno_disk.ts";
import { type Program, selfProgram } from "../process_self.ts";
import { checkpoint } from "./checkpoint.ts";
import { runEngineMix } from "./engine_mix.ts";
import { engineReport } from "./engine_report.ts";
import { hotspotReport, runHotspot } from "./hotspot.ts";
import { latency } from "./latency.ts";
import { LOAD_CONFIG, RATE_MAX } from "./load_bounds.ts";
import { describeMachine } from "./machine.ts";
import { recovery } from "./recovery.ts";
import { renderJson, renderLegend, renderMachine, renderScenario } from "./render.ts";
import { retryReport, runRetryPressure } from "./retry_pressure.ts";
import { type BenchContext, type Figures, interrupted, type ScenarioReport } from "./scenario.ts";
import { type BenchSizes, FULL_SIZES, SHORT_SIZES } from "./sizes.ts";
import { throughput } from "./throughput.ts";
import { Workspace } from "./workspace.ts";

/** What a run reaches outside; tests bring their own. */
export interface BenchOutside {
  readonly io: CliIo;
  /** How a server process is started. */
  readonly program: Program;
  /** Short for all scenarios, full for one, unless given. */
  readonly sizes?: BenchSizes;
}

type Run = (context: BenchContext, options: BenchOptions) => Promise<ScenarioReport>;

/** Every scenario, in the order of a run of all. */
const RUNS: Readonly<Record<Exclude<Scenario, "all">, Run>> = {
  "one-resource-many-contenders": hotspot,
  "high-retry-pressure": retryPressure,
  throughput,
  latency,
  recovery,
  checkpoint,
  engine,
};

/**
 * Measures this machine.
 *
 * @param options What was asked for, checked.
 * @param outside What it reaches outside.
 * @throws {CliError} When it cannot measure, is interrupted, or a result is none that a correct build gives.
 */
export async function runBench(
  options: BenchOptions,
  outside: BenchOutside = { io: processIo(), program: selfProgram() },
): Promise<void> {
  const { io } = outside;
  const startedAt = new Date().toISOString();
  using workspace = new Workspace(options.data);
  const machine = describeMachine(workspace.path);
  const color = wantsColor(io, io.out, undefined);
  if (!options.json) io.out.write(renderMachine(machine));
  const reports: ScenarioReport[] = [];
  const signal = io.interruption();
  for (const name of scenarios(options)) {
    const report = await runOne(name, options, outside, workspace, signal);
    reports.push(report);
    if (!options.json) io.out.write(renderScenario(report, machine, color));
  }
  if (options.json) {
    io.out.write(
      renderJson(machine, startedAt, settings(options, sizesOf(options, outside)), reports),
    );
  } else io.out.write(renderLegend(machine, reports));
}

function scenarios({ scenario }: BenchOptions): Exclude<Scenario, "all">[] {
  if (scenario !== "all") return [scenario];
  return Object.keys(RUNS) as Exclude<Scenario, "all">[];
}

async function runOne(
  name: Exclude<Scenario, "all">,
  options: BenchOptions,
  outside: BenchOutside,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<ScenarioReport> {
  const { io, program } = outside;
  const sizes = sizesOf(options, outside);
  // A terminal gets to see that something is going on; whoever reads a pipe wants figures only.
  const progress = (text: string): void => {
    if (io.err.isTerminal) io.err.write(`${name}: ${text}\n`);
  };
  try {
    return await workspace.lend(async (directory) => {
      const context = { directory, sizes, program, signal, progress };
      return await RUNS[name](context, options);
    });
  } catch (error) {
    // Ctrl-C reaches our servers, too: what breaks then is no news.
    if (signal.aborted) throw interrupted();
    throw error instanceof DiskFault ? diskFailed(error) : error;
  }
}

function diskFailed(fault: DiskFault): CliError {
  const code = fault.kind === "disk_full" ? "E_DISK_FULL" : "E_IO";
  return new CliError(code, `the disk failed while measuring: ${fault.message}`, { cause: fault });
}

async function hotspot(context: BenchContext, options: BenchOptions): Promise<ScenarioReport> {
  const sizes = { rounds: options.hotspotRounds, contenders: options.hotspotContenders };
  const { signal, progress } = context;
  const run = async (together: boolean): ReturnType<typeof runHotspot> => {
    const directory = Deno.makeTempDirSync({ dir: context.directory });
    return await runHotspot(new DenoDisk(directory), sizes, together, signal);
  };
  await run(true); // The compiler has seen everything once it counts.
  progress("one at a time");
  const apart = await run(false);
  progress("at the same time");
  return hotspotReport(sizes, apart, await run(true));
}

async function retryPressure(
  { directory, signal, progress }: BenchContext,
  options: BenchOptions,
): Promise<ScenarioReport> {
  const sizes = {
    capacity: options.retryTableCapacity,
    fanout: options.retryDuplicateFanout,
    attempts: options.retryFullRejectionAttempts,
  };
  progress("fill, retry, overfill, recover");
  return retryReport(sizes, await runRetryPressure(new DenoDisk(directory), sizes, signal));
}

async function engine({ sizes, signal, progress }: BenchContext): Promise<ScenarioReport> {
  const { engineResources: resources, engineHot: hot, engineCommands: commands } = sizes;
  const all = {
    resources,
    wanted: resources,
    held: sizes.engineHeld,
    commands,
    commandsPerSlot: sizes.engineCommandsPerSlot,
  };
  const few = { ...all, wanted: hot, held: hot >>> 1 };
  progress("all resources wanted");
  const spread = await runEngineMix(all, signal);
  progress("few resources wanted");
  return engineReport(all, spread, few, await runEngineMix(few, signal));
}

function sizesOf(options: BenchOptions, outside: BenchOutside): BenchSizes {
  return outside.sizes ?? (options.scenario === "all" ? SHORT_SIZES : FULL_SIZES);
}

function settings(options: BenchOptions, sizes: BenchSizes): Figures {
  const { core } = LOAD_CONFIG;
  return {
    scenario: options.scenario,
    hotspot_rounds: options.hotspotRounds,
    hotspot_contenders: options.hotspotContenders,
    retry_table_capacity: options.retryTableCapacity,
    retry_duplicate_fanout: options.retryDuplicateFanout,
    retry_full_rejection_attempts: options.retryFullRejectionAttempts,
    sizes: snakeKeys(sizes),
    load_bounds: {
      slot_duration_ms: core.slotDurationMs,
      max_operations: core.maxOperations,
      max_ttl_slots: core.maxTtlSlots,
      max_client_retry_window_slots: core.maxClientRetryWindowSlots,
      reservation_history_window_slots: core.reservationHistoryWindowSlots,
      commands_per_second_max: Math.floor(RATE_MAX),
    },
  };
}

function snakeKeys(values: object): Figures {
  const snake = (name: string): string =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [snake(name), value]));
}
