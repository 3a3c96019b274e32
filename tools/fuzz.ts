// Feeds every decoder and parser, the server, the gateway, the log and the engine with damaged input for as
// long as asked. What it finds it keeps in tests/corpus/fuzz, with the line that repeats it.
// How it works, and how to add a target: docs/testing.md.
import { CORPUS, corpusFile, keepInput, readInput } from "./fuzz/corpus.ts";
import { type Options, parseOptions, USAGE, UsageError } from "./fuzz/options.ts";
import { EXIT_CODES, formatFailure, formatTally, verdictOf } from "./fuzz/report.ts";
import { inputOf, judge, type Tally } from "./fuzz/run.ts";
import { hexOf, type Target } from "./fuzz/target.ts";
import { allTargets } from "./fuzz/targets/all.ts";
import { runInThread } from "./fuzz/thread.ts";

/** Longest that one case may take, in milliseconds; they take microseconds, those with sockets a few ms. */
const HANG_MS = 60_000;

/** Runs the targets for their share of the time. Answers the exit code. */
async function runAll(targets: readonly Target[], options: Options): Promise<number> {
  const seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
  const msMax = options.cases === undefined ? options.seconds * 1_000 / targets.length : Infinity;
  const casesMax = options.cases ?? Infinity;
  console.log(`seed ${seed}, ${targets.length} targets`);
  const tallies: Tally[] = [];
  const onTally = async (tally: Tally): Promise<void> => {
    tallies.push(tally);
    console.log(formatTally(targets.find(({ name }) => name === tally.target)!, tally));
    const { failure } = tally;
    if (failure === undefined) return;
    const file = corpusFile(failure.target, failure.seed, failure.caseNumber);
    console.log(formatFailure(failure, await keepInput(CORPUS, file, failure.input)));
  };
  await runInThread({ targets, seed, msMax, casesMax, hangMs: HANG_MS, onTally });
  const verdict = verdictOf(targets, tallies);
  const cases = tallies.reduce((sum, tally) => sum + tally.cases, 0);
  console.log(`${verdict}: ${cases.toLocaleString("en-US")} cases, seed ${seed}`);
  return EXIT_CODES[verdict];
}

/** Runs one input and says how it ended. Answers the exit code. */
async function runOne(target: Target, input: Uint8Array): Promise<number> {
  console.log(`${target.name}: ${input.length} bytes ${hexOf(input, 2_000)}`);
  const verdict = await judge(target, input);
  await target.close?.();
  console.log(verdict.kind === "ended" ? verdict.outcome : `FAILED: ${verdict.message}`);
  return EXIT_CODES[verdict.kind === "ended" ? "passed" : "failed"];
}

async function main(args: readonly string[]): Promise<number> {
  const all = allTargets();
  const options = parseOptions(args, all.map(({ name }) => name));
  if (options.help) return print(USAGE);
  if (options.list) return print(all.map(({ name }) => `${name}\n`).join(""));
  if (options.replay !== undefined) {
    const { target, bytes } = await readInput(options.replay);
    const found = all.find(({ name }) => name === target);
    if (found === undefined) throw new UsageError(`There is no target '${target}'`);
    return await runOne(found, bytes);
  }
  const { targets, seed, caseNumber } = options;
  const chosen = targets.length === 0 ? all : all.filter(({ name }) => targets.includes(name));
  if (caseNumber === undefined) return await runAll(chosen, options);
  return await runOne(chosen[0]!, inputOf(chosen[0]!, seed!, caseNumber));
}

function print(text: string): number {
  console.log(text.trimEnd());
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`error: ${error.message}\n\n${USAGE}`);
    Deno.exit(2);
  }
}
