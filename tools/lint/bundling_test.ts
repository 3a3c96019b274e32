// A file found next to its module in development is gone in the executable: such code must not
// reach it, while tests and tools, which are never bundled, may look around.
import { assertEquals } from "@std/assert";
import plugin from "./bundling.ts";

function count(source: string, path: string): number {
  return Deno.lint.runPlugin(plugin, path, source).length;
}

Deno.test("ship/no-module-path reports a module that asks where it lies", () => {
  const sources = [
    "import.meta.url;",
    "import.meta.dirname;",
    "import.meta.filename;",
    'import.meta.resolve("./a.ts");',
    'import.meta["url"];',
  ];
  for (const source of sources) assertEquals(count(source, "node/a.ts"), 1, source);
});

Deno.test("ship/no-module-path passes import.meta.main, and everything that is not shipped", () => {
  assertEquals(count("if (import.meta.main) f();", "cli.ts"), 0);
  for (const path of ["tests/a.ts", "tools/a.ts", "bench/a.ts", "node/a_test.ts"]) {
    assertEquals(count("import.meta.url;", path), 0, path);
  }
});
