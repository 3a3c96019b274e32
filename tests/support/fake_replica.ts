// A replica as the cluster runner sees one: a process that is started like one, answers the control port of its
// layout, and otherwise does what a file beside its log tells it. It has no log, no peers and no clients.
import { dirname, join } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";
import { startControlServer } from "../../node/control/server.ts";
import type { ControlReply, ControlRequest, ControlStatus } from "../../node/control/messages.ts";
import { parseLayout, type ReplicaLayout } from "../../cluster/workspace/layout.ts";
import { formatFaults, parseFaults } from "../../cluster/workspace/faults_text.ts";

/** How it behaves; `well` when nothing is said. */
export type Mood =
  | "well"
  /** Ends at once, after a word. */
  | "exit"
  /** Lives and listens nowhere. */
  | "mute"
  /** Answers, and never is primary. */
  | "backup"
  /** Answers that it is faulted. */
  | "faulted"
  /** Answers stop, and stays. */
  | "deaf"
  /** Neither stop nor SIGTERM ends it. */
  | "stubborn";

/** Where a replica's mood is read from. */
export function moodPath({ logPath, id }: ReplicaLayout): string {
  return join(dirname(logPath), `mood-${id}`);
}

/** Ends by itself, so that a test that dies leaves nothing behind. */
const LIFE_MS_MAX = 60_000;

function status(replica: ReplicaLayout, clusterId: Uint8Array, mood: Mood): ControlStatus {
  const isPrimary = mood === "well" && replica.id === 1n;
  return {
    status: "ok",
    protocol_version: 1,
    process_id: Deno.pid,
    replica_id: replica.id,
    state: mood === "faulted" ? "faulted" : "active",
    role: mood === "faulted" ? "faulted" : isPrimary ? "primary" : "backup",
    current_view: 1n,
    commit_lsn: mood === "faulted" ? undefined : 7n,
    active_snapshot_lsn: undefined,
    accepting_writes: mood !== "faulted",
    startup_kind: "fresh_start",
    loaded_snapshot_lsn: undefined,
    replayed_wal_frame_count: 0,
    replayed_wal_last_lsn: undefined,
    fault_reason: mood === "faulted" ? "told to be" : undefined,
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
    cluster_id: Array.from(clusterId, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    version: "fake",
    uptime_ms: Math.floor(performance.now()),
    primary: 1n,
    log_view: 1n,
    last_normal_view: 1n,
    durable_vote: undefined,
    commit_op: 7n,
    applied_op: 7n,
    synced_op: 7n,
    tip_op: 7n,
    tip_hash: "0000000000000000",
    applied_lsn: 7n,
    network: "healthy",
    event_loop_gap_ms_max: 0,
    event_loop_gap_ms: 0,
    peers: [],
    counters: {},
  };
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { string: ["layout", "replica-id"] });
  const layoutPath = flags.layout!;
  const layout = parseLayout(await Deno.readTextFile(layoutPath), dirname(layoutPath));
  const replica = layout.replicas.find(({ id }) => String(id) === flags["replica-id"])!;
  const mood = await readMood(replica);
  console.error(`replica=${replica.id} mood=${mood} args=${Deno.args.join(" ")}`);
  setTimeout(() => Deno.exit(9), LIFE_MS_MAX);
  if (mood === "exit") Deno.exit(3);
  if (mood === "mute") return;
  if (mood === "stubborn") Deno.addSignalListener("SIGTERM", () => {});
  const handle = async (request: ControlRequest): Promise<ControlReply> => {
    switch (request.request) {
      case "status":
        return status(replica, layout.clusterId, await readMood(replica));
      case "stop":
        if (mood !== "deaf" && mood !== "stubborn") setTimeout(() => Deno.exit(0), 10);
        return { status: "ok" };
      case "faults": {
        const text = await Deno.readTextFile(join(layout.root, "cluster-faults.txt"));
        const faults = formatFaults(parseFaults(text, layout.members), layout.members);
        const lines = faults.trim().split("\n").slice(1);
        return { status: "ok", network: "healthy", faults: lines };
      }
      default:
        return { status: "error", code: "unavailable", message: "this is a fake" };
    }
  };
  const port = Number(replica.controlAddr.split(":")[1]);
  startControlServer(handle, { hostname: "127.0.0.1", port });
}

async function readMood(replica: ReplicaLayout): Promise<Mood> {
  try {
    return (await Deno.readTextFile(moodPath(replica))).trim() as Mood;
  } catch {
    return "well";
  }
}

if (import.meta.main) await main();
