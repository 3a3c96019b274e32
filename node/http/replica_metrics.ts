/** Figures of a replica, beside those that every node has. Source: docs/metrics.md. */
import type { ReplicationView } from "../api.ts";
import { REPLICA_ROLES } from "../vsr/role.ts";

/** One value of a figure, with what its labels say. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One figure of a replica; a node that is alone has no samples of it. */
export interface ReplicaMetric {
  readonly name: string;
  readonly type: "gauge";
  readonly labels: readonly string[];
  readonly help: string;
  /** When somebody should look. */
  readonly alert: string;
  readonly read: (standing: ReplicationView) => readonly Sample[];
}

function one(value: bigint | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ labels: {}, value: Number(value) }];
}

function eachPeer(
  standing: ReplicationView,
  read: (peer: ReplicationView["peers"][number]) => number | undefined,
): readonly Sample[] {
  return standing.peers.flatMap((peer) => {
    const value = read(peer);
    return value === undefined ? [] : [{ labels: { peer: `${peer.replicaId}` }, value }];
  });
}

/** A replica's figures. */
export const REPLICA_METRICS: readonly ReplicaMetric[] = [
  {
    name: "allocdb_replica_role",
    type: "gauge",
    labels: ["role"],
    help: `1 for the role that the replica has, 0 for the others: ${REPLICA_ROLES.join(", ")}`,
    alert: "nobody primary for 10 s: page somebody; faulted: the replica's log says why",
    read: ({ role }) =>
      REPLICA_ROLES.map((each) => ({ labels: { role: each }, value: each === role ? 1 : 0 })),
  },
  {
    name: "allocdb_replica_view",
    type: "gauge",
    labels: [],
    help: "The view that the replica is in; each change of primary begins a new one",
    alert: "several per hour: primaries are lost, or the network stalls",
    read: ({ view }) => one(view),
  },
  {
    name: "allocdb_replica_primary",
    type: "gauge",
    labels: [],
    help: "The replica that it follows as primary, itself included; none while there is none",
    alert: "-",
    read: ({ primary }) => one(primary),
  },
  {
    name: "allocdb_replica_commit_op",
    type: "gauge",
    labels: [],
    help: "Last entry of the log that a majority has, as far as the replica knows",
    alert: "does not grow while clients write: there is no majority",
    read: ({ commitOp }) => one(commitOp),
  },
  {
    name: "allocdb_replica_applied_op",
    type: "gauge",
    labels: [],
    help: "Last entry of the log that the replica's state includes",
    alert: "falls behind the commit_op of the primary: the replica is too slow, or cut off",
    read: ({ appliedOp }) => one(appliedOp),
  },
  {
    name: "allocdb_replica_tip_op",
    type: "gauge",
    labels: [],
    help: "Last entry of the replica's own log",
    alert: "-",
    read: ({ tipOp }) => one(tipOp),
  },
  {
    name: "allocdb_peer_connected",
    type: "gauge",
    labels: ["peer"],
    help: "1 while there is a connection to that replica",
    alert: "0 for 1 min: it is down, or the network is",
    read: (standing) => eachPeer(standing, ({ connected }) => connected ? 1 : 0),
  },
  {
    name: "allocdb_peer_lag_ops",
    type: "gauge",
    labels: ["peer"],
    help: "Entries that the replica lacks, as its primary knows; 0 elsewhere",
    alert: "grows for 1 min: one more failure and writes wait for it",
    read: (standing) => eachPeer(standing, ({ lag }) => Number(lag)),
  },
  {
    name: "allocdb_peer_last_heard_seconds",
    type: "gauge",
    labels: ["peer"],
    help: "Time since that replica said something; none if it never did",
    alert: "-",
    read: (standing) =>
      eachPeer(
        standing,
        ({ lastHeardMs }) => lastHeardMs === undefined ? undefined : lastHeardMs / 1_000,
      ),
  },
];
