// docs/invariants.md says where each promise between replicas and to clients is judged. A row that names the wrong file, and a
// judge that no row knows of, are both found here.
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const SIM = join(ROOT, "testbed/sim");
const PAGE = Deno.readTextFileSync(join(ROOT, "docs/invariants.md"));

/** A violation's text begins with its promise, after whatever quotes it. */
const PROMISE = /["`](R\d+) [a-z]/g;

Deno.test("each promise between replicas has a row, in order", () => {
  const numbers = [...PAGE.matchAll(/^\| (R\d+) /gm)].map(([, number]) => number);
  assertEquals(numbers, Array.from({ length: 18 }, (_, i) => `R${i + 1}`));
});

Deno.test("each file that a row names judges its promise, or the one it says", () => {
  for (const [, promise, where] of PAGE.matchAll(/^\| (R\d+) [^|]*\| ([^|]*)\|/gm)) {
    const judged = /as (R\d+)/.exec(where!)?.[1] ?? promise!;
    const [files] = where!.split(";");
    for (const [, file] of files!.matchAll(/`([^`]+)`/g)) {
      assert(
        promisesOf(join(SIM, file!)).has(judged),
        `${promise}: ${file} does not say ${judged}`,
      );
    }
  }
});

Deno.test("each promise that a judge names is in its row", () => {
  const rows = new Map(
    [...PAGE.matchAll(/^\| (R\d+) [^|]*\| ([^|]*)\|/gm)].map((
      [, number, where],
    ) => [number, where]),
  );
  for (const folder of ["judge", "workload", "world"]) {
    for (const { name } of Deno.readDirSync(join(SIM, folder))) {
      if (name.endsWith("_test.ts") || name === "script.ts") continue;
      const file = `${folder}/${name}`;
      for (const promise of promisesOf(join(SIM, file))) {
        if (file === "world/world.ts" && promise === "R18") continue; // Tests wait for a primary by it.
        assert(rows.get(promise)?.includes(file), `${promise} is judged in ${file}`);
      }
    }
  }
});

Deno.test("each promise to clients is said by the file that its row names", () => {
  const rows = [...PAGE.matchAll(/^\| `([^`]+)`[^|]*\| `((?:judge|workload|world)\/[^`]+)`/gm)];
  assertEquals(rows.length, 7);
  for (const [, promise, file] of rows) {
    const source = Deno.readTextFileSync(join(SIM, file!));
    assert(source.includes(promise!), `${file} does not say ${promise}`);
  }
});

function promisesOf(path: string): Set<string> {
  return new Set([...Deno.readTextFileSync(path).matchAll(PROMISE)].map(([, promise]) => promise!));
}
