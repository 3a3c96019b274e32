/** Which runs need not be run again: those whose bundle is whole and was made with the same settings. */
import { join } from "@std/path";
import { checkFiles } from "./check_bundle.ts";
import type { Manifest, RunSettings } from "./manifest.ts";
import { fileNameOf } from "./paths.ts";

/** A run that is done. */
export interface DoneRun {
  readonly bundle: string;
  readonly manifest: Manifest;
}

/** Why a bundle does not stand for a run; nothing when it does. */
export function differenceOf(
  manifest: Manifest,
  runId: string,
  wanted: RunSettings,
  isAnySeedFine = false,
): string | undefined {
  if (manifest.runId !== runId) return `it is of ${manifest.runId}`;
  if (manifest.facts.problem !== undefined) return "the run broke off";
  const names = Object.keys(wanted) as (keyof RunSettings)[];
  const other = names.filter((name) => name !== "seed" || !isAnySeedFine).find((name) =>
    wanted[name] !== manifest.settings[name] && !isWithoutEffect(name, wanted)
  );
  if (other === undefined) return undefined;
  return `${other} was ${manifest.settings[other] ?? "none"} and is ${wanted[other] ?? "none"}`;
}

/** How long runs without faults take says nothing of the others. */
function isWithoutEffect(name: keyof RunSettings, { windowSecs }: RunSettings): boolean {
  return name === "controlSecs" && windowSecs !== undefined;
}

/**
 * The newest bundle below an output root that stands for a run.
 *
 * @param notice Told of each bundle of that run that does not, and why.
 */
export async function findDone(
  outputRoot: string,
  runId: string,
  wanted: RunSettings,
  notice: (text: string) => void,
  isAnySeedFine = false,
): Promise<DoneRun | undefined> {
  for (const name of await bundleNames(outputRoot, runId)) {
    const bundle = join(outputRoot, name);
    const { manifest, problems } = await checkFiles(bundle);
    const difference = problems[0] ?? differenceOf(manifest!, runId, wanted, isAnySeedFine);
    if (difference === undefined) return { bundle, manifest: manifest! };
    notice(`${name} does not stand for ${runId}: ${difference}`);
  }
  return undefined;
}

/** The newest first. */
async function bundleNames(outputRoot: string, runId: string): Promise<readonly string[]> {
  const prefix = `${fileNameOf(runId)}-`;
  const found: { readonly name: string; readonly millis: number }[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(outputRoot)) {
      const millis = name.slice(prefix.length);
      if (!isDirectory || !name.startsWith(prefix) || !/^[0-9]{1,15}$/.test(millis)) continue;
      found.push({ name, millis: Number(millis) });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) => b.millis - a.millis).map(({ name }) => name);
}
