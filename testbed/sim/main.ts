/** `allocdb sim`: whole clusters in virtual time, by the seed. Source: docs/simulator.md. */
import type { CliIo } from "../../node/cli/io.ts";
import { show } from "../../node/cli/output.ts";
import type { SimOptions } from "../../node/cli/sim_options.ts";
import { type Program, selfProgram } from "../../node/process_self.ts";
import { costData, CostMeter, costText } from "./command/cost.ts";
import { readText, writeText } from "./command/files.ts";
import { Lives } from "./command/lives.ts";
import { liveMany } from "./command/many.ts";
import { liveOne } from "./command/one.ts";
import { parsePlan, PLAN_BYTES_MAX } from "./command/plan_file.ts";
import type { Simulator } from "./command/sim_life.ts";
import { playScript } from "./command/script.ts";
import { SIMULATOR } from "./command/simulator.ts";
import { serveSeeds } from "./command/worker.ts";

/** What is around the command; tests bring their own. */
export interface SimOutside {
  readonly simulator: Simulator;
  /** What to start as a process that lives lives. */
  readonly program: Program;
}

/**
 * Runs the simulator.
 *
 * @param options Checked flags.
 * @param io The outside.
 * @param outside The simulator, and this program.
 * @throws {CliError} E_CHECK_FAILED when a promise was broken, E_BAD_PLAN, E_INTERRUPTED on Ctrl-C.
 */
export async function runSim(
  options: SimOptions,
  io: CliIo,
  outside: SimOutside = { simulator: SIMULATOR, program: selfProgram() },
): Promise<void> {
  if (options.cost === undefined) return await run(options, io, outside);
  const meter = new CostMeter();
  await meter.start();
  try {
    await run(options, io, outside);
  } finally {
    await tellCost(meter, options, io);
  }
}

async function run(
  options: SimOptions,
  io: CliIo,
  { simulator, program }: SimOutside,
): Promise<void> {
  const { lives: which, profile, stepsMax } = options;
  const lives = new Lives({ simulator, profile, stepsMax, nowMs: () => performance.now() });
  switch (which.kind) {
    case "worker":
      return await serveSeeds((seed) => lives.seed(seed), io);
    case "seeds":
      return await liveMany({ options, seeds: which, io, lives, program });
    case "seed":
      return await liveOne({ options, plan: lives.planOf(which.seed), io, lives });
    case "script":
      return await playScript(which, options.style, io);
    case "plan": {
      const plan = parsePlan(readText(which.file, PLAN_BYTES_MAX), which.file);
      return await liveOne({ options, plan, io, lives });
    }
  }
}

async function tellCost(meter: CostMeter, options: SimOptions, io: CliIo): Promise<void> {
  const profile = await meter.stop();
  const { cost, style } = options;
  if (typeof cost === "object") return writeText(cost.file, JSON.stringify(profile));
  if (style.quiet) return;
  if (style.format === "table") return io.out.write(costText(profile));
  await show(io, { data: costData(profile) }, style);
}
