// The table of planted bugs is the catalogue, and says at which seed each was found when it was last measured.
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { MUTANTS } from "./catalogue.ts";
import { ROOT } from "./plant.ts";

/** Cells of the rows that begin with a name, between a heading and the next one. */
async function tableOf(heading: string): Promise<string[][]> {
  const text = await Deno.readTextFile(join(ROOT, "docs/testing.md"));
  const section = text.split(`## ${heading}\n`, 2)[1]!.split("\n## ", 1)[0]!;
  return section.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

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
