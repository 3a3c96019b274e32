/** What three replicas have to reach, and whether they do. Pure. */
import type { Figures } from "../peers/summary.ts";
import type { CatchUpFigures } from "./catch_up.ts";
import type { FailoverFigures } from "./failover.ts";
import type { IdleFigures } from "./idle.ts";

/** One thing to reach. */
export interface Target {
  readonly name: string;
  /** What is wanted, in words. */
  readonly wanted: string;
  readonly measured: number;
  readonly unit: string;
  readonly isMet: boolean;
}

/** Figures of every part that ran. */
export interface Measured {
  readonly loads: readonly Figures[];
  readonly failover?: FailoverFigures | undefined;
  readonly catchUp?: CatchUpFigures | undefined;
  readonly idle?: IdleFigures | undefined;
}

const CROWDS = [64, 256, 1_000];
const THROUGHPUT_RATIO = 6;
const P99_RATIO = 5;
const BATCHED_PER_SECOND = 200_000;
const FAILOVER_MS = 1_000;
const CATCH_UP_MIB_PER_SECOND = 50;
const CATCH_UP_P99_RATIO = 2;
const IDLE_CPU_PERCENT = 3;
const RSS_MIB = 150;

function atLeast(name: string, wanted: number, measured: number, unit: string): Target {
  return { name, wanted: `≥ ${wanted} ${unit}`, measured, unit, isMet: measured >= wanted };
}

function atMost(name: string, wanted: number, measured: number, unit: string): Target {
  return { name, wanted: `≤ ${wanted} ${unit}`, measured, unit, isMet: measured <= wanted };
}

/** Rows of a system under a load, however its clients share connections. */
function rowsOf(loads: readonly Figures[], system: string, clients: number): Figures[] {
  return loads.filter((row) =>
    row.system.split(" ")[0] === system && row.clients === clients && row.depth === 1
  );
}

/** Each of ours against the best that etcd did, be it with one way of connecting or the other. */
function crowdTargets(loads: readonly Figures[], clients: number): Target[] {
  const theirs = rowsOf(loads, "etcd", clients);
  if (theirs.length === 0) return [];
  const rate = Math.max(...theirs.map((row) => row.opsPerSecond.median));
  const p99 = Math.min(...theirs.map((row) => row.p99Us.median));
  return rowsOf(loads, "allocdb", clients).flatMap((row) => [
    atLeast(
      `${row.system}, ${clients} clients: throughput ÷ etcd's best`,
      THROUGHPUT_RATIO,
      row.opsPerSecond.median / rate,
      "×",
    ),
    atLeast(
      `${row.system}, ${clients} clients: etcd's best p99 ÷ p99`,
      P99_RATIO,
      p99 / row.p99Us.median,
      "×",
    ),
  ]);
}

function aloneTargets(loads: readonly Figures[]): Target[] {
  const [theirs] = rowsOf(loads, "etcd", 1);
  const [ours] = rowsOf(loads, "allocdb", 1);
  if (theirs === undefined || ours === undefined) return [];
  const ratio = theirs.p50Us.median / ours.p50Us.median;
  return [{
    name: "1 client: etcd's p50 ÷ p50",
    wanted: "> 1 ×",
    measured: ratio,
    unit: "×",
    isMet: ratio > 1,
  }];
}

function batchTargets(loads: readonly Figures[]): Target[] {
  return loads.filter(({ system, depth }) => system === "allocdb" && depth === 1_024).map((row) =>
    atLeast(
      `${row.clients} clients, batches of 1,024`,
      BATCHED_PER_SECOND,
      row.opsPerSecond.median,
      "commands/s",
    )
  );
}

/** Every target for which there are figures. */
export function targets({ loads, failover, catchUp, idle }: Measured): Target[] {
  return [
    ...CROWDS.flatMap((clients) => crowdTargets(loads, clients)),
    ...batchTargets(loads),
    ...aloneTargets(loads),
    ...(failover === undefined
      ? []
      : [atMost(`failover, median of ${failover.kills}`, FAILOVER_MS, failover.ms.median, "ms")]),
    ...(catchUp === undefined ? [] : [
      atLeast("catch-up", CATCH_UP_MIB_PER_SECOND, catchUp.mibPerSecond, "MiB/s"),
      atMost("catch-up: p99 of writes ÷ before", CATCH_UP_P99_RATIO, catchUp.p99Ratio, "×"),
    ]),
    ...(idle === undefined ? [] : [
      atMost("idle: CPU of all replicas", IDLE_CPU_PERCENT, idle.cpuPercent, "% of a core"),
      atMost("fresh replica: resident memory", RSS_MIB, Math.max(...idle.rssMib), "MiB"),
    ]),
  ];
}
