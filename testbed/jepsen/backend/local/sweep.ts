/** Replicas whose run was killed: nobody else ends them. */
import { findWorkspace, type Workspace } from "../../../../cluster/runner/workspace.ts";
import { CliError } from "../../../../node/errors.ts";
import { OwnProcesses } from "./own_processes.ts";
import { claimWorkspace } from "./workspace.ts";

/**
 * Kills whatever runs in a workspace that no run is at work in. Does nothing where there is no workspace.
 *
 * @throws {CliError} E_WORKSPACE_LOCKED when a run is at work in it.
 */
export async function sweepWorkspace(path: string): Promise<void> {
  const workspace = foundIn(path);
  if (workspace === undefined) return;
  using _claim = await claimWorkspace(workspace.root);
  const left = new OwnProcesses();
  left.note(workspace);
  await left.end();
}

function foundIn(path: string): Workspace | undefined {
  try {
    return findWorkspace(path);
  } catch (error) {
    if (error instanceof CliError && error.code === "E_NO_WORKSPACE") return undefined;
    throw error;
  }
}
