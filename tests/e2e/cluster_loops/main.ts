/**
 * What three replicas promise, tried on real processes and disks for as long as asked.
 *
 *     deno run --allow-all tests/e2e/cluster_loops/main.ts --program dist/allocdb --seed 7
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, resolve } from "@std/path";
import type { Program } from "../../../node/process_self.ts";
import { type LoopReport, runClusterLoops } from "./loops.ts";

const USAGE = `Usage: ./tools/deno task cluster-loops [FLAGS]

  --kills N       Rounds in which replicas are killed (default 100)
  --partitions N  Rounds with cut or bad links (default 100)
  --disks N       Rounds with a failing disk (default 50)
  --pauses N      Rounds in which the primary sleeps (default 20)
  --wipes N       Rounds in which a backup loses its data (default 5)
  --storms N      Rounds with several of these at once (default 25)
  --seed N        What is drawn (default 1)
  --program PATH  The program under test; the sources unless given
  --directory DIR An empty or new directory for the workspace and the history, kept at the end;
                  one in the system's place for such things unless given, kept after a violation

Ctrl-C ends the loops after the round under way.`;

const COUNTS = {
  kills: 100,
  partitions: 100,
  disks: 50,
  pauses: 20,
  wipes: 5,
  storms: 25,
  seed: 1,
};

/** The program from its sources. */
export const SOURCES: Program = {
  path: Deno.execPath(),
  args: [
    ...["run", "--allow-all", "--no-check", "--quiet"],
    fromFileUrl(new URL("../../../cli.ts", import.meta.url)),
  ],
};

function usageError(message: string): never {
  console.error(`error: ${message}\n\n${USAGE}`);
  Deno.exit(2);
}

function countOf(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) usageError(`--${name} needs a count, not ${text}`);
  return Number(text);
}

/** The quantile of what was measured, in whole milliseconds; nothing of nothing. */
function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(Math.floor(sorted.length * share), sorted.length - 1);
  return sorted.length === 0 ? "none" : `${sorted[at]!.toFixed(0)} ms`;
}

function summary(report: LoopReport): string {
  const { failoverMs, settleMs } = report;
  return [
    `rounds           ${report.rounds}`,
    `acknowledged     ${report.acknowledged}; ${report.indefinite} more in doubt to the end, ` +
    `${report.rejected} refused`,
    `retried          ${report.retried}`,
    `reads checked    ${report.reads}; ${report.readsFailed} more had no answer`,
    `log              ${report.ops} ops`,
    `failovers        ${failoverMs.length}, median ${quantile(failoverMs, 0.5)}, ` +
    `max ${quantile(failoverMs, 1)}`,
    `settled          median ${quantile(settleMs, 0.5)}, max ${quantile(settleMs, 1)}`,
    `helped           ${report.restartsByOperator} replicas were started again after their fault was over`,
    `violations       ${report.violations.length}`,
  ].join("\n");
}

async function main(): Promise<number> {
  const names = Object.keys(COUNTS) as (keyof typeof COUNTS)[];
  const flags = parseArgs(Deno.args, {
    string: [...names, "program", "directory"],
    boolean: "help",
    unknown: (text) => usageError(`there is no ${text}`),
  });
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  const count = (name: keyof typeof COUNTS): number =>
    flags[name] === undefined ? COUNTS[name] : countOf(name, flags[name]);
  const { program, directory } = flags;
  if (directory !== undefined) await Deno.mkdir(directory, { recursive: true });
  const place = await Deno.realPath(
    directory ?? await Deno.makeTempDir({ prefix: "allocdb-loops-" }),
  );
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interruption.abort());
  }
  const report = await runClusterLoops({
    rounds: {
      ...{ kill: count("kills"), partition: count("partitions"), disk: count("disks") },
      ...{ pause: count("pauses"), wipe: count("wipes"), storm: count("storms") },
    },
    seed: count("seed"),
    program: program === undefined ? SOURCES : { path: resolve(program), args: [] },
    directory: place,
    signal: interruption.signal,
    onRound: (line) => console.log(line),
  });
  console.log(summary(report));
  for (const violation of report.violations) console.error(`violation: ${violation}`);
  const isClean = report.violations.length === 0;
  if (!isClean) console.error(`workspace and history are kept in ${place}`);
  else if (directory === undefined) await Deno.remove(place, { recursive: true });
  return isClean ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
