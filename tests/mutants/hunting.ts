/** Lets a process of its own look for a planted bug, in a copy of the sources that has it. */
import { join } from "@std/path";
import type { Mutant } from "./mutant.ts";
import { plant, ROOT } from "./plant.ts";

/** How a hunt ended. */
export interface Hunt {
  /** The seed that showed the bug, and how many were lived until then. */
  readonly seed?: number;
  readonly seeds: number;
  readonly events: number;
  /** What was broken; absent when nothing was. */
  readonly promise?: string;
}

const HUNT_MS_MAX = 900_000;
const HUNTER = "tests/mutants/hunt.ts";

/**
 * Plants a bug and looks for it.
 *
 * @param mutant The bug.
 * @param from The first seed.
 * @param seeds How many at most.
 * @throws {Error} When the hunter dies: then it has found nothing, whatever ended it.
 */
export async function hunt(mutant: Mutant, from: number, seeds: number): Promise<Hunt> {
  const directory = await Deno.makeTempDir({ prefix: "allocdb-mutant-" });
  try {
    await plant(directory, mutant.edits);
    return await run(directory, mutant, from, seeds);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Whether a seed is sound without the bug: one that is not says nothing about it. */
export async function isSoundWithout(mutant: Mutant, seed: number): Promise<boolean> {
  return (await run(ROOT, mutant, seed, 1)).promise === undefined;
}

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
