/** A copy of the sources with a bug in it, to be run beside the real ones. */
import { copy, ensureDir } from "@std/fs";
import { dirname, fromFileUrl, join } from "@std/path";
import type { Edit } from "./mutant.ts";

/** The project. */
export const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** What a simulation needs of it. */
const PARTS = ["core", "node", "std", "testbed", "deno.json", "deno.lock", "tests/mutants/hunt.ts"];

/**
 * Copies the sources and plants a bug.
 *
 * @param into An empty directory.
 * @param edits The bug; none plants none.
 * @throws {Error} When the text to replace does not stand in its file exactly once.
 */
export async function plant(into: string, edits: readonly Edit[]): Promise<void> {
  for (const part of PARTS) {
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
