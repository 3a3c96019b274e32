/** Starting replicas as processes, and stopping what was started when it does not work out. */
import { CliError } from "../../node/errors.ts";
import { type Program, startDetached } from "../../node/process_self.ts";
import type { ControlStatus } from "../../node/control/messages.ts";
import { removeIfAny } from "../workspace/files.ts";
import { writePidFile } from "../workspace/pid_file.ts";
import { isRunning, type ProcessMark, processMark, signalProcess } from "../workspace/processes.ts";
import type { ReplicaLayout } from "../workspace/layout.ts";
import type { Control } from "./control.ts";
import { logTail } from "./log_tail.ts";
import { observe } from "./observe.ts";
import { waitFor } from "./waiting.ts";
import type { Workspace } from "./workspace.ts";

/** One replica that was started just now. */
export interface Launched {
  readonly replica: ReplicaLayout;
  readonly mark: ProcessMark;
  /** How it ended, once it has. */
  readonly ended: () => Deno.CommandStatus | undefined;
}

/** How long a replica that has to go may take until it is killed, and then until it is gone, in milliseconds. */
const END_MS_MAX = 2_000;
/** Lines of its log that a failed start shows. */
const TAIL_LINES = 5;

/** Starts the process of one replica. Its data directory exists, and nothing runs on it. */
export function launch(
  { layout, layoutPath }: Workspace,
  replica: ReplicaLayout,
  program: Program,
): Launched {
  const manual = [...layout.manual].map((chore) => `--manual-${chore}`);
  const args = ["replica", "run", "--layout", layoutPath, "--replica-id", `${replica.id}`];
  const child = startDetached(program, [...args, ...manual], replica.logPath);
  const found = processMark(child.pid);
  // A process that has ended already is one that nobody will ever signal.
  const mark = found ?? { pid: child.pid, start: "0@ended" };
  if (found !== undefined) writePidFile(replica.pidPath, found);
  let status: Deno.CommandStatus | undefined;
  child.status.then((ended) => status = ended);
  return { replica, mark, ended: () => status };
}

/**
 * Waits until a replica answers its control port.
 *
 * @throws {CliError} E_REPLICA_FAILED when it ended instead, E_WAIT_TIMEOUT when it takes longer.
 */
export async function waitUntilReady(
  { layout }: Workspace,
  { replica, ended, mark }: Launched,
  control: Control,
  timeoutMs: number,
): Promise<ControlStatus> {
  const found = await waitFor(timeoutMs, async () => {
    const observed = await observe(replica, layout.clusterId, control);
    if (observed.kind === "answering") return observed.status;
    return ended() ?? (isRunning(mark) ? undefined : GONE);
  });
  if (found !== undefined && "protocol_version" in found) return found;
  const tail = logTail(replica.logPath, TAIL_LINES);
  const words = tail.length === 0 ? "" : `; its log ends with: ${tail.join(" | ")}`;
  const context = { replica_id: replica.id, log: replica.logPath };
  if (found !== undefined) {
    const how = found.signal === null ? `code ${found.code}` : found.signal;
    throw new CliError(
      "E_REPLICA_FAILED",
      `replica ${replica.id} ended with ${how} before it was ready${words}`,
      { hint: `its whole log is ${replica.logPath}`, context },
    );
  }
  const message =
    `replica ${replica.id} did not answer on ${replica.controlAddr} within ${timeoutMs} ms`;
  throw new CliError("E_WAIT_TIMEOUT", `${message}${words}`, {
    hint: `allow more with --timeout; its whole log is ${replica.logPath}`,
    context,
  });
}

const GONE: Deno.CommandStatus = { success: false, code: -1, signal: null };

/** Ends what was started: politely, then not. Never throws for a replica that is gone. */
export async function stopLaunched(
  launched: readonly Launched[],
  control: Control,
): Promise<void> {
  await Promise.all(launched.map(async ({ replica, mark }) => {
    if (isRunning(mark)) await control.stop(replica.controlAddr, 0);
    if (isRunning(mark)) signalProcess(mark, "SIGTERM");
    if (!await hasGone(mark)) {
      signalProcess(mark, "SIGKILL");
      await hasGone(mark);
    }
    removeIfAny(replica.pidPath);
  }));
}

async function hasGone(mark: ProcessMark): Promise<boolean> {
  return await waitFor(END_MS_MAX, () => isRunning(mark) ? undefined : true) ?? false;
}
