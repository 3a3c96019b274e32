// The judge of real clusters bites, and only where there is something to bite: one bug, and the same run without it. All of
// them: `deno task mutants:jepsen`.
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { plant } from "../plant.ts";
import { REAL_MUTANTS } from "./catalogue.ts";
import { judgeRun } from "./judge_run.ts";

const WINDOW_SECS = 4;

Deno.test("judgeRun() blames replicas that answer reads as backups, and no others", async () => {
  const { edits, checks, ...torture } = REAL_MUTANTS.find(({ name }) =>
    name === "read-from-any-replica"
  )!;
  for (const bug of [edits, []]) {
    const directory = await Deno.makeTempDir({ prefix: "allocdb-mutant-" });
    try {
      const [sources, out] = [join(directory, "sources"), join(directory, "out")];
      await plant(sources, bug, "cluster");
      await Deno.mkdir(out);
      const short = { ...torture, windowSecs: WINDOW_SECS };
      const { verdict, failed } = await judgeRun(short, { sources, out, seed: 1 });
      if (bug.length === 0) assertEquals([verdict, ...failed], ["valid"]);
      else for (const check of checks) assert(failed.includes(check), `${check}: ${failed}`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
});
