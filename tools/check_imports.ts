// Reads the module graph from `deno info`, draws the arrows between layers, and fails on an arrow
// that points up, on an import cycle and on a package in core.
import { fromFileUrl, join, relative, resolve, toFileUrl } from "@std/path";
import { type Arrow, forbiddenArrows, groupOf, importCycles } from "./import_rules.ts";
import { sourceFiles } from "./source_files.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** The parts of `deno info --json` that matter here. */
interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly Dependency[];
  }[];
}
interface Dependency {
  readonly specifier: string;
  readonly code?: Resolved;
  readonly type?: Resolved;
  readonly isDynamic?: boolean;
}
interface Resolved {
  readonly specifier?: string;
  readonly error?: string;
}

/** The graph that hangs from a module which imports every source; nothing is run or type-checked. */
async function moduleGraph(paths: readonly string[], flags: string[]): Promise<ModuleGraph> {
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const imports = paths.map((path) => `import(${JSON.stringify(toFileUrl(path).href)});\n`);
    await Deno.writeTextFile(all, imports.join(""));
    const args = ["info", "--json", "--no-lock", ...flags, all];
    const command = new Deno.Command(Deno.execPath(), { args, stdin: "null", stderr: "inherit" });
    const { success, stdout } = await command.output();
    if (!success) throw new Error("deno info failed");
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(all);
  }
}

/**
 * Every import under `root`, types included.
 *
 * @param config Its deno.json, or undefined for a tree without one.
 * @throws {Error} if an import cannot be resolved.
 */
export async function collectArrows(root: string, config?: string): Promise<Arrow[]> {
  const flags = config === undefined ? ["--no-config"] : [`--config=${config}`];
  const base = resolve(root);
  const paths = (await sourceFiles(base)).map((path) => join(base, path));
  if (paths.length === 0) throw new Error(`${base} holds no TypeScript`);
  const { modules } = await moduleGraph(paths, flags);
  const shorten = (specifier: string): string =>
    specifier.startsWith("file:") ? relative(base, fromFileUrl(specifier)) : specifier;
  return modules.flatMap(({ specifier, error, dependencies = [] }) => {
    const from = shorten(specifier);
    if (error !== undefined) throw new Error(error);
    if (from.startsWith("..")) return [];
    return dependencies.map((dependency) => {
      const to = dependency.code ?? dependency.type;
      if (to?.specifier === undefined) {
        throw new Error(`${from}: ${to?.error ?? `cannot resolve ${dependency.specifier}`}`);
      }
      return { from, to: shorten(to.specifier), lazy: dependency.isDynamic ?? false };
    });
  });
}

/** One line per pair of layers with an arrow between them: `node → core 12`, `cli ⇢ testbed 1`. */
export function drawLayers(arrows: readonly Arrow[]): string[] {
  const lines = new Map<string, number>();
  for (const { from, to, lazy } of arrows) {
    const [source, target] = [groupOf(from), groupOf(to)];
    if (source === target || source === "tests and tools" || source === "packages") continue;
    const line = `${source} ${lazy ? "⇢" : "→"} ${target}`;
    lines.set(line, (lines.get(line) ?? 0) + 1);
  }
  return [...lines].map(([line, count]) => `${line} ${count}`).sort();
}

/** Draws the layers of the tree and prints every problem. Returns how many there are. */
async function main(): Promise<number> {
  const arrows = await collectArrows(ROOT, `${ROOT}deno.json`);
  for (const line of drawLayers(arrows)) console.log(line);
  const cycles = importCycles(arrows).map((cycle) => `cycle: ${cycle}`);
  const problems = [...forbiddenArrows(arrows), ...cycles];
  for (const problem of problems) console.error(`error: ${problem}`);
  console.log(`${arrows.length} imports, ${problems.length} problems`);
  return problems.length;
}

if (import.meta.main) {
  try {
    Deno.exit(await main() === 0 ? 0 : 1);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
