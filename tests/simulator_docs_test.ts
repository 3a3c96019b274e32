// docs/simulator.md is what people plan their runs by: its tables of flags, profiles, faults and keys are the program's.
import { assert, assertEquals } from "@std/assert";
import { main } from "../cli.ts";
import { SIM_PROFILES } from "../node/cli/sim_options.ts";
import { PROFILES } from "../testbed/sim/life/plan.ts";
import { FAULTS } from "../testbed/sim/nemesis/strike.ts";
import { SINGLE_FAULTS } from "../testbed/sim/single/plan.ts";
import { testIo } from "./support/cli_io.ts";

const PAGE = Deno.readTextFileSync(new URL("../docs/simulator.md", import.meta.url));

/** The text below a heading, up to the next one. */
function section(heading: string): string {
  const begin = PAGE.indexOf(`\n## ${heading}\n`);
  assert(begin >= 0, heading);
  const end = PAGE.indexOf("\n## ", begin + 1);
  return PAGE.slice(begin, end < 0 ? undefined : end);
}

/** Everything in backticks in the named column of the tables of a section, from 0. */
function ticked(text: string, column: number): string[] {
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  return rows.flatMap((row) => {
    const cell = row.split("|")[column + 1] ?? "";
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
  });
}

async function run(...argv: string[]): Promise<string> {
  const io = testIo();
  assertEquals(await main(argv, io), 0, io.stderr());
  return io.stdout();
}

Deno.test("the flags of docs/simulator.md are those of the program", async () => {
  const { commands } = JSON.parse(await run("help", "--json"));
  const sim = commands.find(({ name }: { name: string }) => name === "sim");
  const known = sim.options.map(({ name }: { name: string }) => name);
  const told = ticked(section("Running it"), 0).map((words) => words.split(" ")[0]!);
  const shared = ["--help", "--ids", "--color"];
  assertEquals([...told, ...shared].sort(), [...known].sort());
});

Deno.test("the profiles of docs/simulator.md are those of the program", () => {
  assertEquals(ticked(section("Profiles"), 0).sort(), [...SIM_PROFILES].sort());
  assertEquals([...PROFILES, "single"].sort(), [...SIM_PROFILES].sort());
});

Deno.test("the faults of docs/simulator.md are those of clusters and of single nodes", () => {
  assertEquals(ticked(section("Faults"), 1).sort(), [...FAULTS].sort());
  for (const fault of SINGLE_FAULTS) assert(PAGE.includes(`\`${fault}\``), fault);
});

Deno.test("the keys of docs/simulator.md are those that the program prints, for many lives and for one", async () => {
  const table = section("Output");
  const listed = (column: number): string[] => ticked(table, column);
  const many = JSON.parse(await run("sim", "--seeds", "2", "--steps", "200", "--json"));
  assertEquals(listed(0).sort(), Object.keys(many).sort());
  const file = await Deno.makeTempFile();
  try {
    const flags = ["--twice", "--trace", file, "--html", `${file}.html`];
    const one = JSON.parse(await run("sim", "--seed", "2", "--steps", "200", "--json", ...flags));
    const same = ["events", "simulated_ms", "real_ms", "times_real_time", "events_per_second"];
    const told = [...listed(1), ...same, "struck", "judged", "undecided"];
    const left = ["plan_file", "transcript_file"];
    assertEquals([...told].sort(), [...Object.keys(one), ...left].sort());
  } finally {
    await Deno.remove(file);
    await Deno.remove(`${file}.html`);
  }
});

Deno.test("the judges of docs/simulator.md are those that judge", async () => {
  for (const profile of ["swarm", "single"]) {
    const { judged } = JSON.parse(await run("sim", "--seeds", "2", "--profile", profile, "--json"));
    for (const name of Object.keys(judged)) {
      assert(section("Judges").includes(`\`${name}\``), `${profile}: ${name}`);
    }
  }
});
