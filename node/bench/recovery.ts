/** Scenario recovery: how fast a log becomes a running node again. */
import type { Metrics } from "../api.ts";
import type { Disk } from "../disk.ts";
import { DenoDisk } from "../io/deno_disk.ts";
import { closeBenchNode, openBenchNode } from "./bench_node.ts";
import { count, rounded, size, timeMs } from "./format.ts";
import { InsideLoad } from "./inside_load.ts";
import { LOAD_CONFIG } from "./load_bounds.ts";
import { type BenchContext, invariantViolation, pause, type ScenarioReport } from "./scenario.ts";

/** What was written and how long it took to read it back. */
export interface RecoveryRun {
  readonly frames: number;
  readonly walBytes: number;
  readonly writtenMs: number;
  readonly recoveredMs: number;
}

const SCENARIO = "recovery";
const BATCH = 1_024;
const FIRST_RESOURCE_ID = 1;
const BATCHES_PER_PAUSE = 32;

/**
 * Runs the scenario.
 *
 * @param context Where and how much.
 * @returns Its report.
 */
export async function recovery(context: BenchContext): Promise<ScenarioReport> {
  const frames = context.sizes.recoveryFrames;
  context.progress(`writing ${count(frames)} commands, then reading them back`);
  return report(await runRecovery(new DenoDisk(context.directory), frames, context.signal));
}

/**
 * Writes a log and recovers a node from it.
 *
 * @param disk An empty directory.
 * @param frames Commands in the log.
 * @param signal Ends it early.
 * @returns The figures.
 * @throws {CliError} E_BUG when what comes back is not what was there.
 */
export async function runRecovery(
  disk: Disk,
  frames: number,
  signal: AbortSignal,
): Promise<RecoveryRun> {
  const writtenMs = performance.now();
  const before = await write(disk, frames, signal);
  const startMs = performance.now();
  const node = openBenchNode(disk, LOAD_CONFIG);
  const endMs = performance.now();
  const after = node.metrics(before.core.lastRequestSlot);
  await closeBenchNode(node);
  const replayed = after.recovery.replayedWalFrameCount;
  if (replayed !== frames || !isSame(before.core, after.core)) {
    const found = `${replayed} of ${frames} frames were replayed to another state`;
    throw invariantViolation(SCENARIO, "recover", found);
  }
  return {
    frames,
    walBytes: before.wal.bytes,
    writtenMs: startMs - writtenMs,
    recoveredMs: endMs - startMs,
  };
}

/** Exactly `frames` commands: creates, and then rounds of reserve, confirm and release. */
async function write(disk: Disk, frames: number, signal: AbortSignal): Promise<Metrics> {
  const node = openBenchNode(disk, LOAD_CONFIG);
  try {
    const load = new InsideLoad(SCENARIO, node, BATCH);
    const left = (): number => Math.min(BATCH, frames - load.commands);
    await load.create(FIRST_RESOURCE_ID, left());
    for (let round = 0; load.commands < frames; round++) {
      if (round % BATCHES_PER_PAUSE === 0) await pause(signal);
      await load.reserve(FIRST_RESOURCE_ID, left());
      await load.confirm(left());
      await load.release(left());
    }
    await node.drain();
    const { lastRequestSlot } = node.metrics().core;
    return node.metrics(lastRequestSlot);
  } finally {
    await closeBenchNode(node);
  }
}

function isSame(before: Metrics["core"], after: Metrics["core"]): boolean {
  return Object.entries(before).every(([key, value]) => after[key as keyof typeof after] === value);
}

function report(run: RecoveryRun): ScenarioReport {
  const seconds = run.recoveredMs / 1_000;
  return {
    scenario: SCENARIO,
    durable: true,
    says:
      "A node writes a log and stops without a snapshot; the next one checks every byte of the " +
      "log and applies every command again before it serves.",
    table: [
      ["FRAMES", "FRAMES/S", "LOG", "LOG/S", "UNTIL IT SERVES"],
      [
        count(run.frames),
        count(run.frames / seconds),
        size(run.walBytes),
        size(run.walBytes / seconds),
        timeMs(run.recoveredMs),
      ],
    ],
    notes: ["The system still has the log in its cache, so this is not the speed of the disk."],
    data: {
      scenario: SCENARIO,
      durable: true,
      frames: run.frames,
      wal_bytes: run.walBytes,
      written_ms: rounded(run.writtenMs),
      recovered_ms: rounded(run.recoveredMs),
      frames_per_second: Math.round(run.frames / seconds),
      wal_bytes_per_second: Math.round(run.walBytes / seconds),
    },
  };
}
