// `allocdb sim` as a user types it, over short lives: the same seed says the same, what is wrong is found, made shorter
// and left behind so that it can be had again, and whatever cannot be done is refused with a way out.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { main } from "../../cli.ts";
import type { Runners } from "../../node/cli/program.ts";
import { type Surroundings, type TestIo, testIo } from "../../tests/support/cli_io.ts";
import type { SimLife, SimPlan, Simulator } from "./command/sim_life.ts";
import { SIMULATOR } from "./command/simulator.ts";
import { drawPlan } from "./life/draw.ts";
import { runSim } from "./main.ts";

const STRIKES = [100, 200, 300].map((
  atMs,
) => ({ atMs, fault: "kill", seed: atMs, forMs: 50 } as const));

/** Lives of which those of seeds that end with 7 go wrong, and every strike but the last can be left out. */
const BROKEN: Simulator = {
  drawPlan: (seed) => ({ ...drawPlan(seed, "calm"), profile: "swarm", strikes: STRIKES }),
  live: (plan, watch) => spoil(SIMULATOR.live(plan, { ...watch, eventsMax: 1_500 })),
};

function spoil(life: SimLife): SimLife {
  if (life.plan.seed % 10 !== 7) return { ...life, isCutShort: false };
  return {
    ...life,
    isCutShort: false,
    violation: "R2 all logs end the same: replica 2 has \u001b[2Jother bytes\nsecond line",
    shrunk: () => {
      const plan = { ...life.plan, strikes: life.plan.strikes.slice(-1) } as SimPlan;
      if (life.plan.strikes.length === 1) return spoil(life);
      return BROKEN.live(plan);
    },
  };
}

interface Ran extends TestIo {
  readonly code: number;
}

async function sim(
  line: string,
  { simulator = SIMULATOR, ...surroundings }: Surroundings & { simulator?: Simulator } = {},
): Promise<Ran> {
  const io = testIo({}, surroundings);
  const refuse = (): Promise<never> => Promise.reject(new Error("only sim runs here"));
  const program = { path: "/nonexistent", args: [] };
  const runners: Runners = {
    runSim: (options, to) => runSim(options, to, { simulator, program }),
    ...{ runServe: refuse, runReplica: refuse, locateReplica: refuse, runCluster: refuse },
    ...{ runDemo: refuse, runBench: refuse, runJepsen: refuse },
  };
  const argv = ["sim", ...line.split(" ").filter((word) => word !== "")];
  return { ...io, code: await main(argv, io, runners) };
}

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("sim lives many lives and says what happened in them", async () => {
  const io = await sim("--seeds 3 --steps 3000 --json");
  assertEquals([io.code, io.stderr()], [0, ""]);
  const report = JSON.parse(io.stdout());
  assertEquals([report.lives, report.failed, report.not_lived, report.cut_short], [3, 0, 0, 3]);
  assertEquals([report.profile, report.from, report.failed_seeds], ["swarm", 1, []]);
  assert(report.events === 9_000 && report.simulated_ms > 0 && report.judged.decided > 0);
  assert(report.never_exercised.every((name: string) => !(name in report.struck)));
});

Deno.test("sim says the same of the same seed, twice, in every word", async () => {
  await inDirectory(async (directory) => {
    const transcripts: string[] = [];
    const hashes = new Set<string>();
    for (const name of ["a", "b"]) {
      const io = await sim(
        `--seed 5 --profile calm --steps 6000 --twice --trace ${directory}/${name} --json`,
      );
      assertEquals([io.code, io.stderr()], [0, ""]);
      const { same_course_twice, transcript_hash } = JSON.parse(io.stdout());
      assertEquals(same_course_twice, true);
      hashes.add(transcript_hash);
      transcripts.push(Deno.readTextFileSync(`${directory}/${name}`));
    }
    assertEquals([hashes.size, transcripts[0]], [1, transcripts[1]]);
    assert(transcripts[0]!.split("\n").length > 500);
    assertEquals(namesIn(directory), ["a", "b"]);
    const other = await sim("--seed 6 --profile calm --steps 6000 -q");
    assert(!hashes.has(other.stdout().trim()));
  });
});

Deno.test("sim finds a second life that took another course", async () => {
  let lives = 0;
  const simulator: Simulator = {
    ...SIMULATOR,
    live: (plan, watch) => ({
      ...SIMULATOR.live(plan, watch),
      hash: `${lives++}`.padStart(16, "0"),
    }),
  };
  const io = await sim("--seed 5 --steps 500 --twice --json", { simulator });
  assertEquals([io.code, JSON.parse(io.stdout()).same_course_twice], [3, false]);
  assertMatch(JSON.parse(io.stderr()).error.message, /another course/);
});

Deno.test("sim writes a transcript to standard output when no file is named", async () => {
  const io = await sim("--seed 5 --steps 300 --trace -o kv");
  assertEquals(io.code, 0);
  assertMatch(io.stdout(), /^ +0\.000 {2}replica 1 started/);
  assertMatch(io.stdout(), /\ntranscript hash [0-9a-f]{16}, every promise was kept\nseed=5\n/);
});

Deno.test("sim draws a life as one page", async () => {
  await inDirectory(async (directory) => {
    const io = await sim(`--seed 5 --steps 3000 --html ${directory}/life.html --json`);
    const { html_file, messages_shown, messages_watched } = JSON.parse(io.stdout());
    assertEquals([io.code, html_file], [0, `${directory}/life.html`]);
    assert(messages_shown > 0 && messages_shown === messages_watched);
    assertMatch(Deno.readTextFileSync(html_file), /^<!doctype html>[^]*<\/html>\n$/);
    assertEquals(namesIn(directory), ["life.html"]);
  });
});

Deno.test("sim makes a life that went wrong shorter, leaves it behind and says how to have it again", async () => {
  await inDirectory(async (directory) => {
    const io = await sim(`--seed 17 --out ${directory}/deep/er --json`, { simulator: BROKEN });
    assertEquals(io.code, 3);
    const { violation, plan_file, transcript_file, ok } = JSON.parse(io.stdout());
    assertEquals(ok, false);
    assertMatch(violation, /^R2 all logs end the same: replica 2/);
    const plan = JSON.parse(Deno.readTextFileSync(plan_file));
    assertEquals([plan.seed, plan.strikes.length], [17, 1]);
    const transcript = Deno.readTextFileSync(transcript_file);
    assertMatch(transcript, /^seed 17, 1 fault in /);
    assertMatch(transcript, /\nbroken: R2 all logs/);
    const { error } = JSON.parse(io.stderr().split("\n").at(-2)!);
    assertEquals([error.code, error.exit], ["E_CHECK_FAILED", 3]);
    assertMatch(error.hint, /allocdb sim --replay \S+17\.json --html \S+17\.html/);
    const again = await sim(`--replay ${plan_file} --json`, { simulator: BROKEN });
    assertEquals([again.code, JSON.parse(again.stdout()).violation], [3, violation]);
    assertEquals(namesIn(`${directory}/deep/er`).length, 2);
  });
});

Deno.test("sim goes on after a failure, and stops at the first when told to", async () => {
  await inDirectory(async (directory) => {
    const all = await sim(`--from 5 --seeds 4 --no-shrink --out ${directory} --json`, {
      simulator: BROKEN,
    });
    assertEquals(all.code, 3);
    const { lives, failed_seeds, plan_files } = JSON.parse(all.stdout());
    assertEquals([lives, failed_seeds, plan_files], [4, [7], [`${directory}/sim-failure-7.json`]]);
    assertMatch(all.stderr(), /allocdb sim --seed 7 .*# R2 all logs/);
    assert(!all.stderr().includes("\u001b"), "what a life says moves no cursor");
    const first = await sim(`--from 5 --until-failure --out ${directory} -o table`, {
      simulator: BROKEN,
    });
    assertEquals(first.code, 3);
    assertMatch(first.stdout(), /^3 lives from seed 5, profile swarm, .*: 1 broke a promise\n/);
    assertMatch(first.stdout(), /\n {2}shrunk +from 3 faults .*, to 1 fault /);
    assertMatch(first.stdout(), /\n {2}again +allocdb sim --replay \S+sim-failure-7\.json\n/);
  });
});

Deno.test("sim says where to go on when it is interrupted", async () => {
  const io = testIo();
  io.interrupt();
  const { runSim: run } = await import("./main.ts");
  const runners = { runSim: run } as unknown as Runners;
  const code = await main(["sim", "--seeds", "9", "--from", "4", "--profile", "lite"], io, runners);
  assertEquals(code, 130);
  assertMatch(io.stderr(), /go on with `allocdb sim --from 4 --seeds 9 --profile lite`/);
});

Deno.test("sim fails when it cannot start itself, and passes nothing for sound", async () => {
  const io = await sim("--seeds 4 --jobs 2 --json");
  assertEquals(io.code, 70, "a program that is not there is nobody's seed");
});

Deno.test("sim refuses plans that are none, naming file and place, and files that are not there", async () => {
  await inDirectory(async (directory) => {
    const plan = `${directory}/plan.json`;
    Deno.writeTextFileSync(plan, '{"seed":1,"profile":"swarm"}');
    const bad = await sim(`--replay ${plan}`);
    assertEquals([bad.code, bad.stdout()], [2, ""]);
    assertMatch(bad.stderr(), /^error\[E_BAD_PLAN\]: \S+plan\.json is no plan: world: /);
    Deno.writeTextFileSync(plan, "x".repeat(1024 * 1024 + 1));
    assertMatch((await sim(`--replay ${plan}`)).stderr(), /E_BAD_PLAN.*has 1048577 bytes/);
    assertEquals((await sim(`--replay ${directory}`)).code, 2);
    assertEquals((await sim(`--replay ${directory}/none.json`)).code, 1);
    const unwritable = await sim(`--seed 5 --steps 9 --html ${directory}/none/life.html`);
    assertEquals(unwritable.code, 1);
    assertMatch(unwritable.stderr(), /^error\[E_IO\]: cannot write '.*none\/life\.html'/);
    assertEquals(namesIn(directory), ["plan.json"]);
  });
});

Deno.test("sim lives single nodes, too", async () => {
  const io = await sim("--seeds 5 --profile single --json");
  assertEquals(io.code, 0);
  assertEquals(JSON.parse(io.stdout()).lives, 5);
  const words = await sim("--seed 3 --profile single --trace -o kv");
  assertMatch(words.stdout(), /\ntranscript hash [0-9a-f]{16}, every promise was kept\n/);
});
