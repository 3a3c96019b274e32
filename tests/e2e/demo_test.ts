// The demo as a person runs it: it proves what it claims, prints nothing but text into a pipe, and leaves no
// process and no directory behind, however it ends.
import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { type Ending, run, TemporaryDirectory, TestProcess } from "./server_process.ts";

/** Runs with a temporary directory of its own, which shows what is left behind. */
function inside(directory: string): { through: readonly string[] } {
  return { through: ["env", `TMPDIR=${directory}`] };
}

function leftovers(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name);
}

/** Whether a process is there. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test("demo --fast --json proves its claims, crash included, in one document", async () => {
  using directory = new TemporaryDirectory();
  const ending = await run(["demo", "--fast", "--json"], inside(directory.path));
  assertEquals([ending.code, ending.stderr], [0, ""]);
  const report = JSON.parse(ending.stdout);
  assertEquals([report.ok, report.seats, report.buyers, report.data], [true, 200, 50, null]);
  assertEquals(report.proof.length, 5);
  for (const { claim, holds, checked } of report.proof) {
    assert(holds, claim);
    assertGreater(checked, 0, claim);
  }
  assertGreater(report.lost_races, 0);
  assertGreater(report.walked_away, 0);
  assertGreater(report.bundles_sold, 0);
  assertEquals(report.crash.startup_kind, "wal_only");
  assertGreater(report.crash.sold_before, 0);
  assertGreater(report.crash.replayed_entries, 200);
  assertGreater(report.crash.first_write_ms, 0);
  assertEquals(leftovers(directory.path), []);
  assertEquals(isAlive(report.crash.pid), false);
});

Deno.test("demo prints plain lines into a pipe, with the story, the proof and what to try next", async () => {
  using directory = new TemporaryDirectory();
  const flags = ["demo", "--fast", "--seats", "30", "--buyers", "8", "--seed", "7"];
  const { code, stdout } = await run(flags, inside(directory.path));
  assertEquals(code, 0);
  assertEquals(stdout.includes("\x1b"), false, "no escape byte");
  assertEquals(stdout.includes("\r"), false);
  assertMatch(stdout, /kill -9 \d+, with \d+ seats sold\n/);
  assertMatch(stdout, /restarted as \d+: \d+ log entries read back\n/);
  assertMatch(stdout, /first new write \d+\.\d\d s after the kill/);
  assertEquals(stdout.match(/^ {2}✓ /gm)?.length, 5);
  assertStringIncludes(stdout, "What to try next:");
  assertEquals(leftovers(directory.path), []);
});

Deno.test("demo copes with one seat, one buyer, and more buyers than seats", async () => {
  for (const [seats, buyers] of [[1, 1], [1, 30], [40, 1]]) {
    using directory = new TemporaryDirectory();
    const flags = ["demo", "--fast", "--json", "--seats", `${seats}`, "--buyers", `${buyers}`];
    const { code, stdout, stderr } = await run(flags, inside(directory.path));
    assertEquals(code, 0, stdout + stderr);
    assertGreater(JSON.parse(stdout).sold, 0);
    assertEquals(leftovers(directory.path), []);
  }
});

Deno.test("demo --keep leaves its directory, complete, and says where", async () => {
  using directory = new TemporaryDirectory();
  const flags = ["demo", "--fast", "--json", "--keep", "--seats", "20", "--buyers", "5"];
  const { code, stdout } = await run(flags, inside(directory.path));
  assertEquals(code, 0);
  const { data } = JSON.parse(stdout);
  assertEquals(leftovers(directory.path), [data.slice(directory.path.length + 1)]);
  const names = leftovers(data).sort();
  assertEquals(names.includes("replica.metadata") && names.includes("state.wal"), true);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`demo that is stopped by ${signal} exits with 130 and leaves nothing behind`, async () => {
    using directory = new TemporaryDirectory();
    await using process = TestProcess.spawn(["demo"], inside(directory.path));
    await process.prints("rush in");
    const [pid] = pidsIn(process.stdout);
    assert(isAlive(pid!));
    process.signal(signal);
    const ending = await process.exit();
    assertEquals(ending.code, 130);
    assertStringIncludes(ending.stderr, "error[E_INTERRUPTED]");
    assertGone(ending, directory.path);
  });
}

Deno.test("demo whose reader goes away ends quietly and leaves nothing behind", async () => {
  using directory = new TemporaryDirectory();
  await using process = TestProcess.spawn(["demo"], inside(directory.path));
  await process.prints("rush in");
  await process.closeOutput();
  const ending = await process.exit();
  assertEquals([ending.code, ending.stderr], [0, ""]);
  assertGone(ending, directory.path);
});

function pidsIn(text: string): number[] {
  return [...text.matchAll(/(?:server|restarted as) (\d+)/g)].map(([, pid]) => Number(pid));
}

function assertGone({ stdout }: Ending, directory: string): void {
  assertEquals(leftovers(directory), []);
  const pids = pidsIn(stdout);
  assertGreater(pids.length, 0);
  for (const pid of pids) assertEquals(isAlive(pid), false, `process ${pid} is still there`);
}
