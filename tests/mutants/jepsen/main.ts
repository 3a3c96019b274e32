/**
 * Plants each bug in a copy of the sources, puts replicas of it under test and lets the judge of this very tree look at what
 * their clients saw: `deno task mutants:jepsen --only NAME --seed N --keep DIR`. With `--sound` the same runs are made of
 * sources without a bug, and have to pass. Ends with 1 when a bug passes, or a run without one does not.
 */
import { parseArgs } from "@std/cli/parse-args";
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import type { Edit } from "../mutant.ts";
import { plant } from "../plant.ts";
import { REAL_MUTANTS } from "./catalogue.ts";
import { type Judged, judgeRun } from "./judge_run.ts";
import type { RealMutant, Torture } from "./real_mutant.ts";

/** How runs are made. */
interface Trial {
  readonly seed: number;
  readonly tries: number;
  /** Where what they leave behind is kept. */
  readonly keep: string | undefined;
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, {
    string: ["only", "seed", "keep", "tries"],
    boolean: ["sound"],
  });
  const chosen = flags.only === undefined ? REAL_MUTANTS : flags.only.split(",").map(mutantOf);
  const trial = {
    seed: Number(flags.seed ?? 1),
    tries: Number(flags.tries ?? 2),
    keep: flags.keep,
  };
  const isPassed = flags.sound ? await areSound(chosen, trial) : await areFound(chosen, trial);
  Deno.exitCode = isPassed ? 0 : 1;
}

function mutantOf(wanted: string): RealMutant {
  const found = REAL_MUTANTS.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no planted bug is called ${wanted}`);
  return found;
}

async function areFound(mutants: readonly RealMutant[], trial: Trial): Promise<boolean> {
  const missed: string[] = [];
  for (const mutant of mutants) {
    const { name, what, edits, checks } = mutant;
    const isFound = ({ failed }: Judged): boolean => checks.every((one) => failed.includes(one));
    const judged = await tried(name, mutant, edits, trial, isFound);
    const { failed, seconds, sentence } = judged;
    const by = `in ${seconds.toFixed(0)} s, failed: ${failed.join(", ") || "nothing"}: ${sentence}`;
    if (!isFound(judged)) missed.push(name);
    console.log(isFound(judged) ? `found  ${name} ${by}` : `MISSED ${name}: ${what}; ${by}`);
  }
  console.log(`${mutants.length - missed.length} of ${mutants.length} planted bugs were found`);
  if (missed.length > 0) console.log(`not found: ${missed.join(" ")}`);
  return missed.length === 0;
}

/** Each treatment once. What is sound passes every time, so there is no second try. */
async function areSound(mutants: readonly RealMutant[], trial: Trial): Promise<boolean> {
  const tortures = new Map(mutants.map((mutant) => [nameOf(mutant), mutant]));
  let isSound = true;
  for (const [name, torture] of tortures) {
    const judged = await tried(name, torture, [], { ...trial, tries: 1 }, isPassed);
    const { verdict, failed, seconds, sentence } = judged;
    if (!isPassed(judged)) isSound = false;
    const what = isPassed(judged) ? "passed " : "BLOCKED";
    console.log(
      `${what} ${name} in ${seconds.toFixed(0)} s: ${[verdict, ...failed].join(" ")} ${sentence}`,
    );
  }
  return isSound;
}

function isPassed({ code, verdict }: Judged): boolean {
  return code === 0 && verdict === "valid";
}

function nameOf({ workload, nemesis, windowSecs }: Torture): string {
  return `${workload}-${nemesis}-${windowSecs}`;
}

/** Real time is a chance: a run that does not show it may be followed by another one with the next seed. */
async function tried(
  name: string,
  torture: Torture,
  edits: readonly Edit[],
  { seed, tries, keep }: Trial,
  isEnough: (judged: Judged) => boolean,
): Promise<Judged> {
  const directory = await Deno.makeTempDir({ prefix: "allocdb-mutant-" });
  try {
    const sources = join(directory, "sources");
    await plant(sources, edits, "cluster");
    for (let i = 0;; i++) {
      const out = join(keep ?? directory, `${name}-${seed + i}`);
      await ensureDir(out);
      const judged = await judgeRun(torture, { sources, out, seed: seed + i });
      if (isEnough(judged) || i + 1 >= tries) return judged;
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
