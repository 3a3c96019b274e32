/** Processes that were started here: they and no others are ended. */
import { waitFor } from "../../../../cluster/runner/waiting.ts";
import type { Workspace } from "../../../../cluster/runner/workspace.ts";
import { removeIfAny } from "../../../../cluster/workspace/files.ts";
import { readPidFile } from "../../../../cluster/workspace/pid_file.ts";
import {
  isRunning,
  type ProcessMark,
  signalProcess,
} from "../../../../cluster/workspace/processes.ts";
import { CliError } from "../../../../node/errors.ts";

/** How long a killed process may take to be gone, in milliseconds. */
const GONE_MS_MAX = 10_000;

/** See the top of this file. */
export class OwnProcesses {
  readonly #marks = new Map<string, ProcessMark>();

  /**
   * Whoever runs in a workspace now was started here.
   *
   * @param others Replicas that were not.
   */
  note({ layout }: Workspace, others: readonly number[] = []): void {
    for (const { id, pidPath } of layout.replicas) {
      if (others.includes(Number(id))) continue;
      const file = readPidFile(pidPath);
      if (file.kind === "running") this.#marks.set(pidPath, file.mark);
    }
  }

  /**
   * Kills them, and waits until they are gone.
   *
   * @throws {CliError} E_WAIT_TIMEOUT when one is still there.
   */
  async end(): Promise<void> {
    for (const mark of this.#marks.values()) signalProcess(mark, "SIGKILL");
    for (const [pidPath, mark] of this.#marks) {
      const gone = await waitFor(GONE_MS_MAX, () => isRunning(mark) ? undefined : true);
      if (gone === undefined) {
        throw new CliError("E_WAIT_TIMEOUT", `process ${mark.pid} shows no effect of SIGKILL`);
      }
      removeIfAny(pidPath);
    }
    this.#marks.clear();
  }
}
