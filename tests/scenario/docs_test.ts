// Who writes a script looks verbs, facts and kinds of messages up in docs/simulator.md: each list there is the
// language's, and the script that is shown there is played.
import { assert, assertEquals } from "@std/assert";
import { FACT_NAMES } from "../../testbed/sim/scenario/facts.ts";
import { runScript } from "../../testbed/sim/scenario/run.ts";
import { CLUSTER, formOf, VERBS } from "../../testbed/sim/scenario/verbs.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/simulator.md", import.meta.url));
const SECTION = sectionOf("\n## Protocol scripts\n");

function sectionOf(heading: string): string {
  const from = PAGE.split(heading)[1];
  assert(from !== undefined, heading);
  return from.split("\n## ")[0]!;
}

Deno.test("docs/simulator.md lists every verb of protocol scripts as it is written, and no other", () => {
  const rows = SECTION.split("\n").filter((line) => line.startsWith("| `"));
  const listed = rows.map((row) => {
    const [, form, says] = /^\| `(.*?)`\s*\| (.*?)\s*\|$/.exec(row.replaceAll("\\|", "¦")) ?? [];
    return [form?.replaceAll("¦", "|"), says?.replaceAll("¦", "|")];
  });
  const known = Object.entries({ cluster: CLUSTER, ...VERBS });
  assertEquals(listed, known.map(([word, verb]) => [formOf(word, verb), verb.says]));
});

Deno.test("docs/simulator.md names every fact of protocol scripts, and no other", () => {
  const facts = SECTION.split("\n- Facts are ")[1]!.split("\n- ")[0]!;
  const named = [...facts.matchAll(/`([a-z_-]+)=`/g)].map(([, name]) => name!);
  assertEquals(named.filter((name) => name !== "at"), [...FACT_NAMES]);
});

Deno.test("docs/simulator.md shows a script that goes as it says", () => {
  const [, text] = /\n```\n(# [^]*?)```\n/.exec(SECTION) ?? [];
  const { ok, differences, failure } = runScript(text ?? "");
  assert(ok, failure ?? differences);
});
