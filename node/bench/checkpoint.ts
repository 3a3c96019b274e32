/** Scenario checkpoint: what writing a large snapshot does to the commands that come meanwhile. */
import type { CheckpointResult } from "../api.ts";
import type { NodeConfig } from "../config/text.ts";
import type { Disk } from "../disk.ts";
import { DenoDisk } from "../io/deno_disk.ts";
import type { Node } from "../node.ts";
import { SNAPSHOT_FILE } from "../snapshot/store.ts";
import { closeBenchNode, openBenchNode } from "./bench_node.ts";
import { count, rounded, size, timeMs } from "./format.ts";
import { InsideLoad } from "./inside_load.ts";
import { LOAD_CONFIG } from "./load_bounds.ts";
import { type Percentiles, timeKeys, Times } from "./recorder.ts";
import {
  type BenchContext,
  type Figures,
  invariantViolation,
  pause,
  type ScenarioReport,
} from "./scenario.ts";

/** One stretch of the load. */
interface Stretch {
  readonly commands: number;
  readonly elapsedMs: number;
  /** From the end of a batch to the end of the next. */
  readonly gaps: Percentiles;
}

/** What a run came to. */
export interface CheckpointRun {
  readonly records: number;
  readonly without: Stretch;
  readonly during: Stretch;
  readonly snapshotBytes: number;
  /** From asking for it to having it, under load. */
  readonly checkpointMs: number;
  /** Snapshot and the log behind it, until a new node serves. */
  readonly recoveredMs: number;
  readonly replayedFrames: number;
}

const SCENARIO = "checkpoint";
const BATCH = 1_024;
const BATCHES_PER_PAUSE = 32;
/** Room for the reservations of the load, which stay readable for a while after their end. */
const LOAD_RESERVATIONS = 262_144;
/** A checkpoint that takes longer has failed. */
const CHECKPOINT_MS_MAX = 300_000;

function checkpointConfig(records: number): NodeConfig {
  const { core, engine } = LOAD_CONFIG;
  const maxReservations = records + LOAD_RESERVATIONS;
  const maxResources = records + BATCH;
  const maxExpirationBucketLen = maxReservations;
  return { core: { ...core, maxResources, maxReservations, maxExpirationBucketLen }, engine };
}

/**
 * Runs the scenario.
 *
 * @param context Where and how much.
 * @returns Its report.
 */
export async function checkpoint(context: BenchContext): Promise<ScenarioReport> {
  const { checkpointRecords: records, checkpointBaselineSeconds: seconds } = context.sizes;
  context.progress(`making ${count(records)} resources and as many reservations`);
  const disk = new DenoDisk(context.directory);
  return report(await runCheckpoint(disk, records, seconds, context));
}

/**
 * Fills a node, loads it, and has it write a checkpoint under the load.
 *
 * @param disk An empty directory.
 * @param records Resources, and confirmed reservations.
 * @param baselineSeconds Load without a checkpoint, to compare with.
 * @param context What is said and what ends it early.
 * @returns The figures.
 */
export async function runCheckpoint(
  disk: Disk,
  records: number,
  baselineSeconds: number,
  { signal, progress }: Pick<BenchContext, "signal" | "progress">,
): Promise<CheckpointRun> {
  const node = openBenchNode(disk, checkpointConfig(records));
  let loaded;
  try {
    const load = new InsideLoad(SCENARIO, node, BATCH);
    await fill(load, records, signal);
    progress("batch after batch, without a checkpoint and with one");
    loaded = await measure(node, new Steady(load, records + 1, signal), baselineSeconds);
  } finally {
    await closeBenchNode(node);
  }
  const snapshotBytes = disk.size(SNAPSHOT_FILE);
  if (snapshotBytes === undefined) throw invariantViolation(SCENARIO, "checkpoint", "no snapshot");
  return { records, ...loaded, snapshotBytes, ...await reopen(disk, records) };
}

/** The resources of the load come last: they alone are free. */
async function fill(load: InsideLoad, records: number, signal: AbortSignal): Promise<void> {
  for (let first = 1; first <= records; first += BATCH) {
    const batch = Math.min(BATCH, records + 1 - first);
    await load.create(first, batch);
    await load.reserve(first, batch);
    await load.confirm(batch);
    if (first % (BATCHES_PER_PAUSE * BATCH) === 1) await pause(signal);
  }
  await load.create(records + 1, BATCH);
}

async function measure(
  node: Node,
  steady: Steady,
  baselineSeconds: number,
): Promise<Pick<CheckpointRun, "without" | "during" | "checkpointMs">> {
  const startMs = performance.now();
  const without = await steady.until(() => performance.now() - startMs >= baselineSeconds * 1_000);
  const askedMs = performance.now();
  let result: CheckpointResult | undefined;
  let checkpointMs = 0;
  const isOver = (): boolean =>
    result !== undefined || performance.now() - askedMs > CHECKPOINT_MS_MAX;
  const during = await steady.until(isOver, () =>
    node.checkpoint((ended) => {
      result = ended;
      checkpointMs = performance.now() - askedMs;
    }));
  if (result?.kind === "done") return { without, during, checkpointMs };
  throw invariantViolation(SCENARIO, "checkpoint", result?.kind ?? "it does not end");
}

/** Batch after batch, each in a turn of its own, so that files and timers have theirs, too. */
class Steady {
  readonly #load: InsideLoad;
  readonly #firstResourceId: number;
  readonly #signal: AbortSignal;

  constructor(load: InsideLoad, firstResourceId: number, signal: AbortSignal) {
    this.#load = load;
    this.#firstResourceId = firstResourceId;
    this.#signal = signal;
  }

  /** Goes on until a batch ends and `isOver`. What `begin` does counts to the first gap. */
  async until(isOver: () => boolean, begin?: () => void): Promise<Stretch> {
    const gaps = new Times();
    const before = this.#load.commands;
    const startMs = performance.now();
    begin?.();
    let endMs = startMs;
    do {
      await this.#load.next(this.#firstResourceId);
      const nowMs = performance.now();
      gaps.add(nowMs - endMs);
      endMs = nowMs;
      await pause(this.#signal);
    } while (!isOver());
    const commands = this.#load.commands - before;
    return { commands, elapsedMs: endMs - startMs, gaps: gaps.percentiles() };
  }
}

async function reopen(
  disk: Disk,
  records: number,
): Promise<Pick<CheckpointRun, "recoveredMs" | "replayedFrames">> {
  const startMs = performance.now();
  const node = openBenchNode(disk, checkpointConfig(records));
  const recoveredMs = performance.now() - startMs;
  const { startupKind, replayedWalFrameCount } = node.startup;
  await closeBenchNode(node);
  if (startupKind !== "snapshot_and_wal") {
    throw invariantViolation(SCENARIO, "recover", `startup_kind=${startupKind}`);
  }
  return { recoveredMs, replayedFrames: replayedWalFrameCount };
}

/** How much longer than usual the longest gap was, in microseconds. */
function stallUs({ gaps }: Stretch, usual: Stretch): number {
  return Math.max(0, gaps.max - usual.gaps.p50);
}

function report(run: CheckpointRun): ScenarioReport {
  const { without, during } = run;
  const seconds = run.checkpointMs / 1_000;
  return {
    scenario: SCENARIO,
    durable: true,
    says:
      `A node with ${count(run.records)} resources and as many confirmed reservations writes a ` +
      `snapshot while batches of ${count(BATCH)} commands keep coming.`,
    table: [
      ["BETWEEN TWO BATCHES", "MEDIAN", "P99", "LONGEST", "STALL", "COMMANDS/S"],
      ["without a checkpoint", ...cells(without, without)],
      ["while it is written", ...cells(during, without)],
    ],
    notes: [
      "Stall: the longest gap less the median without a checkpoint.",
      `Snapshot: ${size(run.snapshotBytes)} in ${timeMs(run.checkpointMs)}, ` +
      `${size(run.snapshotBytes / seconds)}/s under load. A new node serves from it, and ` +
      `${count(run.replayedFrames)} commands behind it, after ${timeMs(run.recoveredMs)}.`,
    ],
    data: checkpointKeys(run),
  };
}

function cells(stretch: Stretch, usual: Stretch): string[] {
  const { gaps: { p50, p99, max }, commands, elapsedMs } = stretch;
  const gaps = [p50, p99, max, stallUs(stretch, usual)].map((us) => timeMs(us / 1_000));
  return [...gaps, count(commands / elapsedMs * 1_000)];
}

function checkpointKeys(run: CheckpointRun): Figures {
  const stretch = (each: Stretch): Figures => ({
    commands: each.commands,
    elapsed_ms: rounded(each.elapsedMs),
    commands_per_second: Math.round(each.commands / each.elapsedMs * 1_000),
    batch_gap_us: timeKeys(each.gaps),
    longest_stall_us: stallUs(each, run.without),
  });
  return {
    scenario: SCENARIO,
    durable: true,
    resources: run.records,
    reservations: run.records,
    longest_stall_us: stallUs(run.during, run.without),
    without_checkpoint: stretch(run.without),
    during_checkpoint: stretch(run.during),
    snapshot_bytes: run.snapshotBytes,
    checkpoint_ms: rounded(run.checkpointMs),
    snapshot_bytes_per_second: Math.round(run.snapshotBytes / run.checkpointMs * 1_000),
    recovered_ms: rounded(run.recoveredMs),
    replayed_frames: run.replayedFrames,
  };
}
