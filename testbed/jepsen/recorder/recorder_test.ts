// What a recorder was told has to be in the file in that order, all of it after `flush`, whatever else goes on; and a disk that
// fails has to stop the run rather than leave a hole.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { READ_DEFAULTS } from "../codec/format.ts";
import { readHistory } from "../codec/read.ts";
import { Recorder } from "./recorder.ts";

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function invoke(recorder: Recorder, process: number, i: number): void {
  recorder.invoke({
    type: "invoke",
    process,
    timeNs: recorder.nowNs(),
    key: { clientId: 1n, operationId: BigInt(i) },
    request: { kind: "create_resource", resourceId: 2n ** 100n + BigInt(i) },
  });
}

function complete(recorder: Recorder, process: number, lsn: bigint): void {
  const answer = { kind: "applied", code: "ok", lsn } as const;
  recorder.complete({ type: "ok", process, timeNs: recorder.nowNs(), answer });
}

Deno.test("Recorder keeps every event in its order, through batches of every size", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "run-history.cbor");
    const recorder = await Recorder.create(path, { model: "reservation", runId: "run" });
    const process = recorder.nextProcess("client 1");
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      invoke(recorder, process, i);
      complete(recorder, process, BigInt(i + 1));
      if (i % 5_000 === 0) await recorder.flush();
      if (i % 900 === 0) await new Promise((done) => setTimeout(done, 0));
    }
    assertEquals(recorder.events, 2 * count);
    await recorder.close();
    const found = await readHistory(path, READ_DEFAULTS);
    assertEquals(found.notes, []);
    assertEquals(found.processNames, new Map([[process, "client 1"]]));
    assertEquals(found.operations.length, count);
    for (const [i, { request, outcome, invokedNs, completedNs }] of found.operations.entries()) {
      assertEquals(request, { kind: "create_resource", resourceId: 2n ** 100n + BigInt(i) });
      assertEquals(
        outcome.kind === "ok" && "lsn" in outcome.answer && outcome.answer.lsn,
        BigInt(i + 1),
      );
      assertEquals(invokedNs! <= completedNs!, true);
    }
  });
});

Deno.test("Recorder.flush() makes everything so far readable while it goes on", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "history.cbor");
    await using recorder = await Recorder.create(path, { model: "reservation" });
    assertEquals((await readHistory(path, READ_DEFAULTS)).events, 0);
    invoke(recorder, recorder.nextProcess(), 1);
    recorder.fault({ type: "fault", timeNs: 5, phase: "start", name: "kill", id: 1 });
    recorder.sample({ type: "replica", timeNs: 6, replicaId: 1, state: "active" });
    await recorder.flush();
    const { events, faults, samples, notes } = await readHistory(path, READ_DEFAULTS);
    assertEquals([events, faults.length, samples.length], [1, 1, 1]);
    assertStringIncludes(notes.join(), "no end mark");
  });
});

Deno.test("Recorder does not write over a recording", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "history.cbor");
    await using _recorder = await Recorder.create(path, { model: "reservation" });
    await assertRejects(
      () => Recorder.create(path, { model: "reservation" }),
      Deno.errors.AlreadyExists,
    );
  });
});

Deno.test({
  name: "Recorder that cannot write says so, and takes no more events",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await inDirectory(async (directory) => {
      // Nothing fits there, but opening it is allowed.
      const path = join(directory, "full");
      await Deno.symlink("/dev/full", path);
      const file = await Deno.open(path, { write: true });
      const recorder = Recorder.on(file, { model: "reservation" });
      await assertRejects(() => recorder.flush(), Error, "No space");
      let error: unknown;
      try {
        invoke(recorder, 0, 0);
      } catch (caught) {
        error = caught;
      }
      assertStringIncludes(`${error}`, "No space");
      await assertRejects(() => recorder.close(), Error, "No space");
    });
  },
});
