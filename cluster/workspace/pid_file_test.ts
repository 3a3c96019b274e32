// A pid file is an invitation to kill. Only the very process that it was written for counts: a number that was
// used again, a file of somebody else's making, a process that has ended are told apart and never signalled.
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { readPidFile, removeOwnPidFile, writePidFile } from "./pid_file.ts";
import { isPaused, isRunning, type ProcessMark, processMark, signalProcess } from "./processes.ts";

async function withFile(use: (path: string) => Promise<void> | void): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(join(directory, "replica-1.pid"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function withSleeper(
  use: (mark: ProcessMark, end: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const child = new Deno.Command("sleep", { args: ["60"], stdin: "null" }).spawn();
  const end = async (): Promise<void> => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
    await child.status;
  };
  try {
    await use(processMark(child.pid)!, end);
  } finally {
    await end();
  }
}

Deno.test("readPidFile() tells running, ended, missing and foreign apart", async () => {
  await withFile(async (path) => {
    assertEquals(readPidFile(path), { kind: "missing" });
    await withSleeper(async (mark, end) => {
      writePidFile(path, mark);
      assertEquals(Deno.readTextFileSync(path), `${mark.pid}\nstart=${mark.start}\n`);
      assertEquals(readPidFile(path), { kind: "running", mark });
      await end();
      assertEquals(readPidFile(path), { kind: "stale", pid: mark.pid });
    });
    for (const text of ["", "abc", "-1", "0", "1.5", "99999999999999999999", `x${Deno.pid}`]) {
      Deno.writeTextFileSync(path, text);
      assertEquals(readPidFile(path), { kind: "foreign" }, text);
    }
  });
});

Deno.test("a number that another process has now is stale, and signalProcess() leaves it alone", async () => {
  await withFile(async (path) => {
    await withSleeper((mark) => {
      const [ticks, boot] = mark.start.split("@");
      for (const start of [`${Number(ticks) - 1}@${boot}`, `${ticks}@another-boot`]) {
        const reused = { pid: mark.pid, start };
        writePidFile(path, reused);
        assertEquals(readPidFile(path), { kind: "stale", pid: mark.pid });
        assertEquals([isRunning(reused), signalProcess(reused, "SIGKILL")], [false, false]);
      }
      assert(isRunning(mark));
      return Promise.resolve();
    });
  });
});

Deno.test("a bare number, as the reference wrote it, is foreign while any process has it", async () => {
  await withFile(async (path) => {
    await withSleeper(async (mark, end) => {
      Deno.writeTextFileSync(path, String(mark.pid));
      assertEquals(readPidFile(path), { kind: "foreign" });
      await end();
      assertEquals(readPidFile(path), { kind: "stale", pid: mark.pid });
    });
  });
});

Deno.test("signalProcess() reaches the process of the mark, and isPaused() sees it stop", async () => {
  await withSleeper(async (mark, end) => {
    assertEquals([signalProcess(mark, "SIGSTOP"), await settles(mark, true)], [true, true]);
    assertEquals([signalProcess(mark, "SIGCONT"), await settles(mark, false)], [true, false]);
    await end();
    assertEquals([signalProcess(mark, "SIGKILL"), isPaused(mark)], [false, false]);
  });
});

Deno.test("removeOwnPidFile() removes a file of this very process only", async () => {
  await withFile(async (path) => {
    await withSleeper((mark) => {
      writePidFile(path, mark);
      removeOwnPidFile(path);
      assertEquals(readPidFile(path).kind, "running");
      return Promise.resolve();
    });
    writePidFile(path, processMark(Deno.pid)!);
    removeOwnPidFile(path);
    assertEquals(readPidFile(path), { kind: "missing" });
    removeOwnPidFile(path);
  });
});

async function settles(mark: ProcessMark, wanted: boolean): Promise<boolean> {
  for (let i = 0; i < 200 && isPaused(mark) !== wanted; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return isPaused(mark);
}
