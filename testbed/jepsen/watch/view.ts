/** What a watcher sees of one cluster at one moment. */
import type { ControlStatus } from "../../../node/control/messages.ts";

/** See the top of this file. */
export interface LaneView {
  readonly name: string;
  readonly statusFile: string;
  /** Keys of the status file; absent as long as there is none. */
  readonly status: ReadonlyMap<string, string> | undefined;
  /** Why the cluster cannot be seen. */
  readonly problem: string | undefined;
  readonly replicas: readonly ReplicaView[];
  /** The latest, the last one last. */
  readonly events: readonly SeenEvent[];
}

/** One line of an events log. */
export interface SeenEvent {
  readonly timeMillis: number;
  readonly detail: string;
}

/** One replica. */
export interface ReplicaView {
  readonly id: string;
  readonly health: "up" | "faulted" | "down";
  readonly role: string;
  readonly view: bigint | undefined;
  readonly commit: bigint | undefined;
  readonly writes: "on" | "off" | "-";
  readonly queue: number | undefined;
  /** Ops that it lacks. */
  readonly lag: bigint | undefined;
  /** Reservations that are past their deadline and not expired yet. */
  readonly due: number | undefined;
  readonly note: string;
}

/** The figures of docs/metrics.md that a replica shows. */
export type Figures = Readonly<Record<string, unknown>>;

/** A replica that answers. */
export function replicaView(
  status: ControlStatus,
  figures: Figures | undefined,
  lag: bigint | undefined,
): ReplicaView {
  const queue = countOf(figures?.queue_depth);
  const due = countOf(figures?.["core.expiration_backlog"]);
  const { accepting_writes, role, state } = status;
  return {
    id: String(status.replica_id),
    health: state === "faulted" ? "faulted" : "up",
    role,
    view: status.current_view,
    commit: status.commit_lsn,
    writes: accepting_writes === undefined ? "-" : accepting_writes ? "on" : "off",
    ...{ queue, lag, due },
    note: noteOf(status, figures, { queue, due }),
  };
}

/** A replica that does not. */
export function silentReplica(id: string, note: string): ReplicaView {
  const nothing = { view: undefined, commit: undefined, queue: undefined, lag: undefined };
  return { id, health: "down", role: "-", ...nothing, writes: "-", due: undefined, note };
}

/** The most urgent thing about it. */
function noteOf(
  { fault_reason, accepting_writes, role, network }: ControlStatus,
  figures: Figures | undefined,
  { queue = 0, due = 0 }: { readonly queue: number | undefined; readonly due: number | undefined },
): string {
  if (fault_reason !== undefined) return fault_reason;
  if (network === "isolated") return "isolated";
  if (figures === undefined) return "tells no figures";
  if (accepting_writes === false) return "writes paused";
  if (due > 0) return `${due} due`;
  if (queue > 0) return `${queue} queued`;
  return role;
}

function countOf(value: unknown): number | undefined {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" ? value : undefined;
}
