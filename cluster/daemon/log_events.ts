/**
 * The lines that a replica's process writes, each as `replica=N event=…`: what the runbook's operators search
 * for. The protocol's own lines are in node/replica/. Source: docs/operations.md#a-replicas-log.
 */
import type { PeerRefusal } from "../../node/peer/hello.ts";
import type { PeerEvent } from "../../node/peer/options.ts";
import type { ControlStatus } from "../../node/control/messages.ts";
import { orNone } from "../../node/log_lines.ts";

/** Values of one line, in order; what is absent is `none`. */
export type EventFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

/** `replica=1 event=NAME key=value …`; a value with spaces stands in quotes. */
export function eventLine(replica: bigint, event: string, fields: EventFields = {}): string {
  return `replica=${replica} event=${event}${pairs(fields)}`;
}

/** `replica=1 MARKER=value key=value …`: start-up and shutdown, as the runbook writes them. */
export function markerLine(replica: bigint, marker: string, fields: EventFields = {}): string {
  return `replica=${replica} ${marker}${pairs(fields)}`;
}

function pairs(fields: EventFields): string {
  return Object.entries(fields).map(([key, value]) => ` ${key}=${text(value)}`).join("");
}

function text(value: EventFields[string]): string {
  const plain = typeof value === "boolean" ? String(value) : orNone(value);
  return /[\s"]/.test(plain) || plain === "" ? JSON.stringify(plain) : plain;
}

/** What the runbook calls the summary of a replica. */
export function summary(status: ControlStatus): EventFields {
  return {
    role: status.role,
    current_view: status.current_view,
    commit_lsn: status.commit_lsn,
    snapshot_lsn: status.active_snapshot_lsn,
    last_normal_view: status.last_normal_view,
    durable_vote: status.durable_vote,
    highest_prepared_lsn: status.tip_op,
  };
}

/** Something happened between this replica and a peer: its event, its fields, whether somebody should look. */
export function peerEvent(event: PeerEvent): {
  readonly name: string;
  readonly fields: EventFields;
  readonly isWarning: boolean;
} {
  const { kind, ...fields } = event;
  const isWarning = kind === "refused_by_peer" || kind === "refused_peer" ||
    kind === "queue_full" || kind === "connection_failed" || kind === "accept_failed";
  const hint = "code" in event ? REFUSAL_HINTS[event.code] : undefined;
  const named = hint === undefined ? fields : { ...fields, hint };
  return { name: `peer_${kind}`, fields: named, isWarning };
}

const FOUND_IN_LAYOUTS = "in the cluster-layout.txt of both";

/** What an operator can do about a refusal. Other programs may answer other words than ours. */
const REFUSAL_HINTS: Readonly<Record<string, string>> = {
  unsupported_version: "run the same version of allocdb on all replicas",
  wrong_cluster:
    `two clusters share an address: compare cluster_id and addresses ${FOUND_IN_LAYOUTS}`,
  wrong_replica: `another replica listens at that address: compare addresses ${FOUND_IN_LAYOUTS}`,
  unknown_replica: `compare members ${FOUND_IN_LAYOUTS}`,
  wrong_members: `compare members ${FOUND_IN_LAYOUTS}`,
  configuration_mismatch: `compare the bounds ${FOUND_IN_LAYOUTS}`,
  unauthenticated: `give both the same secret: compare secret_path ${FOUND_IN_LAYOUTS}`,
} satisfies Record<PeerRefusal, string>;
