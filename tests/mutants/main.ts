/**
 * Plants each bug in a copy of the sources and lets the simulator look for it: a simulator that misses planted
 * bugs proves nothing. `deno task mutants --only NAME --jobs 2 --seeds N`; ends with 1 when one is not found.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { MUTANTS } from "./catalogue.ts";
import type { Mutant } from "./mutant.ts";
import { plant, ROOT } from "./plant.ts";

/** How a hunt ended. */
interface Hunt {
  /** The seed that showed the bug, and how many were lived until then. */
  readonly seed?: number;
  readonly seeds: number;
  readonly events: number;
  /** What was broken; absent when nothing was. */
  readonly promise?: string;
}

const HUNT_MS_MAX = 900_000;
const HUNTER = "tests/mutants/hunt.ts";

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["only", "jobs", "seeds", "from"] });
  const names = flags.only?.split(",");
  const mutants = MUTANTS.filter(({ name }) => names === undefined || names.includes(name));
  const missed = await huntAll(mutants, Number(flags.jobs ?? 2), {
    from: Number(flags.from ?? 1),
    seeds: flags.seeds === undefined ? undefined : Number(flags.seeds),
  });
  console.log(`${mutants.length - missed.length} of ${mutants.length} planted bugs were found`);
  if (missed.length > 0) console.log(`not found: ${missed.join(" ")}`);
  Deno.exitCode = missed.length > 0 || mutants.length === 0 ? 1 : 0;
}

/** Hunts some at a time; answers the names of those that were not found. */
async function huntAll(
  mutants: readonly Mutant[],
  jobs: number,
  which: { readonly from: number; readonly seeds: number | undefined },
): Promise<string[]> {
  const waiting = [...mutants];
  const missed: string[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const hunt = await huntOne(mutant, which.from, which.seeds ?? mutant.seedsMax);
      const isFound = hunt.seed !== undefined && await isKeptWithout(mutant, hunt.seed);
      if (!isFound) missed.push(mutant.name);
      console.log(describe(mutant, hunt, isFound));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return missed;
}

async function huntOne(mutant: Mutant, from: number, seeds: number): Promise<Hunt> {
  const directory = await Deno.makeTempDir({ prefix: "allocdb-mutant-" });
  try {
    await plant(directory, mutant.edits);
    return await run(directory, mutant, from, seeds);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A seed that fails without the bug as well says nothing about it. */
async function isKeptWithout(mutant: Mutant, seed: number): Promise<boolean> {
  return (await run(ROOT, mutant, seed, 1)).promise === undefined;
}

/** A hunter that dies has found nothing: whatever ended it, no judge named it. */
async function run(root: string, mutant: Mutant, from: number, seeds: number): Promise<Hunt> {
  const flags = ["run", "--allow-all", "--no-check", "--quiet"];
  const which = [mutant.profile ?? "ci", String(from), String(seeds)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...flags, join(root, HUNTER), ...which],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(HUNT_MS_MAX),
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`The hunt for ${mutant.name} ended: ${text.decode(stderr)}`);
  return JSON.parse(text.decode(stdout));
}

function describe({ name, what }: Mutant, { seeds, promise }: Hunt, isFound: boolean): string {
  if (promise === undefined) return `MISSED ${name}: ${what}; ${seeds} seeds`;
  const first = promise.split("\n", 1).join("").slice(0, 120);
  if (isFound) return `found  ${name} at seed ${seeds}: ${first}`;
  return `MISSED ${name}: seed ${seeds} fails without it, too: ${first}`;
}
