/** Verbs that act on processes: stop, crash, pause, resume. */
import { CliError } from "../../node/errors.ts";
import { removeIfAny } from "../workspace/files.ts";
import type { ReplicaLayout } from "../workspace/layout.ts";
import { isPaused, isRunning, type ProcessMark, signalProcess } from "../workspace/processes.ts";
import type { Control } from "./control.ts";
import { markOf, observe, observeAll, type Observed } from "./observe.ts";
import { waitFor } from "./waiting.ts";
import { inWorkspace, recorded, replicaIn, type Workspace } from "./workspace.ts";

/** What stop found and did with one replica. */
export interface Stopped {
  readonly replica: ReplicaLayout;
  /** `stop_signalled` when it did not answer and got SIGTERM. */
  readonly outcome: "stop_requested" | "stop_signalled" | "already_stopped";
}

/** How long a killed or stopped process may take to be seen so, in milliseconds. */
const SIGNAL_MS_MAX = 5_000;
/** What of the time to stop is left to the control port before SIGTERM. */
const POLITE_SHARE = 0.6;

/**
 * Stops every replica, all at once.
 *
 * @param path The workspace.
 * @param timeoutMs For how long.
 * @throws {CliError} E_WAIT_TIMEOUT when one does not stop.
 */
export async function stopCluster(
  path: string,
  timeoutMs: number,
  control: Control,
): Promise<readonly Stopped[]> {
  return await inWorkspace(path, async (workspace) => {
    const all = await observeAll(workspace, control);
    const strange = all.find(({ kind }) => kind === "stranger");
    if (all.every((observed) => markOf(observed) === undefined)) {
      if (strange !== undefined) throw notOurs(strange);
      all.forEach(({ replica }) => removeIfAny(replica.pidPath));
      return all.map(({ replica }) => ({ replica, outcome: "already_stopped" as const }));
    }
    const intent = { kind: "cluster_stop", replicaId: undefined, detail: undefined } as const;
    return await recorded(workspace, intent, async () => {
      const stopped = await Promise.all(
        all.map((observed) => stopOne(workspace, observed, timeoutMs, control)),
      );
      if (strange !== undefined) throw notOurs(strange);
      return stopped;
    }, { doneDetail: "cluster_stopped", isUrgent: true });
  });
}

async function stopOne(
  { root }: Workspace,
  observed: Observed,
  timeoutMs: number,
  control: Control,
): Promise<Stopped> {
  const { replica } = observed;
  const mark = markOf(observed);
  if (mark === undefined) return { replica, outcome: "already_stopped" };
  const asked = observed.kind === "answering" && await isAsked(replica, timeoutMs, control);
  if (asked && await hasEnded(mark, timeoutMs * POLITE_SHARE)) {
    removeIfAny(replica.pidPath);
    return { replica, outcome: "stop_requested" };
  }
  signalProcess(mark, "SIGTERM");
  signalProcess(mark, "SIGCONT"); // A paused process takes no other signal.
  if (await hasEnded(mark, asked ? timeoutMs * (1 - POLITE_SHARE) : timeoutMs)) {
    removeIfAny(replica.pidPath);
    return { replica, outcome: "stop_signalled" };
  }
  const on = `--workspace ${root} --replica-id ${replica.id}`;
  const says = `replica ${replica.id} (pid ${mark.pid}) did not stop within ${timeoutMs} ms`;
  throw new CliError("E_WAIT_TIMEOUT", says, {
    hint: `kill it: allocdb cluster crash ${on}`,
    context: { replica_id: replica.id, pid: mark.pid, pid_path: replica.pidPath },
  });
}

async function isAsked(
  { controlAddr }: ReplicaLayout,
  timeoutMs: number,
  control: Control,
): Promise<boolean> {
  const answer = await control.stop(controlAddr, Math.floor(timeoutMs * POLITE_SHARE / 2));
  return answer.kind === "answer";
}

/**
 * Kills one replica and waits until it is gone.
 *
 * @throws {CliError} E_NOT_RUNNING when it is already.
 */
export async function crashReplica(
  path: string,
  id: bigint,
  control: Control,
): Promise<{ readonly replica: ReplicaLayout; readonly pid: number }> {
  return await inWorkspace(path, async (workspace) => {
    const { replica, mark } = await runningReplica(workspace, id, control);
    const intent = { kind: "replica_crash", replicaId: id, detail: "signal=kill" } as const;
    await recorded(workspace, intent, async () => {
      signalProcess(mark, "SIGKILL");
      if (!await hasEnded(mark, SIGNAL_MS_MAX)) throw stillThere(replica, mark, "SIGKILL");
      removeIfAny(replica.pidPath);
    }, { isUrgent: true });
    return { replica, pid: mark.pid };
  });
}

/**
 * Freezes one replica, or lets it go on.
 *
 * @throws {CliError} E_NOT_RUNNING when there is nothing to freeze.
 */
export async function pauseReplica(
  path: string,
  id: bigint,
  verb: "pause" | "resume",
  control: Control,
): Promise<{ readonly replica: ReplicaLayout; readonly pid: number }> {
  return await inWorkspace(path, async (workspace) => {
    const { replica, mark } = await runningReplica(workspace, id, control);
    const detail = verb === "pause" ? "signal=stop" : "signal=cont";
    const intent = { kind: `replica_${verb}`, replicaId: id, detail } as const;
    await recorded(workspace, intent, async () => {
      const wanted = verb === "pause";
      signalProcess(mark, wanted ? "SIGSTOP" : "SIGCONT");
      const isSo = () => isPaused(mark) === wanted ? true : undefined;
      const there = await waitFor(SIGNAL_MS_MAX, isSo) && isRunning(mark);
      if (!there) throw stillThere(replica, mark, wanted ? "SIGSTOP" : "SIGCONT");
    }, { isUrgent: verb === "resume" });
    return { replica, pid: mark.pid };
  });
}

async function runningReplica(
  workspace: Workspace,
  id: bigint,
  control: Control,
): Promise<{ readonly replica: ReplicaLayout; readonly mark: ProcessMark }> {
  const replica = replicaIn(workspace, id);
  const observed = await observe(replica, workspace.layout.clusterId, control);
  const mark = markOf(observed);
  if (mark !== undefined) return { replica, mark };
  if (observed.kind === "stranger") throw notOurs(observed);
  removeIfAny(replica.pidPath); // Stale: it would only mislead.
  throw new CliError("E_NOT_RUNNING", `replica ${id} is already stopped`, {
    hint: `start it: allocdb cluster restart --workspace ${workspace.root} --replica-id ${id}`,
    context: { replica_id: id },
  });
}

function notOurs(observed: Observed): CliError {
  const says = observed.kind === "stranger" ? observed.says : observed.kind;
  const { id } = observed.replica;
  return new CliError("E_ALREADY_RUNNING", `replica ${id} cannot be told from others: ${says}`, {
    hint: "nothing was signalled; find out whose process that is",
    context: { replica_id: id },
  });
}

function stillThere(replica: ReplicaLayout, mark: ProcessMark, signal: string): CliError {
  const says = `replica ${replica.id} (pid ${mark.pid}) shows no effect of ${signal}`;
  return new CliError("E_WAIT_TIMEOUT", says, {
    hint: "look at the process; nothing else was done",
    context: { replica_id: replica.id, pid: mark.pid },
  });
}

async function hasEnded(mark: ProcessMark, timeoutMs: number): Promise<boolean> {
  return await waitFor(timeoutMs, () => isRunning(mark) ? undefined : true) ?? false;
}
