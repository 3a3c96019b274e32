// The TypeScript files of a tree, for the tools that look at all of them.

/** Made by tools, never by hand. Names that start with a dot are skipped as well. */
const SKIPPED = new Set(["node_modules", "dist", "coverage"]);

/** Paths of every `.ts` file under `root`, from the root, with `/` between the parts, sorted. */
export async function sourceFiles(root: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(`${root}/${folder}`)) {
      if (name.startsWith(".") || SKIPPED.has(name)) continue;
      if (isDirectory) await visit(`${folder}${name}/`);
      if (isFile && name.endsWith(".ts")) found.push(`${folder}${name}`);
    }
  };
  await visit("");
  return found.sort();
}

/** Whether a file only tests others: it lies beside its source or in tests/. */
export function isTest(path: string): boolean {
  return path.endsWith("_test.ts") || path.startsWith("tests/");
}
