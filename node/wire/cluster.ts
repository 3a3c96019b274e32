/** Where the replicas of a cluster take clients, and which of them sequences. Source: docs/wire.md#hello. */
import { TEXT_BYTES_MAX } from "./messages.ts";
import type { WireReader } from "./reader.ts";
import type { WireWriter } from "./writer.ts";

/** Most replicas that one hello lists. */
export const MEMBERS_MAX = 16;

/** One replica as clients see it. */
export interface Member {
  /** Never 0. */
  readonly replicaId: bigint;
  /** Where it takes clients, `host:port`. */
  readonly address: string;
}

/** What a replica says about its cluster when a connection opens. */
export interface ClusterHello {
  /** Who says so. */
  readonly replicaId: bigint;
  /** The view that it knows of. */
  readonly view: bigint;
  /** Whom it follows there. */
  readonly primary: bigint | undefined;
  /** All replicas, itself included. */
  readonly members: readonly Member[];
}

/** `[replica_id, view, primary | null, [[replica_id, address], …]]`. */
export function writeClusterHello(out: WireWriter, cluster: ClusterHello): void {
  const members = cluster.members.slice(0, MEMBERS_MAX);
  out.array(4);
  out.u64(cluster.replicaId);
  out.u64(cluster.view);
  out.optionalU64(cluster.primary);
  out.array(members.length);
  for (const { replicaId, address } of members) {
    out.array(2);
    out.u64(replicaId);
    out.text(address, TEXT_BYTES_MAX);
  }
}

/** Reads what {@linkcode writeClusterHello} wrote; meaningless when the reader has failed. */
export function readClusterHello(reader: WireReader): ClusterHello {
  reader.array(4);
  return {
    replicaId: reader.u64(),
    view: reader.u64(),
    primary: reader.optionalU64(),
    members: readMembers(reader),
  };
}

function readMembers(reader: WireReader): readonly Member[] {
  const count = reader.arrayHead();
  reader.require(count <= MEMBERS_MAX);
  const members: Member[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    reader.array(2);
    members.push({ replicaId: reader.u64(), address: reader.text(TEXT_BYTES_MAX) });
  }
  return members;
}
