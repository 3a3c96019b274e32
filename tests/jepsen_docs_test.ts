// docs/jepsen.md is what people run and read histories by: its tables are the program's, and the command line offers what there is.
import { assert, assertEquals } from "@std/assert";
import { main } from "../cli.ts";
import { DEFAULT_CORE_CONFIG } from "../core/config.ts";
import {
  HISTORY_FORMATS,
  HISTORY_MODELS,
  JEPSEN_NEMESES,
  JEPSEN_WORKLOADS,
} from "../node/cli/jepsen_options.ts";
import { judge } from "../testbed/jepsen/analysis/judge.ts";
import { FORMATS } from "../testbed/jepsen/codec/formats.ts";
import { FORMAT_NAMES } from "../testbed/jepsen/codec/format.ts";
import { judgeEvidence } from "../testbed/jepsen/evidence/check.ts";
import { MODEL_NAMES } from "../testbed/jepsen/history/model.ts";
import { Pairing } from "../testbed/jepsen/history/pairing.ts";
import { NEMESIS_NAMES } from "../testbed/jepsen/nemesis/atlas.ts";
import { WORKLOAD_NAMES } from "../testbed/jepsen/workload/workload_name.ts";
import { testIo } from "./support/cli_io.ts";

const PAGE = Deno.readTextFileSync(new URL("../docs/jepsen.md", import.meta.url));

/** The text below a heading, up to the next one. */
function section(heading: string): string {
  const begin = PAGE.indexOf(`\n${heading}\n`);
  assert(begin >= 0, heading);
  const end = PAGE.slice(begin + 1).search(/\n##+ /);
  return end < 0 ? PAGE.slice(begin) : PAGE.slice(begin, begin + 1 + end);
}

/** What stands in backticks at the beginning of rows. */
function rows(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, word]) => word!);
}

Deno.test("the verbs of docs/jepsen.md are those of the program, in its words", async () => {
  const io = testIo();
  assertEquals(await main(["help", "--json"], io), 0);
  const { commands } = JSON.parse(io.stdout());
  const jepsen = commands.find(({ name }: { name: string }) => name === "jepsen");
  const known = jepsen.commands.map((verb: { name: string; summary: string }) =>
    `${verb.name.split(" ")[0]} ${verb.summary}`
  );
  const told = [
    ...PAGE.slice(0, PAGE.indexOf("\n## ")).matchAll(/^\| `(\w+)`\s+\| (.+?)\s+\|$/gm),
  ]
    .map(([, name, summary]) => `${name} ${summary}`);
  assertEquals(told.toSorted(), known.toSorted());
});

Deno.test("workloads and nemeses of docs/jepsen.md and of the command line are those that there are", () => {
  assertEquals(rows(section("### Workloads")), [...WORKLOAD_NAMES]);
  assertEquals([...JEPSEN_WORKLOADS], [...WORKLOAD_NAMES]);
  assertEquals(rows(section("### Nemeses")), [...JEPSEN_NEMESES]);
  assertEquals([...JEPSEN_NEMESES].toSorted(), [...NEMESIS_NAMES].toSorted());
});

Deno.test("formats and models of docs/jepsen.md and of the command line are those that there are", () => {
  const formats = [...section("### Formats").matchAll(/^\| `([^`]+)`.*\| (yes|no) +\|$/gm)];
  assertEquals(formats.map(([, name]) => name), [...FORMAT_NAMES]);
  assertEquals([...HISTORY_FORMATS], [...FORMAT_NAMES]);
  for (const [, name, isWritten] of formats) {
    const format = FORMATS.find((each) => each.name === name)!;
    assertEquals(format.write !== undefined, isWritten === "yes", name);
  }
  assertEquals(rows(section("### Models")), [...MODEL_NAMES]);
  assertEquals([...HISTORY_MODELS], ["reservation", ...MODEL_NAMES]);
});

Deno.test("the checks of docs/jepsen.md are those that the judge makes, in their order", () => {
  const recording = new Pairing({ model: "reservation" }).finish();
  const made = judge(recording).checks.map(({ name }) => name);
  const evidence = { core: DEFAULT_CORE_CONFIG, replicaCount: 3, logs: [], states: [] };
  const ofLogs = judgeEvidence(recording, evidence).checks.map(({ name }) => name);
  const told = rows(section("### Checks"));
  assertEquals(told, [...made, ...ofLogs]);
});
