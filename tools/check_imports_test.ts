// A rule that lets a wrong arrow pass is worse than none. Each rule is tried on a small tree written
// to disk and read back through `deno info`, the way the tool does it.
import { assertEquals, assertRejects } from "@std/assert";
import { dirname, join } from "@std/path";
import { collectArrows, drawLayers } from "./check_imports.ts";
import { forbiddenArrows, importCycles } from "./import_rules.ts";

/** Writes the files, hands the directory to `use` and removes it. */
async function withTree(
  files: Record<string, string>,
  use: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    }
    await use(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** A file with no imports. */
const LEAF = "export const leaf: number = 1;\n";

/** The tree of one forbidden import, and what is said about it. */
const FORBIDDEN: Record<string, { files: Record<string, string>; says: string[] }> = {
  "core to node": {
    files: { "core/a.ts": 'import "../node/b.ts";', "node/b.ts": LEAF },
    says: ["core/a.ts → node/b.ts: core may not import node"],
  },
  "core to node for a type alone": {
    files: {
      "core/a.ts": 'export type { B } from "../node/b.ts";',
      "node/b.ts": "export type B = 1;",
    },
    says: ["core/a.ts → node/b.ts: core may not import node"],
  },
  "core to a built-in module": {
    files: { "core/a.ts": 'import "node:fs";' },
    says: ["core/a.ts → node:fs: core may import no package"],
  },
  "core to data": {
    files: { "core/a.ts": 'import x from "../x.json" with { type: "json" };', "x.json": "1" },
    says: ["core/a.ts → x.json: core may import no package"],
  },
  "cluster to testbed": {
    files: { "cluster/a.ts": 'import "../testbed/b.ts";', "testbed/b.ts": LEAF },
    says: ["cluster/a.ts → testbed/b.ts: cluster may not import testbed"],
  },
  "library to cluster": {
    files: { "mod.ts": 'import "./cluster/b.ts";', "cluster/b.ts": LEAF },
    says: ["mod.ts → cluster/b.ts: mod may not import cluster"],
  },
  "command line to cluster at once": {
    files: { "cli.ts": 'import "./cluster/b.ts";', "cluster/b.ts": LEAF },
    says: ["cli.ts → cluster/b.ts: cli may import cluster only lazily, with import()"],
  },
  "node to tests": {
    files: { "node/a.ts": 'import "../tests/b.ts";', "tests/b.ts": LEAF },
    says: ["node/a.ts → tests/b.ts: nothing shipped may import tests, tools or bench"],
  },
  "node to a test beside it": {
    files: { "node/a.ts": 'import "./b_test.ts";', "node/b_test.ts": LEAF },
    says: ["node/a.ts → node/b_test.ts: nothing shipped may import tests, tools or bench"],
  },
  "protocol to the rest of node": {
    files: { "node/vsr/a.ts": 'import "../b.ts";', "node/b.ts": LEAF },
    says: ["node/vsr/a.ts → node/b.ts: node/vsr/ may import only node/vsr/, node/ports.ts, core/"],
  },
  "a file outside every layer": {
    files: { "odd/a.ts": 'import "../core/b.ts";', "core/b.ts": LEAF },
    says: ["odd/a.ts → core/b.ts: odd/a.ts belongs to no layer"],
  },
};

for (const [name, { files, says }] of Object.entries(FORBIDDEN)) {
  Deno.test(`forbiddenArrows() reports ${name}`, async () => {
    await withTree(files, async (root) => {
      assertEquals(forbiddenArrows(await collectArrows(root)), says);
    });
  });
}

Deno.test("forbiddenArrows() reports packages in core, and those alone", () => {
  const arrow = (from: string, to: string) => ({ from, to, lazy: false });
  const packages = ["npm:/valibot@1.5.0", "jsr:@std/path@1", "std/path/mod.ts", "https://a.b/c.ts"];
  for (const to of packages) {
    const says = [`core/a.ts → ${to}: core may import no package`];
    assertEquals(forbiddenArrows([arrow("core/a.ts", to), arrow("node/a.ts", to)]), says);
  }
});

const SOUND = {
  "core/a.ts": LEAF,
  "node/a.ts": 'import "../core/a.ts"; import "node:fs";',
  "node/ports.ts": LEAF,
  "node/vsr/a.ts": 'import "../ports.ts"; import "../../core/a.ts";',
  "cluster/a.ts": 'import "../node/a.ts"; import "../core/a.ts";',
  "testbed/a.ts": 'import "../cluster/a.ts"; import "../core/a.ts";',
  "mod.ts": 'import "./core/a.ts"; import "./node/a.ts";',
  "cli.ts": 'import "./node/a.ts"; await import("./testbed/a.ts"); await import("./cluster/a.ts");',
  "core/a_test.ts": 'import "../node/a.ts"; import "../tests/b.ts";',
  "tests/b.ts": 'import "../cli.ts"; import "../tools/c.ts"; import "../testbed/a.ts";',
  "tools/c.ts": LEAF,
};

Deno.test("forbiddenArrows() and importCycles() are silent on a sound tree", async () => {
  await withTree(SOUND, async (root) => {
    const arrows = await collectArrows(root);
    assertEquals([forbiddenArrows(arrows), importCycles(arrows)], [[], []]);
  });
});

Deno.test("drawLayers() counts arrows between layers and tells lazy ones apart", async () => {
  await withTree(SOUND, async (root) => {
    assertEquals(drawLayers(await collectArrows(root)), [
      "cli → node 1",
      "cli ⇢ cluster 1",
      "cli ⇢ testbed 1",
      "cluster → core 1",
      "cluster → node 1",
      "mod → core 1",
      "mod → node 1",
      "node → core 2",
      "node → packages 1",
      "testbed → cluster 1",
      "testbed → core 1",
    ]);
  });
});

Deno.test("importCycles() names a loop once, types and lazy imports included", async () => {
  const files = {
    "core/a.ts": 'import type {} from "./b.ts";',
    "core/b.ts": 'await import("./c.ts");',
    "core/c.ts": 'import "./a.ts"; import "./d.ts";',
    "core/d.ts": LEAF,
  };
  await withTree(files, async (root) => {
    const cycles = importCycles(await collectArrows(root));
    assertEquals(cycles, ["core/a.ts → core/b.ts → core/c.ts → core/a.ts"]);
  });
});

Deno.test("collectArrows() refuses a tree without sources or with a broken import", async () => {
  await withTree({ "README.md": "" }, async (root) => {
    await assertRejects(() => collectArrows(root), Error, "holds no TypeScript");
  });
  await withTree({ "core/a.ts": 'import "./gone.ts";' }, async (root) => {
    await assertRejects(() => collectArrows(root), Error, "gone.ts");
  });
});
