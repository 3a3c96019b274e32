// Two processes on one data directory would each overwrite what the other promised. The lock must keep the
// second out, say who is in, and never outlive its holder, however that ends.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { LOCK_FILE } from "../data_dir.ts";
import { DiskFault } from "../disk.ts";
import { type DirectoryLock, lockDirectory, type LockResult } from "./lock.ts";

const HOLDER = fromFileUrl(new URL("../../tests/support/hold_lock.ts", import.meta.url));
/** Short for a rival that must lose; long for one that must win on a busy machine. */
const SHORT_MS = 30;
const LONG_MS = 20_000;

Deno.test("lockDirectory() keeps a rival out, names the holder and lets the next one in", async () => {
  await inTemporaryDirectory(async (directory) => {
    const lock = held(await lockDirectory(directory, LONG_MS));
    const rival = await lockDirectory(directory, SHORT_MS);
    assert(rival.kind === "in_use");
    assertEquals(rival.pid, Deno.pid);
    assertEquals(rival.message, `${directory} is in use by process ${Deno.pid}`);
    lock.release();
    lock.release();
    await rival.abandoned;
    using _next = held(await lockDirectory(directory, LONG_MS));
  });
});

Deno.test("lockDirectory() waits for a holder that lets go in time", async () => {
  await inTemporaryDirectory(async (directory) => {
    const lock = held(await lockDirectory(directory, LONG_MS));
    const rival = lockDirectory(directory, LONG_MS);
    lock.release();
    using _next = held(await rival);
  });
});

Deno.test("lockDirectory() gives back what it gave up waiting for", async () => {
  await inTemporaryDirectory(async (directory) => {
    const lock = held(await lockDirectory(directory, LONG_MS));
    const rivals = await Promise.all([1, 2, 3].map(() => lockDirectory(directory, SHORT_MS)));
    lock.release();
    for (const rival of rivals) {
      assert(rival.kind === "in_use");
      await rival.abandoned;
    }
    using _next = held(await lockDirectory(directory, LONG_MS));
  });
});

Deno.test("lockDirectory() keeps another process out and is free when that process is killed", async () => {
  await inTemporaryDirectory(async (directory) => {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", "--no-lock", HOLDER, directory],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = process.stdout.getReader();
    const line = new TextDecoder().decode((await output.read()).value);
    const rival = await lockDirectory(directory, SHORT_MS);
    process.kill("SIGKILL");
    await process.stdin.abort();
    await output.cancel();
    await process.status;

    assertEquals(line, "held\n");
    assert(rival.kind === "in_use");
    assertEquals(rival.pid, process.pid);
    await rival.abandoned;
    using _next = held(await lockDirectory(directory, LONG_MS));
    assertEquals(Deno.readTextFileSync(`${directory}/${LOCK_FILE}`), `${Deno.pid}\n`);
  });
});

Deno.test("lockDirectory() names no holder when the file holds no pid", async () => {
  await inTemporaryDirectory(async (directory) => {
    const lock = held(await lockDirectory(directory, LONG_MS));
    const rivals: LockResult[] = [];
    for (const text of ["", "12", "x\n", "-1\n", "0\n", "1\n2\n", "9".repeat(40)]) {
      Deno.writeTextFileSync(`${directory}/${LOCK_FILE}`, text);
      rivals.push(await lockDirectory(directory, SHORT_MS));
    }
    lock.release();
    for (const rival of rivals) {
      assert(rival.kind === "in_use");
      await rival.abandoned;
      assertEquals(rival.pid, undefined);
      assertEquals(rival.message, `${directory} is in use by another process`);
    }
  });
});

Deno.test("DirectoryLock.release() leaves no pid behind", async () => {
  await inTemporaryDirectory(async (directory) => {
    held(await lockDirectory(directory, LONG_MS)).release();
    assertEquals(Deno.readTextFileSync(`${directory}/${LOCK_FILE}`), "");
  });
});

Deno.test("lockDirectory() fails with the disk's fault where no lock can be", async () => {
  await inTemporaryDirectory(async (directory) => {
    const missing = await assertRejects(() => lockDirectory(`${directory}/nowhere`), DiskFault);
    Deno.mkdirSync(`${directory}/${LOCK_FILE}`);
    const occupied = await assertRejects(() => lockDirectory(directory), DiskFault);
    assertEquals([missing, occupied].map((fault) => (fault as DiskFault).kind), [
      "not_found",
      "io_error",
    ]);
  });
});

function held(result: LockResult): DirectoryLock {
  assert(result.kind === "held");
  return result.lock;
}

async function inTemporaryDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    await run(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
