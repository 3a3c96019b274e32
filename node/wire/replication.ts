/** How a replica stands among the others, inside a status reply. Source: docs/wire.md#status. */
import type { PeerView, ReplicationView } from "../api.ts";
import { REPLICA_ROLES } from "../vsr/role.ts";
import { MEMBERS_MAX } from "./cluster.ts";
import type { WireReader } from "./reader.ts";
import type { WireWriter } from "./writer.ts";

/** `[role, view, primary | null, commit_op, applied_op, tip_op, [peer, …]]`. */
export function writeReplication(out: WireWriter, standing: ReplicationView): void {
  out.array(7);
  out.small(REPLICA_ROLES.indexOf(standing.role) + 1);
  out.u64(standing.view);
  out.optionalU64(standing.primary);
  out.u64(standing.commitOp);
  out.u64(standing.appliedOp);
  out.u64(standing.tipOp);
  const peers = standing.peers.slice(0, MEMBERS_MAX);
  out.array(peers.length);
  for (const peer of peers) writePeer(out, peer);
}

/** `[replica_id, connected, match_op, lag, last_heard_ms | null]`. */
function writePeer(out: WireWriter, peer: PeerView): void {
  out.array(5);
  out.u64(peer.replicaId);
  out.flag(peer.connected);
  out.u64(peer.matchOp);
  out.u64(peer.lag);
  const { lastHeardMs } = peer;
  out.optionalU64(lastHeardMs === undefined ? undefined : Math.max(0, Math.round(lastHeardMs)));
}

/** Reads what {@linkcode writeReplication} wrote; meaningless when the reader has failed. */
export function readReplication(reader: WireReader): ReplicationView {
  reader.array(7);
  const role = REPLICA_ROLES[reader.small(REPLICA_ROLES.length) - 1];
  reader.require(role !== undefined);
  return {
    role: role ?? "faulted",
    view: reader.u64(),
    primary: reader.optionalU64(),
    commitOp: reader.u64(),
    appliedOp: reader.u64(),
    tipOp: reader.u64(),
    peers: readPeers(reader),
  };
}

function readPeers(reader: WireReader): readonly PeerView[] {
  const count = reader.arrayHead();
  reader.require(count <= MEMBERS_MAX);
  const peers: PeerView[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    reader.array(5);
    peers.push({
      replicaId: reader.u64(),
      connected: reader.flag(),
      matchOp: reader.u64(),
      lag: reader.u64(),
      lastHeardMs: reader.optionalCount(),
    });
  }
  return peers;
}
