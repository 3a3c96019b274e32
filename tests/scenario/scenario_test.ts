// The hard cases of replication as scripts that a newcomer can read. Each is played and compared with what
// stands in its file; the judges of the world look on, and at the end all replicas must agree.
// `ALLOCDB_UPDATE=1` writes what happens into the files: read the diff before you commit it.
import { assert, assertEquals } from "@std/assert";
import { runScript } from "../../testbed/sim/scenario/run.ts";
import { VERBS } from "../../testbed/sim/scenario/verbs.ts";

const FOLDER = new URL("./", import.meta.url);
const IS_UPDATE = Deno.env.get("ALLOCDB_UPDATE") === "1" || Deno.args.includes("--update");
/** Besides the one that the files were written with. */
const OTHER_SEEDS = [2];

interface ScriptFile {
  readonly name: string;
  readonly url: URL;
  readonly text: string;
}

const FILES: readonly ScriptFile[] = [...Deno.readDirSync(FOLDER)]
  .filter(({ name }) => name.endsWith(".txt"))
  .map(({ name }) => {
    const url = new URL(name, FOLDER);
    return { name, url, text: Deno.readTextFileSync(url) };
  })
  .sort((a, b) => (a.name < b.name ? -1 : 1));

for (const { name, url, text } of FILES) {
  Deno.test(`${name}: ${text.split("\n")[0]!.slice(2)}`, () => {
    const { ok, output, differences, failure } = runScript(text, { name });
    assert(failure === undefined, failure);
    if (IS_UPDATE && output !== text) return Deno.writeTextFileSync(url, output);
    assert(ok, `\n${differences}`);
  });
}

Deno.test("no story depends on chance: other seeds tell it in the same words", () => {
  for (const { name, text } of FILES) {
    const first = runScript(text, { name }).output;
    for (const seed of OTHER_SEEDS) {
      assertEquals(runScript(text, { name, seed }).output, first, `${name} with seed ${seed}`);
    }
  }
});

Deno.test("every verb of the language is used by some script", () => {
  const used = new Set(
    FILES.flatMap(({ text }) => text.split("\n").map((line) => line.split(" ")[0]!)),
  );
  assertEquals(Object.keys(VERBS).filter((verb) => !used.has(verb)), []);
});

Deno.test("there are scripts, each with a title of its own", () => {
  const titles = new Set(FILES.map(({ text }) => text.split("\n")[0]));
  assertEquals(titles.size, FILES.length);
  assert(FILES.length >= 30);
});
