/** What a replica says about itself on its control port. */
import { hexOf, snakeCase } from "../../node/cli/fields.ts";
import { CONTROL_PROTOCOL_VERSION, type ControlStatus } from "../../node/control/messages.ts";
import { hashText } from "../../node/offline/inspect_log.ts";
import { voteText } from "../../node/offline/inspect.ts";
import { VERSION } from "../../node/version.ts";
import type { ClusterLayout, ReplicaLayout } from "../workspace/layout.ts";
import type { HostStatus } from "./host.ts";

/** What the process knows besides the replica. */
export interface ProcessFacts {
  readonly layout: ClusterLayout;
  readonly replica: ReplicaLayout;
  readonly uptimeMs: number;
  readonly isIsolated: boolean;
  readonly gapMs: number;
  readonly gapMsMax: number;
}

/**
 * Puts a status together.
 *
 * @param host What the replica says.
 * @param facts What its process knows.
 */
export function controlStatus(host: HostStatus, facts: ProcessFacts): ControlStatus {
  return {
    ...{ status: "ok", protocol_version: CONTROL_PROTOCOL_VERSION, process_id: Deno.pid },
    ...runbookFields(host),
    ...places(facts.replica),
    cluster_id: hexOf(facts.layout.clusterId),
    version: VERSION,
    uptime_ms: Math.round(facts.uptimeMs),
    primary: host.primary,
    log_view: host.logView,
    last_normal_view: host.lastNormalView,
    durable_vote: voteText(host.durableVote),
    commit_op: host.commitOp,
    applied_op: host.appliedOp,
    synced_op: host.syncedOp,
    tip_op: host.tipOp,
    tip_hash: hashText(host.tipHash),
    applied_lsn: host.commitLsn,
    network: facts.isIsolated ? "isolated" : "healthy",
    event_loop_gap_ms_max: Math.round(facts.gapMsMax),
    event_loop_gap_ms: Math.round(facts.gapMs),
    peers: host.peers.map((peer) => ({
      replica_id: peer.id,
      connected: peer.connected,
      match_op: peer.matchOp,
      lag: peer.lag,
      last_heard_ms: peer.lastHeardMs === undefined ? undefined : Math.round(peer.lastHeardMs),
      state: peer.state,
    })),
    counters: Object.fromEntries(
      Object.entries(host.counters).map(([name, count]) => [snakeCase(name), count]),
    ),
  };
}

type RunbookFields =
  | ("replica_id" | "state" | "role" | "current_view" | "commit_lsn" | "active_snapshot_lsn")
  | ("accepting_writes" | "startup_kind" | "loaded_snapshot_lsn")
  | ("replayed_wal_frame_count" | "replayed_wal_last_lsn" | "fault_reason");

/** What the engine says is `none` when there is no engine to say it. */
function runbookFields(host: HostStatus): Pick<ControlStatus, RunbookFields> {
  const { startup } = host;
  return {
    replica_id: host.replicaId,
    state: host.state,
    role: host.role,
    current_view: host.view,
    commit_lsn: host.commitLsn,
    active_snapshot_lsn: host.snapshotLsn,
    accepting_writes: host.acceptingWrites,
    startup_kind: startup?.startupKind,
    loaded_snapshot_lsn: startup?.loadedSnapshotLsn,
    replayed_wal_frame_count: startup?.replayedWalFrameCount,
    replayed_wal_last_lsn: startup?.replayedWalLastLsn,
    fault_reason: host.faultReason,
  };
}

function places(
  replica: ReplicaLayout,
): Pick<ControlStatus, `${string}_path` & keyof ControlStatus | "workspace_dir" | Addresses> {
  return {
    workspace_dir: replica.directory,
    log_path: replica.logPath,
    pid_path: replica.pidPath,
    metadata_path: replica.metadataPath,
    prepare_log_path: replica.prepareLogPath,
    snapshot_path: replica.snapshotPath,
    wal_path: replica.walPath,
    control_addr: replica.controlAddr,
    client_addr: replica.clientAddr,
    protocol_addr: replica.protocolAddr,
  };
}

type Addresses = "control_addr" | "client_addr" | "protocol_addr";
