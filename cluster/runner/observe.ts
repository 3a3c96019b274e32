/** What each replica is doing, from its control port and its pid file together. */
import { hexOf } from "../../node/cli/fields.ts";
import type { ControlStatus } from "../../node/control/messages.ts";
import type { ReplicaLayout } from "../workspace/layout.ts";
import { readPidFile } from "../workspace/pid_file.ts";
import { isPaused, type ProcessMark, processMark } from "../workspace/processes.ts";
import { fileError } from "../workspace/workspace_files.ts";
import type { Answer, Control } from "./control.ts";
import type { Workspace } from "./workspace.ts";

/** One replica, looked at once. */
export type Observed =
  & { readonly replica: ReplicaLayout }
  & (
    | {
      readonly kind: "answering";
      readonly status: ControlStatus;
      readonly mark: ProcessMark;
    }
    /** Its process lives and does not answer. */
    | { readonly kind: "unreachable"; readonly mark: ProcessMark; readonly paused: boolean }
    | { readonly kind: "stopped" }
    /** Its control port is somebody else's, or its pid file is: nothing here is ours to signal. */
    | { readonly kind: "stranger"; readonly says: string }
  );

/** Looks at every replica at once. */
export async function observeAll(
  { layout }: Workspace,
  control: Control,
): Promise<readonly Observed[]> {
  return await Promise.all(
    layout.replicas.map((replica) => observe(replica, layout.clusterId, control)),
  );
}

/**
 * Looks at one replica.
 *
 * @param replica Which.
 * @param clusterId What it must belong to.
 * @param control How to ask.
 */
export async function observe(
  replica: ReplicaLayout,
  clusterId: Uint8Array,
  control: Control,
): Promise<Observed> {
  const file = pidFile(replica.pidPath);
  if (file.kind === "running" && isPaused(file.mark)) {
    return { replica, kind: "unreachable", mark: file.mark, paused: true };
  }
  const answer = await control.status(replica.controlAddr);
  if (answer.kind === "answer") return answered(replica, answer.reply, clusterId);
  if (file.kind === "running") {
    return { replica, kind: "unreachable", mark: file.mark, paused: false };
  }
  if (file.kind === "foreign") {
    return { replica, kind: "stranger", says: `${replica.pidPath} is not a pid file of ours` };
  }
  return unanswered(replica, answer);
}

function answered(
  replica: ReplicaLayout,
  status: ControlStatus,
  clusterId: Uint8Array,
): Observed {
  if (status.cluster_id !== hexOf(clusterId) || status.replica_id !== replica.id) {
    const says = `replica ${status.replica_id} of cluster ${status.cluster_id} answers on ` +
      `${replica.controlAddr} (pid ${status.process_id})`;
    return { replica, kind: "stranger", says };
  }
  const mark = processMark(status.process_id);
  if (mark !== undefined) return { replica, kind: "answering", status, mark };
  const says = `${replica.controlAddr} says that it is pid ${status.process_id}, which is not here`;
  return { replica, kind: "stranger", says };
}

function unanswered(
  replica: ReplicaLayout,
  answer: Exclude<Answer<unknown>, { readonly kind: "answer" }>,
): Observed {
  switch (answer.kind) {
    case "nobody":
      return { replica, kind: "stopped" };
    case "silent":
      return { replica, kind: "stranger", says: `${replica.controlAddr} is taken and silent` };
    case "stranger":
      return { replica, kind: "stranger", says: `${replica.controlAddr}: ${answer.says}` };
  }
}

function pidFile(path: string): ReturnType<typeof readPidFile> {
  try {
    return readPidFile(path);
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** The process of a replica that has one. */
export function markOf(observed: Observed): ProcessMark | undefined {
  return observed.kind === "answering" || observed.kind === "unreachable"
    ? observed.mark
    : undefined;
}

/** The primary that serves, if there is one: of two that say so, the one of the later view. */
export function servingPrimary(all: readonly Observed[]): ControlStatus | undefined {
  let found: ControlStatus | undefined;
  for (const observed of all) {
    if (observed.kind !== "answering") continue;
    const { status } = observed;
    const serves = status.state === "active" && status.role === "primary" &&
      status.accepting_writes === true;
    if (serves && (found === undefined || status.current_view > found.current_view)) found = status;
  }
  return found;
}
