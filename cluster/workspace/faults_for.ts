/** What of the faults file concerns one replica, in the terms of what it decorates: links, disk, clock. Pure. */
import { unreachable } from "../../core/assert.ts";
import type { FaultTable } from "../../node/io/faulty_disk.ts";
import type { LinkFault } from "../../node/peer/line.ts";
import type { LinkFaults } from "../../node/peer/link_faults.ts";
import {
  arePartitioned,
  type ClockFault,
  type DiskFault,
  type Endpoint,
  type Faults,
} from "./faults.ts";

/** What is wrong with one replica and with its links. */
export interface ReplicaFaults {
  /** Cut off from clients and peers; control still works. */
  readonly isolated: boolean;
  /** By peer: what happens to messages on their way out. Healthy directions are absent. */
  readonly toPeer: ReadonlyMap<bigint, LinkFault>;
  /** By peer: what happens to messages on their way in. The sender does the rest, so only cuts are here. */
  readonly fromPeer: ReadonlyMap<bigint, LinkFault>;
  /** What happens to clients' requests. */
  readonly fromClients: LinkFault | undefined;
  /** What happens to answers. */
  readonly toClients: LinkFault | undefined;
  readonly disk: DiskFault | undefined;
  readonly clock: ClockFault | undefined;
}

/** Nothing gets through. */
const CUT: LinkFault = { cut: true };

/**
 * Picks what concerns one replica.
 *
 * @param id The replica.
 * @param faults The cluster's faults.
 * @param members All replica ids.
 */
export function faultsFor(
  id: bigint,
  faults: Faults,
  members: readonly bigint[],
): ReplicaFaults {
  const peers = members.filter((peer) => peer !== id);
  const isolated = faults.isolated.includes(id);
  return {
    isolated,
    toPeer: present(peers, (peer) => direction(faults, id, peer)),
    // Both ends enforce a cut, so that what was on its way when it came is lost, too.
    fromPeer: present(peers, (peer) => direction(faults, peer, id)?.cut ? CUT : undefined),
    fromClients: isolated ? CUT : linkOf(faults, "client", id),
    toClients: isolated ? CUT : linkOf(faults, id, "client"),
    disk: faults.disks.get(id),
    clock: faults.clocks.get(id),
  };
}

/** The same as what a transport looks faults up in. */
export function linkFaults({ toPeer, fromPeer }: ReplicaFaults): LinkFaults {
  return { toPeer: (id) => toPeer.get(id), fromPeer: (id) => fromPeer.get(id) };
}

/**
 * A disk fault as rules for `FaultyDisk`.
 *
 * @param fault The fault.
 * @returns A new table: the decorator counts in it.
 */
export function diskRules({ kind, after, delayMs }: DiskFault): FaultTable {
  const skip = after;
  switch (kind) {
    case "eio":
      return {
        read: { fault: "io_error", skip },
        write: { fault: "io_error", skip },
        sync: { fault: "io_error", skip },
        create: { fault: "io_error", skip },
        rename: { fault: "io_error", skip },
      };
    case "enospc":
      return { write: { fault: "disk_full", skip }, create: { fault: "disk_full", skip } };
    case "torn-write":
      return { write: { fault: "io_error", tornBytes: TORN_BYTES, skip } };
    case "fsync-failure":
      return { sync: { fault: "io_error", skip } };
    case "slow":
      return { sync: { delayMs: delayMs ?? SLOW_MS_DEFAULT, skip } };
    default:
      return unreachable(kind);
  }
}

/** What of a torn write is left: part of the first sectors. */
const TORN_BYTES = 700;
/** How much longer a sync takes on a slow disk that nobody described, in milliseconds. */
export const SLOW_MS_DEFAULT = 100;

/** Whether a disk fault is over. */
export function hasEnded(fault: DiskFault, nowMillis: number): boolean {
  return fault.untilMillis !== undefined && nowMillis >= fault.untilMillis;
}

function direction(faults: Faults, from: bigint, to: bigint): LinkFault | undefined {
  const isCut = faults.isolated.includes(from) || faults.isolated.includes(to) ||
    arePartitioned(faults, from, to);
  return isCut ? CUT : linkOf(faults, from, to);
}

function linkOf(faults: Faults, from: Endpoint, to: Endpoint): LinkFault | undefined {
  return faults.links.find((link) => link.from === from && link.to === to)?.fault;
}

function present<T>(
  ids: readonly bigint[],
  of: (id: bigint) => T | undefined,
): ReadonlyMap<bigint, T> {
  const entries = ids.map((id) => [id, of(id)] as const);
  return new Map(entries.filter((entry): entry is [bigint, T] => entry[1] !== undefined));
}
