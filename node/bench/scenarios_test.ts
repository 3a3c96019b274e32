// The scenarios that need no second process, on sizes of a moment: every count in them is exact.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { CliError } from "../errors.ts";
import { runCheckpoint } from "./checkpoint.ts";
import { runEngineMix } from "./engine_mix.ts";
import { runHotspot } from "./hotspot.ts";
import { runRecovery } from "./recovery.ts";

const NEVER = new AbortController().signal;
const SILENT = { signal: NEVER, progress: (): void => {} };
const LOG_HEADER_BYTES = 512;
const CREATE_FRAME_BYTES = 120;
const HOLDER_FRAME_BYTES = 144;

Deno.test("runEngineMix() reaches a steady state in which as much is forgotten as comes", async () => {
  for (const [resources, wanted, held] of [[100, 100, 10], [5_000, 7, 1], [10, 10, 9]] as const) {
    const sizes = { resources, wanted, held, commands: 20_000, commandsPerSlot: 100 };
    const run = await runEngineMix(sizes, NEVER);
    assert(run.commands >= sizes.commands);
    // An operation is remembered in its own slot, which may be incomplete, and the 150 after it.
    assert(run.operationsRemembered > 150 * 100, `${run.operationsRemembered}`);
    assert(run.operationsRemembered <= 151 * 100, `${run.operationsRemembered}`);
  }
});

Deno.test("runEngineMix() does not pass off a refused command as work", async () => {
  // More are held than there are resources: the next reserve finds its resource busy.
  const sizes = { resources: 10, wanted: 10, held: 11, commands: 1_000, commandsPerSlot: 100 };
  const error = await assertRejects(() => runEngineMix(sizes, NEVER), CliError);
  assertEquals(error.code, "E_BUG");
  const found = "command 26: resource_busy instead of ok";
  assertEquals(error.message, `invariant violation in engine, ${found}`);
});

Deno.test("runRecovery() writes and replays exactly the frames it was asked for", async () => {
  for (const frames of [1, 1_023, 1_024, 1_025, 2_048, 3_000, 5_121]) {
    const { walBytes, ...run } = await runRecovery(new MemoryDisk(), frames, NEVER);
    assertEquals(run.frames, frames);
    const creates = Math.min(frames, 1_024);
    const bytes = creates * CREATE_FRAME_BYTES + (frames - creates) * HOLDER_FRAME_BYTES;
    assertEquals(walBytes, LOG_HEADER_BYTES + bytes);
  }
});

Deno.test("runCheckpoint() loads a node before and while it writes a snapshot, and starts from that", async () => {
  const run = await runCheckpoint(new MemoryDisk(), 1_500, 0.02, SILENT);
  assert(run.snapshotBytes > 1_500 * 8 * 4, `${run.snapshotBytes}`);
  for (const { commands, gaps } of [run.without, run.during]) {
    assert(commands > 0 && commands % 1_024 === 0);
    assert(gaps.max >= gaps.p50);
  }
  // Nothing but the commands after the freeze is left for the log.
  assertEquals(run.replayedFrames, run.during.commands);
});

Deno.test("a scenario whose disk fails says so, and does not call it a bug", async () => {
  const disk = new MemoryDisk();
  disk.plan({ nth: 40, action: "sync", effect: "disk_full" });
  const sizes = { rounds: 30, contenders: 3 };
  const error = await assertRejects(() => runHotspot(disk, sizes, false, NEVER), CliError);
  assertEquals(error.code, "E_IO");
  assert(error.message.startsWith("the disk failed while measuring: "), error.message);
});

Deno.test("the scenarios end when they are interrupted", async () => {
  const interrupted = AbortSignal.abort();
  const sizes = { resources: 10, wanted: 10, held: 1, commands: 10, commandsPerSlot: 10 };
  const progress = (): void => {};
  const runs = [
    (): Promise<unknown> => runEngineMix(sizes, interrupted),
    (): Promise<unknown> => runRecovery(new MemoryDisk(), 2_000, interrupted),
    (): Promise<unknown> =>
      runCheckpoint(new MemoryDisk(), 10, 0, { signal: interrupted, progress }),
  ];
  for (const run of runs) {
    assertEquals((await assertRejects(run, CliError)).code, "E_INTERRUPTED");
  }
});
