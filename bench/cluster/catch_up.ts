/** How fast a replica that lost its disk gets everything back, and what the writes feel of it. */
import { dirname } from "@std/path";
import { controlCall } from "../../node/control/client.ts";
import { loadBoundFlags } from "../../node/bench/load_bounds.ts";
import { generateLoad } from "../peers/allocdb.ts";
import { sleep } from "../peers/process.ts";
import { primaryIn, type ReplicaLook, Replicas, type ReplicasOptions } from "./replicas.ts";
import { Writers } from "./writers.ts";

/** What came of it. */
export interface CatchUpFigures {
  /** Bytes that the replica had to get. */
  readonly bytes: number;
  readonly seconds: number;
  readonly mibPerSecond: number;
  /** 99th percentile of writes before and meanwhile, in microseconds. */
  readonly p99UsBefore: number;
  readonly p99UsMeanwhile: number;
  readonly p99Ratio: number;
}

/** About 3,000 writes a second: a cluster with work to do, and with room. */
const LOAD = { writers: 32, pauseMs: 10 };
const BEFORE_MS = 10_000;
/** Batches that fill the log, and for how long at a time. */
const FILLING = { connections: 4, inFlight: 1 };
const FILLING_BATCH = 1_024;
const FILLING_SECONDS = 5;
const FILLINGS_MAX = 120;
const CATCH_UP_MS_MAX = 600_000;
const LOOK_MS = 100;
const CALL = { timeoutMs: 1_000 };
/** Bytes of space in a file that is given out in blocks of 512, whatever its length says. */
const BLOCK_BYTES = 512;

/** Speed and ratio from what was measured. */
export function catchUpFigures(
  bytes: number,
  seconds: number,
  p99UsBefore: number,
  p99UsMeanwhile: number,
): CatchUpFigures {
  return {
    bytes,
    seconds,
    mibPerSecond: bytes / 2 ** 20 / seconds,
    p99UsBefore,
    p99UsMeanwhile,
    p99Ratio: p99UsMeanwhile / p99UsBefore,
  };
}

/** Bytes that the files of a directory take on the disk: a log's next file may be long and hold nothing yet. */
async function bytesIn(directory: string): Promise<number> {
  let sum = 0;
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (!isFile) continue;
    const { size, blocks } = await Deno.stat(`${directory}/${name}`);
    sum += Math.min(size, (blocks ?? Infinity) * BLOCK_BYTES);
  }
  return sum;
}

/** Writes until a replica's directory holds so much. */
async function fill(replicas: Replicas, bytes: number, signal: AbortSignal): Promise<void> {
  const { client, wal } = await replicas.primary();
  for (let i = 0; i < FILLINGS_MAX; i++) {
    if (await bytesIn(dirname(wal)) >= bytes) return;
    await generateLoad(client, FILLING, FILLING_BATCH, FILLING_SECONDS, signal);
  }
  throw new Error(`${FILLINGS_MAX * FILLING_SECONDS} s of load made no ${bytes} bytes`);
}

async function appliedLsn({ control }: ReplicaLook): Promise<bigint> {
  const status = await controlCall(control, { request: "status" }, CALL).catch(() => undefined);
  return status?.applied_lsn ?? 0n;
}

/** Waits until the replica has applied what the primary had committed a look earlier. */
async function untilCaughtUp(
  wiped: ReplicaLook,
  primary: ReplicaLook,
  signal: AbortSignal,
): Promise<void> {
  const endMs = performance.now() + CATCH_UP_MS_MAX;
  let wanted = await appliedLsn(primary);
  while (performance.now() < endMs) {
    await sleep(LOOK_MS, signal);
    const applied = await appliedLsn(wiped);
    if (applied >= wanted && applied > 0n) return;
    wanted = await appliedLsn(primary);
  }
  throw new Error(`The replica has not caught up within ${CATCH_UP_MS_MAX / 1_000} s`);
}

async function wipe(wiped: ReplicaLook): Promise<void> {
  Deno.kill(wiped.pid!, "SIGKILL");
  const endMs = performance.now() + 10_000;
  while (performance.now() < endMs) {
    try {
      Deno.kill(wiped.pid!, "SIGCONT"); // Changes nothing; fails once the process is gone.
    } catch {
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await Deno.remove(dirname(wiped.wal), { recursive: true });
}

/**
 * Fills a cluster's log, takes a backup's disk away, starts it again and waits until it has everything.
 *
 * @param options Where; the workspace must not exist.
 * @param bytes How much the replica has to get, at least.
 * @param say Told of each step.
 */
export async function measureCatchUp(
  options: ReplicasOptions,
  bytes: number,
  say: (line: string) => void,
): Promise<CatchUpFigures> {
  const { signal } = options;
  await using replicas = await Replicas.start({
    ...options,
    start: [...loadBoundFlags(), "--manual-checkpoint"], // Or the log would be cut short.
  });
  say(`catch-up: filling the log with ${Math.round(bytes / 2 ** 20)} MiB`);
  await fill(replicas, bytes, signal);
  const look = await replicas.untilWhole();
  const primary = primaryIn(look)!;
  const wiped = look.replicas.find(({ replica }) => replica !== look.primary)!;
  await using writers = await Writers.start(look, LOAD);
  await sleep(BEFORE_MS, signal);
  const before = writers.takeTimes();
  await wipe(wiped);
  say(`catch-up: replica ${wiped.replica} starts with nothing`);
  writers.takeTimes();
  const startMs = performance.now();
  await replicas.restart(wiped);
  await untilCaughtUp(wiped, primary, signal);
  const seconds = (performance.now() - startMs) / 1_000;
  const meanwhile = writers.takeTimes();
  return catchUpFigures(
    await bytesIn(dirname(wiped.wal)),
    seconds,
    before.percentiles().p99,
    meanwhile.percentiles().p99,
  );
}
