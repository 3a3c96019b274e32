// The simulator as whole processes: several share the work and come to what one comes to, one that is killed is a
// failure with the name of its seed, Ctrl-C says where to go on, and nobody outlives the one who started him.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { run, TemporaryDirectory, TestProcess } from "./server_process.ts";

/** Longest wait for processes to appear or to go. */
const LOOKS_MAX = 400;
const LOOK_MS = 50;

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`Too long until ${what}`);
}

/** The processes that a run has started, once there are as many. */
async function workersOf(process: TestProcess, count: number): Promise<number[]> {
  let found: number[] = [];
  await until(() => (found = descendantsOf(process.pid)).length >= count, `${count} workers`);
  return found;
}

/** Processes that a process has started and that still run; a thread starts them, so all threads are asked. */
function descendantsOf(pid: number): number[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) => {
      const text = Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`);
      return text.trim().split(" ").filter((word) => word !== "").map(Number).filter(isAlive);
    });
  } catch {
    return []; // It has ended, or one of its threads has.
  }
}

Deno.test("sim --jobs 2 comes to exactly what one process comes to", async () => {
  const flags = ["sim", "--seeds", "8", "--from", "40", "--steps", "2000", "--json"];
  const [one, two] = [await run(flags), await run([...flags, "--jobs", "2"])];
  assertEquals([one.code, two.code, one.stderr, two.stderr], [0, 0, "", ""]);
  const facts = (text: string): unknown => {
    const { lives, events, simulated_ms, struck, judged } = JSON.parse(text);
    return { lives, events, simulated_ms, struck, judged };
  };
  assertEquals(facts(two.stdout), facts(one.stdout));
});

Deno.test("sim counts the life of a process that was killed as not lived, and lives all others", async () => {
  await using process = TestProcess.spawn([
    ...["sim", "--seeds", "40", "--steps", "3000", "--jobs", "2", "--json"],
  ]);
  const [victim] = await workersOf(process, 2);
  Deno.kill(victim!, "SIGKILL");
  const { code, stdout, stderr } = await process.exit();
  const { lives, not_lived, not_lived_seeds } = JSON.parse(stdout);
  assertEquals([code, lives, not_lived], [3, 39, 1]);
  assertMatch(
    stderr,
    new RegExp(`allocdb sim --seed ${not_lived_seeds[0]} .*# its process ended: SIGKILL`),
  );
});

Deno.test("sim ends on Ctrl-C with 130, what it has found, where to go on, and no process left", async () => {
  for (const jobs of ["1", "2"]) {
    await using process = TestProcess.spawn(["sim", "--minutes", "5", "--jobs", jobs, "--json"]);
    if (jobs === "2") await workersOf(process, 2);
    else await new Promise((resolve) => setTimeout(resolve, 1_500));
    const workers = descendantsOf(process.pid);
    process.signal("SIGINT");
    const { code, stdout, stderr } = await process.exit();
    assertEquals([code, JSON.parse(stdout).failed], [130, 0], stderr);
    assertMatch(
      JSON.parse(stderr.trim().split("\n").at(-1)!).error.hint,
      /allocdb sim --from \d+`$/,
    );
    await until(() => !workers.some(isAlive), "the workers are gone");
  }
});

Deno.test("a worker of sim does not outlive a process that was killed", async () => {
  await using process = TestProcess.spawn(["sim", "--minutes", "5", "--jobs", "2"]);
  const workers = await workersOf(process, 2);
  await process.kill();
  await until(() => !workers.some(isAlive), "the workers are gone");
});

Deno.test("sim lives a hundred short lives out of the box, and prints plain lines into a pipe", async () => {
  const { code, stdout, stderr } = await run(["sim", "--steps", "100"]);
  assertEquals(code, 0);
  assertMatch(stdout, /^profile=swarm\nfrom=1\nlives=100\nfailed=0\n/);
  assert(!(stdout + stderr).includes("\u001b"));
});

Deno.test("sim --cost shows where the time goes, and keeps a profile for a viewer", async () => {
  using directory = new TemporaryDirectory();
  const shown = await run(["sim", "--seed", "5", "--steps", "20000", "--cost", "-o", "table"]);
  assertEquals(shown.code, 0, shown.stderr);
  assertMatch(
    shown.stdout,
    /\nwhere the time goes, memory \d+ MiB, heap \d+ MiB:\n {2,}\d+\.\d % {2}\S/,
  );
  const file = `${directory.path}/a.cpuprofile`;
  const kept = await run(["sim", "--seed", "5", "--steps", "20000", "--cost", file, "-q"]);
  assertEquals(kept.code, 0, kept.stderr);
  assert(JSON.parse(Deno.readTextFileSync(file)).samples.length > 10);
});
