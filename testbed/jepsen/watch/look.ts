/** Looking at a run: the files that it leaves behind as it goes, and its replicas if their workspace is at hand. */
import { join, resolve } from "@std/path";
import { type Control, controlPorts } from "../../../cluster/runner/control.ts";
import { observeAll, type Observed } from "../../../cluster/runner/observe.ts";
import { findWorkspace, type Workspace } from "../../../cluster/runner/workspace.ts";
import type { JepsenLane } from "../../../node/cli/jepsen_options.ts";
import { CliError } from "../../../node/errors.ts";
import { fileNameOf } from "../run/paths.ts";
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
  const statusFile = runId === undefined
    ? statusFileOf(lane) ?? join(outputRoot, LATEST_STATUS_FILE)
    : join(outputRoot, statusName(runId));
  try {
    const status = readStatus(statusFile);
    const run = runId ?? status?.get("run_id");
    const events = run === undefined
      ? []
      : readEventsTail(join(outputRoot, eventsName(run)), EVENTS_MAX);
    const workspace = status?.get("workspace") ?? lane.workspace;
    const view = { name, statusFile, status, events, problem: undefined };
    return { ...view, ...await clusterOf(workspace) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const nothing = { status: undefined, events: [], replicas: [] };
    return { name, statusFile, ...nothing, problem: error.message };
  }
}

/** Of the runs below an output root the newest whose cluster is in the lane's directory: lanes may share a root. */
function statusFileOf({ workspace, outputRoot }: JepsenLane): string | undefined {
  if (workspace === undefined) return undefined;
  const directory = resolve(workspace);
  let newest: { readonly path: string; readonly millis: number } | undefined;
  for (const path of statusFilesIn(outputRoot)) {
    const status = readStatus(path);
    const millis = Number(status?.get("updated_at_millis") ?? 0);
    const cluster = resolve(status?.get("workspace") ?? "");
    const isHere = cluster === directory || cluster.startsWith(`${directory}/`);
    if (isHere && millis > (newest?.millis ?? -1)) newest = { path, millis };
  }
  return newest?.path;
}

function statusFilesIn(directory: string): readonly string[] {
  try {
    return [...Deno.readDirSync(directory)]
      .filter(({ name }) => name.endsWith("-status.txt") && name !== LATEST_STATUS_FILE)
      .map(({ name }) => join(directory, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
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
