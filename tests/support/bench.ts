/** Whole runs of `allocdb bench` that take a moment. */
import { fromFileUrl } from "@std/path";
import { runBench } from "../../node/bench/main.ts";
import type { BenchSizes } from "../../node/bench/sizes.ts";
import type { BenchOptions, Scenario } from "../../node/cli/options.ts";
import { type TestIo, testIo } from "./cli_io.ts";

const CLI = fromFileUrl(new URL("../../cli.ts", import.meta.url));
const PROGRAM = { path: Deno.execPath(), args: ["run", "--allow-all", CLI] };

const MOMENT: BenchSizes = {
  engineResources: 100,
  engineHeld: 10,
  engineHot: 10,
  engineCommandsPerSlot: 10,
  engineCommands: 5_000,
  loadSeconds: 0.1,
  warmupSeconds: 0.05,
  connections: 4,
  batchCommands: 32,
  latencySeconds: 0.2,
  rateSeconds: 0.1,
  ratesPerSecond: [100, 200],
  recoveryFrames: 3_000,
  checkpointRecords: 500,
  checkpointBaselineSeconds: 0.05,
};

const OPTIONS: Omit<BenchOptions, "scenario"> = {
  hotspotRounds: 8,
  hotspotContenders: 3,
  retryTableCapacity: 5,
  retryDuplicateFanout: 2,
  retryFullRejectionAttempts: 3,
  json: false,
};

/** Runs a scenario, or all, on sizes of a moment. */
export async function bench(
  scenario: Scenario,
  more: Partial<BenchOptions> = {},
  io: TestIo = testIo(),
): Promise<TestIo> {
  await runBench({ ...OPTIONS, scenario, ...more }, { io, program: PROGRAM, sizes: MOMENT });
  return io;
}

/** Lends a directory, and removes it. */
export async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
