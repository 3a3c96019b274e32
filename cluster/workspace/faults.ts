/** What is wrong with a cluster on purpose, and how that changes. Pure; the file is in faults_text.ts. */
import type { DiskFaultKind } from "../../node/cli/cluster_options.ts";
import type { LinkFault } from "../../node/peer/line.ts";

/** Where a message comes from or goes to: a replica, or all clients of it. */
export type Endpoint = bigint | "client";

/** One faulty direction. At least one end is a replica. */
export interface Link {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly fault: LinkFault;
}

/** How a replica's disk fails. */
export interface DiskFault {
  readonly kind: DiskFaultKind;
  /** Operations to let through first. */
  readonly after: number;
  /** When it ends, in Unix milliseconds; absent for not by itself. */
  readonly untilMillis?: number;
  /** For `slow`: how much longer a sync takes, in milliseconds. */
  readonly delayMs?: number;
  /** When it was asked for, in Unix milliseconds: tells a new fault from the same one read again. */
  readonly setAtMillis: number;
}

/** How a replica's clock is wrong. */
export interface ClockFault {
  /** Milliseconds that it is ahead; behind when negative. */
  readonly skewMs: number;
  /** How fast it goes; 1 is right. */
  readonly rate: number;
}

/** Everything that is wrong on purpose. */
export interface Faults {
  /** Ascending. */
  readonly isolated: readonly bigint[];
  /** Groups of replicas that only reach their own; empty for no partition. */
  readonly partition: readonly (readonly bigint[])[];
  readonly links: readonly Link[];
  readonly disks: ReadonlyMap<bigint, DiskFault>;
  readonly clocks: ReadonlyMap<bigint, ClockFault>;
}

/** Nothing is wrong. */
export const NO_FAULTS: Faults = {
  isolated: [],
  partition: [],
  links: [],
  disks: new Map(),
  clocks: new Map(),
};

/** Cuts a replica off from peers and clients, or ends that. */
export function withIsolation(faults: Faults, id: bigint, isolated: boolean): Faults {
  const others = faults.isolated.filter((other) => other !== id);
  return { ...faults, isolated: isolated ? ascending([...others, id]) : others };
}

/** Replaces what one direction does; nothing at all makes it healthy. */
export function withLink(faults: Faults, { from, to, fault }: Link): Faults {
  const others = faults.links.filter((link) => link.from !== from || link.to !== to);
  const isHealthy = Object.keys(fault).length === 0;
  return { ...faults, links: isHealthy ? others : [...others, { from, to, fault }] };
}

/** Replaces a replica's disk fault; `undefined` ends it. */
export function withDiskFault(faults: Faults, id: bigint, fault: DiskFault | undefined): Faults {
  return { ...faults, disks: replaced(faults.disks, id, fault) };
}

/** Replaces a replica's clock fault; `undefined` ends it. */
export function withClockFault(faults: Faults, id: bigint, fault: ClockFault | undefined): Faults {
  return { ...faults, clocks: replaced(faults.clocks, id, fault) };
}

/** Splits the cluster into groups; none ends that. Each replica is in exactly one group. */
export function withPartition(faults: Faults, groups: readonly (readonly bigint[])[]): Faults {
  return { ...faults, partition: groups.map(ascending) };
}

/** Whether two replicas are on different sides of the partition. */
export function arePartitioned({ partition }: Faults, a: bigint, b: bigint): boolean {
  if (partition.length === 0) return false;
  return partition.findIndex((group) => group.includes(a)) !==
    partition.findIndex((group) => group.includes(b));
}

function replaced<T>(
  map: ReadonlyMap<bigint, T>,
  id: bigint,
  value: T | undefined,
): ReadonlyMap<bigint, T> {
  const rest = [...map].filter(([other]) => other !== id);
  const entries = value === undefined ? rest : [...rest, [id, value] as const];
  return new Map(entries.sort(([a], [b]) => a < b ? -1 : 1));
}

function ascending(ids: readonly bigint[]): readonly bigint[] {
  return [...ids].sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}
