// The rules are the only thing between core/ and a clock. Each is given code it must report and
// code that looks alike and must pass, in files inside and outside the deterministic layers.
import { assertEquals } from "@std/assert";
import plugin from "./determinism.ts";

/** Names of the rules that object to `source`, without the plugin's own name. */
function objections(source: string, path = "core/sample.ts"): string[] {
  const found = Deno.lint.runPlugin(plugin, path, source).map(({ id }) => id.replace("det/", ""));
  return [...new Set(found)].sort();
}

const REPORTED: Record<string, readonly string[]> = {
  "no-clock": [
    "Date.now();",
    "new Date();",
    "const now = Date;",
    "performance.now();",
    "type When = Date;",
    "f({ Date });",
    "x[Date];",
  ],
  "no-random": [
    "Math.random();",
    "const { random } = crypto;",
    "new WeakRef(x);",
    "new FinalizationRegistry(f);",
    'Math["random"]();',
    "const { random } = Math;",
  ],
  "no-timers": ["setTimeout(f, 1);", "queueMicrotask(f);", "const later = setInterval;"],
  "no-io": [
    "Deno.readFileSync(path);",
    "const d = Deno;",
    "console.log(1);",
    "globalThis.x;",
    'import "node:fs";',
    'import { parse } from "valibot";',
    'import type { Node } from "npm:x";',
    'export * from "@std/path";',
    'export { a } from "https://example.com/a.ts";',
    'import("./other.ts");',
    'fetch("http://127.0.0.1");',
  ],
  "no-async": [
    "async function f() {}",
    "const f = async () => {};",
    "class C { async m() {} }",
    "await x;",
    "type P = Promise<number>;",
    "export async function* g() {}",
  ],
  "no-inexact-math": ["Math.log2(8);", "Math.sin(x);"],
  "no-locale": ["a.localeCompare(b);", "n.toLocaleString();", "new Intl.Collator();"],
};

for (const [rule, sources] of Object.entries(REPORTED)) {
  Deno.test(`det/${rule} reports what it is for`, () => {
    for (const source of sources) {
      assertEquals(objections(source).includes(rule), true, source);
    }
  });

  Deno.test(`det/${rule} holds in core/ and node/vsr/ sources and nowhere else`, () => {
    const source = sources[0]!;
    const root = new URL("../../", import.meta.url).pathname;
    for (const path of ["core/a.ts", "core/deep/a.ts", "node/vsr/a.ts", `${root}core/a.ts`]) {
      assertEquals(objections(source, path), [rule], path);
    }
    for (const path of ["core/a_test.ts", "node/a.ts", "tests/core/a.ts", "/x/core/a.ts"]) {
      assertEquals(objections(source, path), [], path);
    }
  });
}

Deno.test("the rules pass names that only look like globals, exact math and imports inside", () => {
  const sources = [
    "row.Date; row.performance.now; row.process();",
    "const x = { Date: 1, console: 2, Promise: 3 };",
    "class C { Date = 1; fetch() {} }",
    "interface I { Deno: number; process(): void }",
    "confirm(db, command);",
    "Math.imul(a, b); Math.max(1, 2); Math.clz32(x); Math.trunc(y);",
    'import { a } from "./a.ts"; export { b } from "../b.ts"; export const c = 1;',
    "for (const x of xs) f(x); function* g() { yield 1; }",
  ];
  for (const source of sources) assertEquals(objections(source), [], source);
});
