/** Looking at a run: the files that it leaves behind as it goes, and its replicas if their workspace is at hand. */
import { join } from "@std/path";
import { type Control, controlPorts } from "../../../cluster/runner/control.ts";
import { observeAll, type Observed } from "../../../cluster/runner/observe.ts";
import { findWorkspace, type Workspace } from "../../../cluster/runner/workspace.ts";
import type { JepsenLane } from "../../../node/cli/jepsen_options.ts";
import { CliError } from "../../../node/errors.ts";
import { readEventsTail, readStatus } from "./run_files.ts";
import { type LaneView, type ReplicaView, replicaView, silentReplica } from "./view.ts";

/** The copy of the newest status of any run below an output root. */
const LATEST_STATUS_FILE = "allocdb-jepsen-latest-status.txt";
const EVENTS_MAX = 8;

/**
 * Looks once. What cannot be seen is told in the view: a fleet is watched while its clusters come and go.
 *
 * @param runId Which run; the latest unless told.
 */
export async function look(lane: JepsenLane, runId: string | undefined): Promise<LaneView> {
  const { name, outputRoot } = lane;
  const statusFile = join(outputRoot, runId === undefined ? LATEST_STATUS_FILE : statusName(runId));
  try {
    const status = readStatus(statusFile);
    const run = runId ?? status?.get("run_id");
    const events = run === undefined
      ? []
      : readEventsTail(join(outputRoot, eventsName(run)), EVENTS_MAX);
    const workspace = lane.workspace ?? status?.get("workspace");
    const view = { name, statusFile, status, events, problem: undefined };
    return { ...view, ...await clusterOf(workspace) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const nothing = { status: undefined, events: [], replicas: [] };
    return { name, statusFile, ...nothing, problem: error.message };
  }
}

/** The name of a run as part of a file's name. */
export function fileNameOf(runId: string): string {
  return runId.replace(/[^A-Za-z0-9_-]/g, "_") || "run";
}

function statusName(runId: string): string {
  return `${fileNameOf(runId)}-status.txt`;
}

function eventsName(runId: string): string {
  return `${fileNameOf(runId)}-events.log`;
}

async function clusterOf(
  path: string | undefined,
): Promise<Pick<LaneView, "replicas"> & { readonly problem?: string }> {
  if (path === undefined || path === "none") return { replicas: [] };
  try {
    const workspace = findWorkspace(path);
    const control = controlPorts(() => workspace.layout.secretPath);
    return { replicas: await replicasOf(workspace, control) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { replicas: [], problem: error.message };
  }
}

async function replicasOf(workspace: Workspace, control: Control): Promise<ReplicaView[]> {
  const all = await observeAll(workspace, control);
  const lags = lagsOf(all);
  return await Promise.all(all.map(async (observed) => {
    const id = String(observed.replica.id);
    if (observed.kind !== "answering") return silentReplica(id, silence(observed));
    const figures = await control.metrics(observed.replica.controlAddr);
    const told = figures.kind === "answer" ? figures.reply.metrics : undefined;
    return replicaView(observed.status, told, lags.get(observed.replica.id));
  }));
}

/** By how much the replicas are behind, as their primary sees it. */
function lagsOf(all: readonly Observed[]): ReadonlyMap<bigint, bigint> {
  const primary = all.findLast((observed) =>
    observed.kind === "answering" && observed.status.role === "primary"
  );
  if (primary?.kind !== "answering") return new Map();
  return new Map([
    [primary.replica.id, 0n],
    ...primary.status.peers.map((peer) => [peer.replica_id, peer.lag] as const),
  ]);
}

function silence(observed: Exclude<Observed, { readonly kind: "answering" }>): string {
  switch (observed.kind) {
    case "unreachable":
      return observed.paused ? "paused" : "no control link";
    case "stopped":
      return "stopped";
    case "stranger":
      return observed.says;
  }
}
