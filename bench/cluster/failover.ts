/** How long nobody can write after the primary is killed. */
import { type Spread, spread } from "../peers/rounds.ts";
import { primaryIn, Replicas, type ReplicasOptions } from "./replicas.ts";
import { Writers } from "./writers.ts";

/** Milliseconds from the signal to the answer of the first write that began after it. */
export interface FailoverFigures {
  readonly kills: number;
  /** In the order of the kills. */
  readonly timesMs: readonly number[];
  readonly ms: Spread;
  /** Writes whose end their client did not learn, or that were refused, all kills together. */
  readonly failedWrites: number;
}

const LOAD = { writers: 32, pauseMs: 2 };
/** Longer than any election; a cluster without a primary until then has failed. */
const FAILOVER_MS_MAX = 30_000;

/** The figures of several kills. */
export function failoverFigures(timesMs: readonly number[], failedWrites: number): FailoverFigures {
  return { kills: timesMs.length, timesMs, ms: spread(timesMs), failedWrites };
}

/**
 * Kills the primary again and again under writes, each time after all three replicas serve.
 *
 * @param options Where; the workspace must not exist.
 * @param kills How often.
 * @param say Told of each.
 * @throws {Error} when no write is committed within half a minute.
 */
export async function measureFailover(
  options: ReplicasOptions,
  kills: number,
  say: (line: string) => void,
): Promise<FailoverFigures> {
  await using replicas = await Replicas.start(options);
  await using writers = await Writers.start(await replicas.look(), LOAD);
  const timesMs: number[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    const primary = primaryIn(await replicas.untilWhole())!;
    Deno.kill(primary.pid!, "SIGKILL");
    const tookMs = await writers.untilNextCommit(FAILOVER_MS_MAX);
    if (tookMs === undefined) throw new Error(`No write within ${FAILOVER_MS_MAX} ms of a kill`);
    timesMs.push(tookMs);
    say(`kill ${kill}  replica ${primary.replica}: ${tookMs.toFixed(0)} ms`);
    await replicas.restart(primary);
  }
  return failoverFigures(timesMs, writers.failed);
}
