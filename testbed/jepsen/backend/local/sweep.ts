/** Replicas whose run was killed: nobody else ends them. */
import { join } from "@std/path";
import { findWorkspace, type Workspace } from "../../../../cluster/runner/workspace.ts";
import { CliError } from "../../../../node/errors.ts";
import { OwnProcesses } from "./own_processes.ts";
import { claimWorkspace } from "./workspace.ts";

/**
 * Kills whatever runs in a workspace, or in those right below a directory, that no run is at work in. Does nothing where there
 * is none.
 *
 * @throws {CliError} E_WORKSPACE_LOCKED when a run is at work in one.
 */
export async function sweepWorkspace(path: string): Promise<void> {
  for (const candidate of [path, ...directoriesIn(path)]) {
    const workspace = foundIn(candidate);
    if (workspace !== undefined) await sweep(workspace);
  }
}

async function sweep(workspace: Workspace): Promise<void> {
  using _claim = await claimWorkspace(workspace.root);
  const left = new OwnProcesses();
  left.note(workspace);
  await left.end();
}

function directoriesIn(path: string): readonly string[] {
  try {
    return [...Deno.readDirSync(path)].filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => join(path, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function foundIn(path: string): Workspace | undefined {
  try {
    return findWorkspace(path);
  } catch (error) {
    if (error instanceof CliError && error.code === "E_NO_WORKSPACE") return undefined;
    throw error;
  }
}
