/** The program `allocdb`: the table of what it loads when, and the one place that picks an exit code. */
import { type CliIo, processIo } from "./node/cli/io.ts";
import { type Runners, runProgram } from "./node/cli/program.ts";
import { reportFailure } from "./node/cli/report.ts";

/** Literal specifiers: lazy, yet compiled in. */
const RUNNERS: Runners = {
  runServe: async (options) => await (await import("./node/main.ts")).runServe(options),
  runReplica: async (options) =>
    await (await import("./cluster/daemon/main.ts")).runReplica(options),
  locateReplica: async (workspace, replicaId) =>
    await (await import("./cluster/daemon/locate.ts")).locateReplica(workspace, replicaId),
  runCluster: async (request, io) =>
    await (await import("./cluster/main.ts")).runCluster(request, io),
  runDemo: async (options) => await (await import("./cluster/demo/main.ts")).runDemo(options),
  runSim: async (options, io) => await (await import("./testbed/sim/main.ts")).runSim(options, io),
  runJepsen: async (request, io) =>
    await (await import("./testbed/jepsen/main.ts")).runJepsen(request, io),
  runBench: async (options) => await (await import("./node/bench/main.ts")).runBench(options),
};

/**
 * Runs one command line.
 *
 * @param argv The words after the program's name.
 * @param io The outside; tests bring their own.
 * @param runners What the long-running commands load; tests bring their own.
 * @returns The exit code, see docs/cli.md#exit-codes.
 */
export async function main(
  argv: readonly string[],
  io: CliIo = processIo(),
  runners: Runners = RUNNERS,
): Promise<number> {
  try {
    await runProgram({ io, argv }, runners);
    return 0;
  } catch (error) {
    return reportFailure(error, argv, io);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
