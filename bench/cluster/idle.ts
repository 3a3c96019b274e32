/** What a cluster costs that nobody uses. Linux: it reads /proc. */
import { parseCpuSeconds } from "../load_flags.ts";
import { sleep } from "../peers/process.ts";
import { Replicas, type ReplicasOptions } from "./replicas.ts";

/** Of all replicas together, and of each. */
export interface IdleFigures {
  readonly seconds: number;
  /** User and system time of all replicas, in percent of one core. */
  readonly cpuPercent: number;
  /** Resident memory of each replica soon after its start, in MiB. */
  readonly rssMib: readonly number[];
}

/** Elections, first files and the like are over after this. */
const SETTLE_MS = 5_000;

/**
 * Resident memory in the text of `/proc/PID/status`, in bytes. Source: proc(5).
 *
 * @throws {Error} when it is not there.
 */
export function parseRssBytes(status: string): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error("A process without resident memory");
  return Number(kib) * 1_024;
}

function cpuSecondsOf(pids: readonly number[]): number {
  const all = pids.map((pid) => parseCpuSeconds(Deno.readTextFileSync(`/proc/${pid}/stat`)));
  return all.reduce((sum, seconds) => sum + seconds, 0);
}

/**
 * Starts a cluster with default bounds, and looks at it once and again later.
 *
 * @param options Where; the workspace must not exist.
 * @param seconds Between the looks.
 */
export async function measureIdle(
  options: ReplicasOptions,
  seconds: number,
): Promise<IdleFigures> {
  await using replicas = await Replicas.start({ ...options, start: [] });
  const { replicas: all } = await replicas.untilWhole();
  await sleep(SETTLE_MS, options.signal);
  const pids = all.map(({ pid }) => pid!);
  const rssMib = pids.map((pid) =>
    parseRssBytes(Deno.readTextFileSync(`/proc/${pid}/status`)) / 2 ** 20
  );
  const before = cpuSecondsOf(pids);
  await sleep(seconds * 1_000, options.signal);
  return { seconds, cpuPercent: (cpuSecondsOf(pids) - before) / seconds * 100, rssMib };
}
