import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Backend } from "../backend/backend.ts";
import type { RunOptions } from "../run/options.ts";
import { MATRIX } from "../run/plan.ts";
import type { RunOutcome } from "../run/run.ts";
import { tableJson } from "../run/table.ts";
import { faultWindow } from "../run/window.ts";
import { runInProcess } from "./child_run.ts";

const CHOICE = MATRIX[1]!;

const OPTIONS: RunOptions = {
  ...{ choice: CHOICE, window: faultWindow(1_800, 7), backendName: "local", seed: 3, clients: 5 },
  ...{ workspace: "ws", outputRoot: "out" },
  program: { path: undefined, sha256: undefined, isShipped: false },
  backend: (): Backend => {
    throw new Error("the process has its own");
  },
};

const OUTCOME: RunOutcome = {
  ...{ runId: CHOICE.runId, state: "failed", verdict: "invalid", blockers: 2, attempts: 90 },
  ...{ isGatePassed: false, isGateEvidence: false, gateEvidenceReason: "it was short" },
  ...{ historyFile: "h", bundle: "b", logsArchive: undefined, report: "", error: undefined },
  ...{ elapsedSecs: 12, faults: 4 },
};

/** A program that is the shell script `text`; `$*` are its arguments. */
function shell(text: string): { readonly path: string; readonly args: readonly string[] } {
  return { path: "/bin/sh", args: ["-c", text, "sh"] };
}

Deno.test("runInProcess() hands a run over and understands what the process says of it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const [said, asked] = [join(directory, "said"), join(directory, "asked")];
    const result = {
      runId: CHOICE.runId,
      isReleaseBlocking: true,
      kind: "ran",
      outcome: OUTCOME,
    } as const;
    await Deno.writeTextFile(said, JSON.stringify(tableJson([result])));
    const program = shell(`echo "$*" > ${asked}; cat ${said}; exit 3`);
    assertEquals(await runInProcess(OPTIONS, program), OUTCOME);
    const words = (await Deno.readTextFile(asked)).trim();
    assertEquals(
      words,
      `jepsen run --backend local --run-id ${CHOICE.runId} --workspace ws --output-root out ` +
        "--seed 3 --clients 5 --json",
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("runInProcess() tells the last words of a process that says nothing of its run", async () => {
  const died = "its process ended with 70: something broke";
  await assertRejects(
    () => runInProcess(OPTIONS, shell("echo something broke >&2; exit 70")),
    Error,
    died,
  );
  await assertRejects(
    () => runInProcess(OPTIONS, shell("echo '{\"runs\":[]}'")),
    Error,
    "ended with 0",
  );
});

Deno.test("runInProcess() asks its process to stop when the runs are stopped", async () => {
  const stop = new AbortController();
  const running = runInProcess({ ...OPTIONS, signal: stop.signal }, shell("exec sleep 60"));
  setTimeout(() => stop.abort(), 50);
  await assertRejects(() => running, Error, "its process ended with 143");
});
