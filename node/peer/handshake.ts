import type { PeerContext } from "./context.ts";
import { membersDigest, type PeerHello, type PeerRefusal } from "./hello.ts";
import type { PeerTransportOptions } from "./options.ts";

/** Why somebody is not let in, for programs and for people. */
export interface HelloRefusal {
  readonly code: PeerRefusal;
  readonly message: string;
}

/** The hello of this replica to a peer. */
export function helloTo(context: PeerContext, to: bigint): PeerHello {
  const { replicaId, clusterId, fingerprint, shardId, version, auth } = context.options;
  return {
    ...{ clusterId, from: replicaId, to, membersDigest: context.membersDigest },
    ...{ fingerprint, shardId, version, auth: auth?.greeting() },
  };
}

/**
 * Judges a hello, but for its authentication.
 *
 * @param context Of the replica that was dialled.
 * @param hello What came.
 * @returns Why its sender is not let in, or `undefined`.
 */
export function refusalOf(context: PeerContext, hello: PeerHello): HelloRefusal | undefined {
  const { options, peers } = context;
  const { replicaId } = options;
  if (!isSame(hello.clusterId, options.clusterId)) {
    return { code: "wrong_cluster", message: `replica ${replicaId} belongs to another cluster` };
  }
  if (hello.to !== replicaId) {
    return { code: "wrong_replica", message: `this is replica ${replicaId}, not ${hello.to}` };
  }
  if (!peers.has(hello.from)) {
    const message = hello.from === replicaId
      ? `replica ${replicaId} is the one that was dialled: two replicas have the same id`
      : `replica ${replicaId} knows no member ${hello.from}`;
    return { code: "unknown_replica", message };
  }
  if (hello.membersDigest !== context.membersDigest) {
    const known = memberIds(options).join(", ");
    return { code: "wrong_members", message: `replica ${replicaId} knows members ${known}` };
  }
  const isConfigured = isSame(hello.fingerprint, options.fingerprint) &&
    hello.shardId === options.shardId;
  if (isConfigured) return undefined;
  const message = `replica ${replicaId} runs shard ${options.shardId} with other bounds`;
  return { code: "configuration_mismatch", message };
}

/** See {@linkcode membersDigest}. */
export function digestOf(options: PeerTransportOptions): bigint {
  return membersDigest(memberIds(options));
}

function memberIds({ members }: PeerTransportOptions): bigint[] {
  return members.map(({ id }) => id);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What somebody without the cluster's secret is told, whatever it tried. */
export const UNAUTHENTICATED: HelloRefusal = {
  code: "unauthenticated",
  message: "this cluster has a secret, and the connection did not prove that it knows it",
};

/** The result of a step of an authentication; `undefined` when it fails in whatever way. */
export async function proof<T>(step: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch {
    return undefined;
  }
}
