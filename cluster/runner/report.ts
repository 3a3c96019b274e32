/** What the verbs print: the runbook's lines for people and scripts, or one JSON document. */
import { hexOf } from "../../node/cli/fields.ts";
import { jsonText } from "../../node/cli/output.ts";
import { printable } from "../../node/cli/text.ts";
import type { ControlStatus } from "../../node/control/messages.ts";
import type { Faults } from "../workspace/faults.ts";
import { faultsFor, hasEnded } from "../workspace/faults_for.ts";
import type { ReplicaLayout } from "../workspace/layout.ts";
import { faultsPath, timelinePath } from "../workspace/workspace_files.ts";
import { type Observed, servingPrimary } from "./observe.ts";
import { describeLink } from "./weather.ts";
import type { Workspace } from "./workspace.ts";

/** A value of a JSON document; a `bigint` becomes a decimal string, what is `undefined` becomes null. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What a verb has to say, in both forms. */
export interface Said {
  /** Without line ends. */
  readonly lines: readonly string[];
  readonly json: Json;
}

/** One document with a line feed. */
export function jsonDocument(value: Json): string {
  return jsonText(plain(value), 2);
}

function plain(value: Json): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

/** `key=value` with spaces in between; what is absent is `none`. */
export function line(fields: Readonly<Record<string, Json>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${printable(String(value ?? "none"))}`)
    .join(" ");
}

/** Every fact about the cluster as it is now. */
export function statusReport(
  workspace: Workspace,
  all: readonly Observed[],
  faults: Faults,
  events: number,
): Said {
  const { layout, root, layoutPath } = workspace;
  const head = {
    workspace: root,
    layout: layoutPath,
    fault_state: faultsPath(layout),
    timeline: timelinePath(layout),
    timeline_events: events,
  };
  const primary = servingPrimary(all);
  return {
    lines: [
      ...Object.entries(head).map(([key, value]) => line({ [key]: value })),
      ...all.flatMap((observed) => replicaLines(observed, faults, layout.members)),
    ],
    json: {
      ...head,
      cluster_id: hexOf(layout.clusterId),
      members: layout.members,
      primary: primary?.replica_id,
      view: primary?.current_view,
      replicas: all.map((observed) => replicaJson(observed, faults, layout.members)),
    },
  };
}

/** The lines of one replica, as `status`, `start` and `restart` print them. */
export function replicaLines(
  observed: Observed,
  faults: Faults,
  members: readonly bigint[],
): readonly string[] {
  const { replica } = observed;
  const weather = weatherOf(replica.id, faults, members);
  const extra = Object.keys(weather).length === 0
    ? []
    : [line({ replica: replica.id, ...weather })];
  const network = networkOf(replica.id, faults);
  if (observed.kind === "answering") {
    return [...liveLines(replica, observed.status, network), ...extra];
  }
  const log = { log: replica.logPath };
  const head = { replica: replica.id, state: stateOf(observed), network };
  if (observed.kind === "stopped") {
    return [line({ ...head, control: replica.controlAddr, ...log }), ...extra];
  }
  const fields = { ...head, control: replica.controlAddr, pid_path: replica.pidPath, ...log };
  const reason = observed.kind === "stranger"
    ? [line({ replica: replica.id, fault_reason: observed.says })]
    : [];
  return [line(fields), ...reason, ...extra];
}

function liveLines(
  replica: ReplicaLayout,
  status: ControlStatus,
  network: string,
): readonly string[] {
  const { id } = replica;
  const lines = [
    line({
      replica: id,
      state: status.state,
      network,
      pid: status.process_id,
      role: status.role,
      view: status.current_view,
      control: replica.controlAddr,
      client: replica.clientAddr,
      protocol: replica.protocolAddr,
    }),
    line({
      replica: id,
      commit_lsn: status.commit_lsn,
      snapshot_lsn: status.active_snapshot_lsn,
      accepting_writes: status.accepting_writes,
      startup_kind: status.startup_kind,
      log: replica.logPath,
    }),
    line({ replica: id, ...paths(replica) }),
  ];
  if (status.fault_reason !== undefined) {
    lines.push(line({ replica: id, fault_reason: status.fault_reason }));
  }
  return lines;
}

function paths(replica: ReplicaLayout): Readonly<Record<string, string>> {
  return {
    metadata: replica.metadataPath,
    prepare_log: replica.prepareLogPath,
    snapshot: replica.snapshotPath,
    wal: replica.walPath,
    pid_path: replica.pidPath,
  };
}

/** One replica for programs. */
export function replicaJson(
  observed: Observed,
  faults: Faults,
  members: readonly bigint[],
): Readonly<Record<string, Json>> {
  const { replica } = observed;
  const status = observed.kind === "answering" ? observed.status : undefined;
  return {
    replica: replica.id,
    state: stateOf(observed),
    network: networkOf(replica.id, faults),
    pid: observed.kind === "answering" || observed.kind === "unreachable"
      ? observed.mark.pid
      : undefined,
    role: status?.role,
    view: status?.current_view,
    primary: status?.primary,
    commit_lsn: status?.commit_lsn,
    applied_lsn: status?.applied_lsn,
    snapshot_lsn: status?.active_snapshot_lsn,
    accepting_writes: status?.accepting_writes,
    startup_kind: status?.startup_kind,
    fault_reason: observed.kind === "stranger" ? observed.says : status?.fault_reason,
    control: replica.controlAddr,
    client: replica.clientAddr,
    protocol: replica.protocolAddr,
    log: replica.logPath,
    ...paths(replica),
    faults: weatherOf(replica.id, faults, members),
  };
}

function stateOf(observed: Observed): string {
  switch (observed.kind) {
    case "answering":
      return observed.status.state;
    case "unreachable":
      return observed.paused ? "paused" : "unreachable";
    case "stranger":
      return "unreachable";
    case "stopped":
      return "stopped";
  }
}

function networkOf(id: bigint, faults: Faults): "healthy" | "isolated" {
  return faults.isolated.includes(id) ? "isolated" : "healthy";
}

/** What else is wrong with a replica on purpose; empty when nothing is. */
function weatherOf(
  id: bigint,
  faults: Faults,
  members: readonly bigint[],
): Readonly<Record<string, string>> {
  const { disk, clock } = faultsFor(id, faults, members);
  const isDiskBad = disk !== undefined && !hasEnded(disk, Date.now());
  const links = faults.links.filter(({ from, to }) => from === id || to === id)
    .map(({ from, to, fault }) => `${from}>${to}:${describeLink(fault).replaceAll(" ", ",")}`);
  const group = faults.partition.find((ids) => ids.includes(id));
  return {
    ...(group === undefined ? {} : { partition: group.join(",") }),
    ...(links.length === 0 ? {} : { links: links.join(";") }),
    ...(isDiskBad ? { disk_fault: disk.kind } : {}),
    ...(clock === undefined
      ? {}
      : { clock_skew_ms: `${clock.skewMs}`, clock_rate: `${clock.rate}` }),
  };
}
