// The planted bugs fit the sources: a bug that can no longer be planted proves nothing.
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { MUTANTS } from "./catalogue.ts";
import { REAL_MUTANTS } from "./jepsen/catalogue.ts";
import { applyEdit, ROOT } from "./plant.ts";

Deno.test("every planted bug changes what stands in its file exactly once", async () => {
  for (const { name, edits } of [...MUTANTS, ...REAL_MUTANTS]) {
    assert(edits.length > 0, name);
    for (const edit of edits) {
      const text = await Deno.readTextFile(join(ROOT, edit.file));
      assert(applyEdit(text, edit) !== text, name);
    }
  }
});

Deno.test("planted bugs have names of their own, and there are enough of them", () => {
  const names = MUTANTS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  assert(names.length >= 35, "as many as were promised");
  const real = REAL_MUTANTS.map(({ name }) => name);
  assertEquals(new Set(real).size, real.length);
  assert(real.length >= 12, "as many as were promised");
});
