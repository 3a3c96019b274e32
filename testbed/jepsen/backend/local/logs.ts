/** What of a workspace belongs into the bundle of a run. */
import { dirname, join, relative } from "@std/path";
import type { Workspace } from "../../../../cluster/runner/workspace.ts";
import {
  faultsPath,
  fileError,
  timelinePath,
} from "../../../../cluster/workspace/workspace_files.ts";

/**
 * Copies logs, layout, faults, timeline and the replicas' metadata under the names that they have in the workspace.
 *
 * @returns What was there to be copied, relative to `directory`.
 * @throws {CliError} When a file cannot be copied.
 */
export async function copyLogs(
  { root, layout, layoutPath }: Workspace,
  directory: string,
): Promise<readonly string[]> {
  const files: readonly (readonly [string, string])[] = [
    [layoutPath, relative(root, layoutPath)],
    [faultsPath(layout), "cluster-faults.txt"],
    [timelinePath(layout), "cluster-timeline.log"],
    ...layout.replicas.flatMap((
      { id, logPath, metadataPath, prepareLogPath },
    ): [string, string][] => [
      [logPath, `logs/replica-${id}.log`],
      [metadataPath, `replica-${id}/replica.metadata`],
      [prepareLogPath, `replica-${id}/replica.metadata.prepare`],
    ]),
  ];
  const copied: string[] = [];
  for (const [from, name] of files) {
    if (await copyIfAny(from, join(directory, name))) copied.push(name);
  }
  return copied;
}

async function copyIfAny(from: string, to: string): Promise<boolean> {
  try {
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.copyFile(from, to);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw fileError(error, "copy", from);
  }
}
