// Hours of runs depend on this: every run once, controls first, lanes apart, nothing stopped by one that fails.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { basename, join } from "@std/path";
import type { Backend } from "../backend/backend.ts";
import { type AllOptions, inOrder, runAll, seedOf, SUMMARY_FILES } from "./all.ts";
import type { RunOptions } from "./options.ts";
import { ALL_RUNS, MATRIX } from "./plan.ts";
import type { RunOutcome } from "./run.ts";
import { type RunResult, standing, tableMarkdown, tableText, worstOf } from "./table.ts";

const PASSED: RunOutcome = {
  ...{ runId: "x", state: "passed", verdict: "valid", blockers: 0, isGatePassed: true },
  ...{ isGateEvidence: true, gateEvidenceReason: "", historyFile: "h", bundle: "b" },
  ...{ logsArchive: "l", report: "", error: undefined, elapsedSecs: 3, attempts: 9, faults: 2 },
};

function allOptions(root: string, run: AllOptions["run"] & object, lanes = 2): AllOptions {
  return {
    ...{ outputRoot: join(root, "out"), workspaces: join(root, "ws"), backendName: "local", lanes },
    ...{ isWithSupplementary: true, windowOverrideSecs: 5, seed: 11, notice: () => {}, run },
    program: { path: undefined, sha256: undefined, isShipped: false },
    backend: () => ({ sweep: () => Promise.resolve() }) as unknown as Backend,
  };
}

async function inDirectory(act: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await act(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("inOrder() puts runs without faults first, and else keeps the order of the plan", () => {
  const order = inOrder(ALL_RUNS).map(({ nemesis }) => nemesis === "none");
  assertEquals(order, [...Array(5).fill(true), ...Array(12).fill(false)]);
  assertEquals(new Set(inOrder(ALL_RUNS)).size, ALL_RUNS.length);
});

Deno.test("seedOf() gives each run a seed of its own, which depends on nothing else", () => {
  const seeds = ALL_RUNS.map((run) => seedOf(11, run));
  assertEquals(new Set(seeds).size, ALL_RUNS.length);
  assertEquals(seeds, ALL_RUNS.map((run) => seedOf(11, run)));
});

Deno.test("runAll() runs everything once, in lanes that never share a workspace, whatever fails", async () => {
  await inDirectory(async (root) => {
    const busy = new Set<string>();
    const ran: RunOptions[] = [];
    let widest = 0;
    const results = await runAll(allOptions(root, async (options) => {
      ran.push(options);
      assert(!busy.has(options.workspace), "two runs in one workspace");
      busy.add(options.workspace);
      widest = Math.max(widest, busy.size);
      await Deno.mkdir(options.workspace, { recursive: true });
      await new Promise((resolve) => setTimeout(resolve, 1));
      busy.delete(options.workspace);
      const { runId, nemesis } = options.choice;
      if (nemesis === "mixed_failover") throw new Error("no cluster");
      return { ...PASSED, runId };
    }));
    assertEquals(results.map(({ runId }) => runId), ALL_RUNS.map(({ runId }) => runId));
    assertEquals(ran.length, ALL_RUNS.length);
    assertEquals(widest, 2);
    assertEquals(results.filter(({ outcome }) => outcome.state === "error").length, 3);
    assertEquals(worstOf(results), "error");
    for (const { choice, window } of ran) {
      assertEquals(window.secs, choice.nemesis === "none" ? undefined : 5);
    }
    for (const name of Object.values(SUMMARY_FILES)) {
      const text = await Deno.readTextFile(join(root, "out", name));
      assertStringIncludes(text, "expiration_and_recovery-mixed-failover");
    }
    // Of runs that broke off the cluster is kept, of runs that passed it is not.
    const left: string[] = [];
    for await (const { name } of Deno.readDir(join(root, "ws"))) left.push(basename(name));
    const clusters = left.filter((name) => name !== "LOCK");
    assert(clusters.every((name) => /^lane-[12](\.[0-9]+)?$/.test(name)), left.join());
  });
});

Deno.test("runAll() begins nothing more once it was told to stop", async () => {
  await inDirectory(async (root) => {
    const stop = new AbortController();
    const options = allOptions(root, ({ choice }) => {
      stop.abort();
      return Promise.resolve({ ...PASSED, runId: choice.runId });
    }, 1);
    const results = await runAll({ ...options, signal: stop.signal });
    assertEquals(results.length, 1);
  });
});

Deno.test("worstOf() lets nothing hide an invalid history", () => {
  const of = (change: Partial<RunOutcome>): RunResult => ({
    ...{ runId: "x", isReleaseBlocking: true, kind: "ran", outcome: { ...PASSED, ...change } },
  });
  const [valid, blocked] = [of({}), of({ state: "failed", isGatePassed: false })];
  const unknown = of({ verdict: "unknown", isGatePassed: false });
  const error = of({ state: "error", verdict: undefined, isGatePassed: false, error: "e" });
  const invalid = of({ state: "error", verdict: "invalid", isGatePassed: false, error: "e" });
  assertEquals([valid, blocked, unknown, error, invalid].map(({ outcome }) => standing(outcome)), [
    ...["valid", "blocked", "unknown", "error", "invalid"] as const,
  ]);
  const all = [valid, blocked, unknown, error, invalid];
  for (let count = all.length; count > 0; count--) {
    assertEquals(worstOf(all.slice(0, count)), standing(all[count - 1]!.outcome));
  }
  assertEquals(worstOf([]), "valid");
});

Deno.test("tables say the same in columns and on a page", () => {
  const results: RunResult[] = MATRIX.slice(0, 2).map(({ runId, isReleaseBlocking }, i) => ({
    ...{ runId, isReleaseBlocking, kind: i === 0 ? "ran" : "kept" },
    outcome: { ...PASSED, runId, isGateEvidence: false, gateEvidenceReason: "too | short" },
  }));
  assertEquals(
    tableText(results),
    "run                                   state          verdict  blockers  attempts  faults  elapsed  evidence\n" +
      "reservation_contention-control        passed         valid    0         9         2       3s       no\n" +
      "reservation_contention-crash-restart  passed (kept)  valid    0         9         2       3s       no\n" +
      "no evidence: too | short (2 runs)\n",
  );
  assertEquals(
    tableMarkdown(results).split("\n")[2],
    "| reservation_contention-control | passed | valid | 0 | 9 | 2 | 3s | no |",
  );
});
