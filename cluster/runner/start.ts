/** `cluster start` and `cluster restart`: what does not run is started, and must serve. */
import type { ClusterStart } from "../../node/cli/cluster_options.ts";
import type { ControlStatus } from "../../node/control/messages.ts";
import { CliError } from "../../node/errors.ts";
import type { Program } from "../../node/process_self.ts";
import type { ReplicaLayout } from "../workspace/layout.ts";
import { readPidFile } from "../workspace/pid_file.ts";
import { canSeeProcesses } from "../workspace/processes.ts";
import { readTimeline } from "../workspace/timeline.ts";
import { timelinePath } from "../workspace/workspace_files.ts";
import type { Control } from "./control.ts";
import { type DataState, examineData, makeData } from "./data_directories.ts";
import { foundOrFind, makeRoot } from "./founding.ts";
import { launch, type Launched, stopLaunched, waitUntilReady } from "./launch.ts";
import { observe, observeAll, type Observed, servingPrimary } from "./observe.ts";
import { requirePortsFree } from "./ports.ts";
import { waitFor } from "./waiting.ts";
import {
  faultsIn,
  inWorkspace,
  lockWorkspace,
  recorded,
  replicaIn,
  type Workspace,
} from "./workspace.ts";

/** What verbs need from outside. */
export interface Outside {
  readonly control: Control;
  /** What a replica is a process of. */
  readonly program: Program;
}

/** What start did. */
export interface StartReport {
  readonly workspace: Workspace;
  /** Whether the workspace was made just now. */
  readonly isNew: boolean;
  /** Started just now. */
  readonly started: readonly bigint[];
  /** Ran already. */
  readonly running: readonly bigint[];
  /** For people. */
  readonly notices: readonly string[];
  readonly primary: bigint | undefined;
  /** Every replica as it is now. */
  readonly replicas: readonly Observed[];
}

/** One replica that is to be started, and what is known of its data. */
interface Missing {
  readonly replica: ReplicaLayout;
  readonly data: DataState;
}

/**
 * Makes a workspace if it is new and starts every replica that does not run.
 *
 * @throws {CliError} When not every replica answers, or none serves, in time. What was started is stopped again.
 */
export async function startCluster(
  options: ClusterStart,
  outside: Outside,
): Promise<StartReport> {
  requireProcesses();
  const root = makeRoot(options.workspace);
  using _lock = await lockWorkspace(root);
  const { workspace, isNew } = await foundOrFind(root, options);
  faultsIn(workspace); // A file that no replica could read is found before there is one.
  const before = await observeAll(workspace, outside.control);
  const missing = missingOf(workspace, before);
  const running = before.filter(({ kind }) => kind === "answering").map(({ replica }) =>
    replica.id
  );
  const notices = await bringUp(workspace, missing, options, outside);
  const replicas = await observeAll(workspace, outside.control);
  return {
    workspace,
    isNew,
    started: missing.map(({ replica }) => replica.id),
    running,
    notices: [...notices, ...faultNotices(replicas)],
    primary: servingPrimary(replicas)?.replica_id,
    replicas,
  };
}

/**
 * Starts one replica that does not run.
 *
 * @throws {CliError} E_ALREADY_RUNNING when it does; that it did not answer in time.
 */
export async function restartReplica(
  path: string,
  id: bigint,
  timeoutMs: number,
  outside: Outside,
): Promise<{ readonly observed: Observed; readonly notices: readonly string[] }> {
  requireProcesses();
  return await inWorkspace(path, async (workspace) => {
    const replica = replicaIn(workspace, id);
    const { layout } = workspace;
    const before = await observe(replica, layout.clusterId, outside.control);
    requireStopped(before, path);
    requirePortsFree(replica);
    const missing = { replica, data: examineData(layout, replica) };
    requireMajority(workspace);
    const intent = { kind: "replica_restart", replicaId: id, detail: undefined } as const;
    const notices = await recorded(workspace, intent, async () => {
      const made = await makeLost(workspace, [missing]);
      await runAll(workspace, [missing], timeoutMs, outside);
      return made;
    }, { doneDetail: "replica_ready" });
    const observed = await observe(replica, layout.clusterId, outside.control);
    return { observed, notices: [...notices, ...faultNotices([observed])] };
  });
}

function requireProcesses(): void {
  if (canSeeProcesses()) return;
  throw new CliError("E_PREFLIGHT", "this system does not show its processes under /proc", {
    hint: "local clusters need Linux with /proc mounted; `allocdb serve` needs neither",
  });
}

/** The replicas to start. Whatever cannot be told from a running replica is left alone, and said. */
function missingOf(workspace: Workspace, all: readonly Observed[]): readonly Missing[] {
  const stopped = all.filter((observed) => {
    if (observed.kind === "answering") return false;
    requireStopped(observed, workspace.root);
    return true;
  });
  const missing = stopped.map(({ replica }) => {
    requirePortsFree(replica);
    return { replica, data: examineData(workspace.layout, replica) };
  });
  requireMajority(workspace);
  return missing;
}

function requireStopped(observed: Observed, path: string): void {
  const { replica } = observed;
  const context = { replica_id: replica.id };
  const on = `--workspace ${path} --replica-id ${replica.id}`;
  switch (observed.kind) {
    case "stopped":
      return;
    case "answering":
      throw new CliError(
        "E_ALREADY_RUNNING",
        `replica ${replica.id} is already running on ${replica.controlAddr} ` +
          `with pid ${observed.status.process_id}`,
        { hint: `see allocdb cluster status --workspace ${path}`, context },
      );
    case "unreachable":
      throw new CliError(
        "E_ALREADY_RUNNING",
        `replica ${replica.id} still has a live pid ${observed.mark.pid}, which ` +
          (observed.paused ? "is paused" : `does not answer on ${replica.controlAddr}`),
        { hint: `allocdb cluster ${observed.paused ? "resume" : "crash"} ${on}`, context },
      );
    case "stranger":
      throw strangerError(replica, observed.says);
  }
}

function strangerError(replica: ReplicaLayout, says: string): CliError {
  const context = { replica_id: replica.id };
  if (readPidFile(replica.pidPath).kind === "foreign") {
    return new CliError("E_BAD_WORKSPACE", `replica ${replica.id} cannot be started: ${says}`, {
      hint: "remove that file if no replica runs",
      context,
    });
  }
  return new CliError("E_PORT_IN_USE", `replica ${replica.id} cannot be started: ${says}`, {
    hint: "end that process; the ports of a workspace are fixed in its cluster-layout.txt",
    context,
  });
}

/**
 * A replica whose directory is lost comes back without a vote. When that befell a majority, nobody is left who
 * can tell what was committed, and no election would ever end.
 */
function requireMajority(workspace: Workspace): void {
  const { replicas } = workspace.layout;
  const lost = replicas.filter((replica) => examineData(workspace.layout, replica) === "missing");
  if (lost.length * 2 < replicas.length) return;
  const ids = lost.map(({ id }) => id).join(", ");
  throw new CliError(
    "E_BAD_WORKSPACE",
    `the data of replica ${ids} is gone, and with it the majority of ${replicas.length}`,
    {
      hint: "put the directories back, or begin a new workspace; nothing was changed",
      context: { workspace: workspace.root },
    },
  );
}

async function bringUp(
  workspace: Workspace,
  missing: readonly Missing[],
  { timeoutMs, waitForPrimary }: ClusterStart,
  outside: Outside,
): Promise<readonly string[]> {
  const intent = { kind: "cluster_start", replicaId: undefined, detail: undefined } as const;
  const doneDetail = missing.length === 0 ? "already_running" : "cluster_started";
  return await recorded(workspace, intent, async () => {
    const deadline = performance.now() + timeoutMs;
    const notices = await makeLost(workspace, missing);
    const launched = await runAll(workspace, missing, timeoutMs, outside);
    if (!waitForPrimary) return notices;
    const leftMs = Math.max(deadline - performance.now(), 0);
    const look = async () => servingPrimary(await observeAll(workspace, outside.control));
    if (await waitFor(leftMs, look) !== undefined) return notices;
    const all = await observeAll(workspace, outside.control);
    await stopLaunched(launched, outside.control);
    throw noPrimary(workspace, all, timeoutMs);
  }, { doneDetail });
}

function noPrimary(
  { root }: Workspace,
  all: readonly Observed[],
  timeoutMs: number,
): CliError {
  const states = all.map((observed) => {
    const status: ControlStatus | undefined = observed.kind === "answering"
      ? observed.status
      : undefined;
    const what = status === undefined
      ? observed.kind
      : `${status.state} ${status.role} in view ${status.current_view}, ${status.network}`;
    return `replica ${observed.replica.id} is ${what}`;
  });
  return new CliError(
    "E_WAIT_TIMEOUT",
    `no replica became a serving primary within ${timeoutMs} ms: ${states.join("; ")}`,
    {
      hint: `if faults are in the way: allocdb cluster heal --workspace ${root} --all; ` +
        "--no-wait starts without a primary",
    },
  );
}

/** Directories that were lost are made again, without a vote. */
async function makeLost(
  { layout }: Workspace,
  missing: readonly Missing[],
): Promise<readonly string[]> {
  const notices: string[] = [];
  for (const { replica, data } of missing) {
    if (data !== "missing") continue;
    await makeData(layout, replica, "recovering");
    notices.push(
      `replica ${replica.id} had lost its data: ${replica.directory} was made again, ` +
        "and has no vote until it has caught up",
    );
  }
  return notices;
}

/** Starts all of them and waits until each answers; if one does not, all are stopped. */
async function runAll(
  workspace: Workspace,
  missing: readonly Missing[],
  timeoutMs: number,
  { control, program }: Outside,
): Promise<readonly Launched[]> {
  const launched: Launched[] = [];
  try {
    for (const { replica } of missing) launched.push(launch(workspace, replica, program));
    const waits = launched.map((one) => waitUntilReady(workspace, one, control, timeoutMs));
    await Promise.all(waits);
    return launched;
  } catch (error) {
    await stopLaunched(launched, control);
    throw error;
  }
}

function faultNotices(all: readonly Observed[]): readonly string[] {
  return all.flatMap((observed) => {
    if (observed.kind !== "answering" || observed.status.state !== "faulted") return [];
    return [`replica ${observed.replica.id} is faulted: ${observed.status.fault_reason}`];
  });
}

/** How many verbs the workspace has seen. */
export function eventCount({ layout }: Workspace): number {
  return readTimeline(timelinePath(layout)).events.length;
}
