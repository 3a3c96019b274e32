// The demo as a person runs it: it proves what it claims, prints nothing but text into a pipe, and leaves no
// process and no directory behind, however it ends.
import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { endReplicas } from "../../cluster/demo/replicas.ts";
import { readPidFile } from "../../cluster/workspace/pid_file.ts";
import { type Ending, run, TemporaryDirectory, TestProcess } from "./server_process.ts";

/** A temporary directory for one demo, which shows what is left behind, and ends it. */
class Place implements AsyncDisposable {
  readonly #directory = new TemporaryDirectory();
  /** Runs a demo with it. */
  readonly options = { through: ["env", `TMPDIR=${this.#directory.path}`] };

  get path(): string {
    return this.#directory.path;
  }

  leftovers(): string[] {
    return namesIn(this.path);
  }

  /** The replicas of a demo that runs: it has not answered yet where they are, but its directory has. */
  pids(): number[] {
    const [workspace] = this.leftovers();
    const runs = join(this.path, workspace!, "run");
    return namesIn(runs).flatMap((name) => {
      const file = readPidFile(join(runs, name));
      return file.kind === "running" ? [file.mark.pid] : [];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.leftovers()) await endReplicas(join(this.path, name));
    this.#directory[Symbol.dispose]();
  }
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

/** Whether a process is there. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test("demo --fast --json proves its claims through a kill and a partition, in one document", async () => {
  await using place = new Place();
  const ending = await run(["demo", "--fast", "--json"], place.options);
  assertEquals([ending.code, ending.stderr], [0, ""]);
  const report = JSON.parse(ending.stdout);
  assertEquals([report.ok, report.seats, report.buyers, report.workspace], [true, 200, 50, null]);
  assertEquals(report.proof.length, 7);
  for (const { claim, holds, checked } of report.proof) {
    assert(holds, claim);
    assertGreater(checked, 0, claim);
  }
  assertGreater(report.sold, 0);
  assertGreater(report.lost_races, 0);
  assertGreater(report.walked_away, 0);
  assertGreater(report.bundles_sold, 0);
  const [kill, partition] = report.outages;
  assertEquals([kill.cause, partition.cause, report.outages.length], ["kill", "partition", 2]);
  for (const { replica, successor, outage_ms } of report.outages) {
    assertNotEquals(successor, replica);
    assertGreater(outage_ms, 0);
  }
  assertEquals(report.comeback.replica, kill.replica);
  assertNotEquals(report.comeback.pid, kill.pid);
  assertEquals(report.replicas.map(({ replica }: { replica: string }) => replica), ["1", "2", "3"]);
  const contents = report.replicas.map((copy: { op: string; digest: string }) =>
    `${copy.op} ${copy.digest}`
  );
  assertEquals(new Set(contents).size, 1);
  assertEquals(place.leftovers(), []);
  for (const { pid } of [kill, partition, report.comeback]) assertEquals(isAlive(pid), false);
});

Deno.test("demo prints plain lines into a pipe, with the story, the proof and what to try next", async () => {
  await using place = new Place();
  const flags = ["demo", "--fast", "--seats", "30", "--buyers", "8", "--seed", "7"];
  const { code, stdout } = await run(flags, place.options);
  assertEquals(code, 0);
  assertEquals(stdout.includes("\x1b"), false, "no escape byte");
  assertEquals(stdout.includes("\r"), false);
  assertMatch(stdout, /replica \d \(pid \d+\) leads, \d and \d follow; there are 30 seats\n/);
  assertMatch(stdout, /kill -9 replica \d, the primary \(pid \d+\): \d+ seats sold\n/);
  assertEquals(
    stdout.match(/replica \d took over: \d+\.\d\d s from the last write to the next\n/g)?.length,
    2,
  );
  assertMatch(stdout, /replica \d is back \(pid \d+\): caught up \d+\.\d\d s after its start\n/);
  assertMatch(stdout, /network split: replica \d, the primary, alone; \d and \d together\n/);
  assertMatch(stdout, /network whole: replica \d .* and has caught up\n/);
  assertMatch(stdout, /all replicas are at log entry \d+ with digest [0-9a-f]{16}\n/);
  assertEquals(stdout.match(/^ {2}✓ /gm)?.length, 7);
  assertStringIncludes(stdout, "What to try next:");
  assertEquals(place.leftovers(), []);
});

Deno.test("demo copes with one seat, one buyer, and more buyers than seats", async () => {
  for (const [seats, buyers] of [[1, 1], [1, 30]]) {
    await using place = new Place();
    const flags = ["demo", "--fast", "--json", "--seats", `${seats}`, "--buyers", `${buyers}`];
    const { code, stdout, stderr } = await run(flags, place.options);
    assertEquals([code, stderr], [0, ""], stdout);
    assertEquals(JSON.parse(stdout).ok, true);
    assertEquals(place.leftovers(), []);
  }
});

Deno.test("demo --keep leaves its workspace, stopped and complete, and says where", async () => {
  await using place = new Place();
  const flags = ["demo", "--fast", "--json", "--keep", "--seats", "20", "--buyers", "5"];
  const { code, stdout } = await run(flags, place.options);
  assertEquals(code, 0);
  const { workspace } = JSON.parse(stdout);
  assertEquals(place.leftovers(), [workspace.slice(place.path.length + 1)]);
  assertEquals(place.pids(), []);
  const timeline = await run(["cluster", "timeline", "--workspace", workspace, "--json"]);
  const kinds = JSON.parse(timeline.stdout).events.map(({ kind }: { kind: string }) => kind);
  assertEquals(kinds, [
    ...["cluster_start", "replica_crash", "replica_restart"],
    ...["cluster_partition", "cluster_partition", "cluster_stop"],
  ]);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`demo that is stopped by ${signal} exits with 130 and leaves nothing behind`, async () => {
    await using place = new Place();
    await using process = TestProcess.spawn(["demo"], place.options);
    await process.prints("rush in");
    const pids = place.pids();
    assertEquals(pids.length, 3);
    process.signal(signal);
    process.signal(signal); // Impatience does not keep it from cleaning up.
    const ending = await process.exit();
    assertStringIncludes(ending.stderr, "error[E_INTERRUPTED]");
    assertEquals(ending.code, 130);
    assertGone(place, pids);
  });
}

Deno.test("demo that is stopped while nobody leads leaves nothing behind", async () => {
  await using place = new Place();
  await using process = TestProcess.spawn(["demo"], place.options);
  await process.prints("kill -9");
  const pids = place.pids();
  process.signal("SIGINT");
  const ending: Ending = await process.exit();
  assertEquals(ending.code, 130);
  assertGone(place, pids);
});

Deno.test("demo whose reader goes away ends quietly and leaves nothing behind", async () => {
  await using place = new Place();
  await using process = TestProcess.spawn(["demo"], place.options);
  await process.prints("rush in");
  const pids = place.pids();
  await process.closeOutput();
  const ending = await process.exit();
  assertEquals([ending.code, ending.stderr], [0, ""]);
  assertGone(place, pids);
});

function assertGone(place: Place, pids: readonly number[]): void {
  assertEquals(place.leftovers(), []);
  assertGreater(pids.length, 0);
  for (const pid of pids) assertEquals(isAlive(pid), false, `process ${pid} is still there`);
}
