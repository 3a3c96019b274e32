// The table of planted bugs is the catalogue, and says at which seed each was found when it was last measured.
import { assert, assertEquals } from "@std/assert";
import { MUTANTS } from "./catalogue.ts";
import { tableOf } from "./docs_table.ts";

Deno.test("docs/testing.md lists every planted bug, found within its limit", async () => {
  const rows = await tableOf("Planted bugs");
  const listed = rows.map(([name, what, profile, , limit]) => [name, what, profile, limit]);
  const planted = MUTANTS.map(({ name, what, profile, seedsMax }) => [
    `\`${name}\``,
    what,
    profile ?? "ci",
    `${seedsMax}`,
  ]);
  assertEquals(listed, planted);
  for (const [name, , , found, limit] of rows) {
    assert(Number(found) >= 1 && Number(found) <= Number(limit), name);
  }
});
