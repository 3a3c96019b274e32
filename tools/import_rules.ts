// Who may import whom. Pure: arrows in, problems out.
// The picture is in docs/decisions/0001-toolchain.md: cli ⇢ everything, testbed → cluster → node →
// core → nothing.

/** One import statement. `to` is a path from the root, or what stands outside it: `npm:…`, `node:…`. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** Through `import()`: loaded when it is used. */
  readonly lazy: boolean;
}

interface Layer {
  readonly name: string;
  readonly paths: readonly string[];
  /** Layers it may import at any time, besides itself. */
  readonly may: readonly string[];
  /** Layers it may import through `import()` only. */
  readonly mayLazily: readonly string[];
  /** Whether it may use packages, Node's built-in modules and data files. */
  readonly outside: boolean;
}

const LAYERS: readonly Layer[] = [
  { name: "core", paths: ["core/"], may: [], mayLazily: [], outside: false },
  { name: "node", paths: ["node/"], may: ["core"], mayLazily: [], outside: true },
  { name: "cluster", paths: ["cluster/"], may: ["node", "core"], mayLazily: [], outside: true },
  {
    name: "testbed",
    paths: ["testbed/"],
    may: ["cluster", "node", "core"],
    mayLazily: [],
    outside: true,
  },
  { name: "mod", paths: ["mod.ts"], may: ["node", "core"], mayLazily: [], outside: true },
  {
    name: "cli",
    paths: ["cli.ts", "cli/"],
    may: ["node", "core"],
    mayLazily: ["testbed", "cluster", "mod"],
    outside: true,
  },
];

/** Folders that see everything and that nothing shipped may see. */
const UNSHIPPED = ["tests/", "tools/", "bench/"];

/** Folders held to less than their layer is: from the first prefix only to the others. */
const NARROWER: readonly { readonly from: string; readonly may: readonly string[] }[] = [
  { from: "node/vsr/", may: ["node/vsr/", "node/ports.ts", "core/"] },
  {
    from: "testbed/jepsen/analysis/",
    may: ["testbed/jepsen/analysis/", "testbed/jepsen/history/", "core/ids.ts"],
  },
];

function layerOf(path: string): Layer | undefined {
  return LAYERS.find(({ paths }) => paths.some((prefix) => path.startsWith(prefix)));
}

function isUnshipped(path: string): boolean {
  return path.endsWith("_test.ts") || UNSHIPPED.some((folder) => path.startsWith(folder));
}

/** A package, a built-in module, a stand-in for one, or data such as `deno.json`. */
function isOutside(path: string): boolean {
  return /^[a-z]+:/.test(path) || path.startsWith("std/") || path.endsWith(".json");
}

/** The name of the layer a shipped file belongs to; "tests and tools" or "packages" for the others. */
export function groupOf(path: string): string {
  if (isUnshipped(path)) return "tests and tools";
  if (isOutside(path)) return "packages";
  return layerOf(path)?.name ?? "no layer";
}

/** Why an arrow is not allowed; undefined when it is. */
function objection({ from, to, lazy }: Arrow): string | undefined {
  if (isUnshipped(from) || from.startsWith("std/")) return undefined;
  const layer = layerOf(from);
  if (layer === undefined) return `${from} belongs to no layer`;
  if (isUnshipped(to)) return "nothing shipped may import tests, tools or bench";
  const narrow = NARROWER.find((rule) => from.startsWith(rule.from));
  if (narrow && !narrow.may.some((prefix) => to.startsWith(prefix))) {
    return `${narrow.from} may import only ${narrow.may.join(", ")}`;
  }
  if (isOutside(to)) return layer.outside ? undefined : `${layer.name} may import no package`;
  const target = layerOf(to)?.name ?? "no layer";
  if (target === layer.name || layer.may.includes(target)) return undefined;
  if (!layer.mayLazily.includes(target)) return `${layer.name} may not import ${target}`;
  return lazy ? undefined : `${layer.name} may import ${target} only lazily, with import()`;
}

/** One line per arrow that is not allowed, in the order given. */
export function forbiddenArrows(arrows: readonly Arrow[]): string[] {
  return arrows.flatMap((arrow) => {
    const reason = objection(arrow);
    return reason === undefined ? [] : [`${arrow.from} → ${arrow.to}: ${reason}`];
  });
}

/** Import cycles, each as `a → b → a`; one for every arrow that closes a loop in a walk from `a`. */
export function importCycles(arrows: readonly Arrow[]): string[] {
  const targets = Map.groupBy(arrows, ({ from }) => from);
  const finished = new Set<string>();
  const trail: string[] = [];
  const cycles: string[] = [];
  const walk = (path: string): void => {
    if (finished.has(path)) return;
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push([...trail.slice(start), path].join(" → "));
      return;
    }
    trail.push(path);
    for (const { to } of targets.get(path) ?? []) walk(to);
    trail.pop();
    finished.add(path);
  };
  for (const path of targets.keys()) walk(path);
  return cycles;
}
