/** A copy of the sources with a bug in it, to be run beside the real ones. */
import { copy, ensureDir } from "@std/fs";
import { dirname, fromFileUrl, join } from "@std/path";
import type { Edit } from "./mutant.ts";

/** The project. */
export const ROOT = fromFileUrl(new URL("../..", import.meta.url));

const SHARED = ["core", "node", "std", "testbed", "deno.json", "deno.lock"];

/** What a simulation needs of it, and what replicas do. */
const PARTS = {
  simulation: [...SHARED, "tests/mutants/hunt.ts"],
  cluster: [...SHARED, "cluster", "cli.ts"],
} as const;

/**
 * Copies the sources and plants a bug.
 *
 * @param into An empty directory.
 * @param edits The bug; none plants none.
 * @param use What the copy is for.
 * @throws {Error} When the text to replace does not stand in its file exactly once.
 */
export async function plant(
  into: string,
  edits: readonly Edit[],
  use: keyof typeof PARTS = "simulation",
): Promise<void> {
  for (const part of PARTS[use]) {
    await ensureDir(dirname(join(into, part)));
    await copy(join(ROOT, part), join(into, part));
  }
  for (const edit of edits) {
    const path = join(into, edit.file);
    await Deno.writeTextFile(path, applyEdit(await Deno.readTextFile(path), edit));
  }
}

/** The text of a file with its bug. */
export function applyEdit(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new Error(`${file} holds ${parts.length - 1} times what is to be replaced: ${find}`);
}
