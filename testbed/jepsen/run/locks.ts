/** Two runs that write the same files would each be judged by what the other one saw: the second is refused. */
import { fileError } from "../../../cluster/workspace/workspace_files.ts";
import { CliError } from "../../../node/errors.ts";
import { lockDirectory, within } from "../../../node/io/lock.ts";
import type { RunPaths } from "./paths.ts";

/** How long another run may take to be through, in milliseconds: one that was interrupted ends its cluster first. */
const LOCK_WAIT_MS = 3_000;

/**
 * Locks the name of a run below an output root, by its events log, for as long as this process lives.
 *
 * @throws {CliError} E_WORKSPACE_LOCKED when another run has it.
 */
export async function lockRun(
  { events, outputRoot }: RunPaths,
  runId: string,
): Promise<Disposable> {
  const file = await openedForAppending(events);
  const locked = file.lock(true).then(() => true as const);
  if (await within(LOCK_WAIT_MS, locked)) return { [Symbol.dispose]: () => file.close() };
  locked.catch(() => {}).finally(() => file.close());
  throw new CliError("E_WORKSPACE_LOCKED", `a run of ${runId} is under way below ${outputRoot}`, {
    hint: "wait for it, or use another --output-root",
  });
}

/**
 * Locks the directory of the matrix's clusters.
 *
 * @param workspaces Exists.
 * @throws {CliError} E_WORKSPACE_LOCKED when another matrix is run there.
 */
export async function lockAll(workspaces: string): Promise<Disposable> {
  const result = await lockDirectory(workspaces, LOCK_WAIT_MS);
  if (result.kind === "held") return result.lock;
  throw new CliError("E_WORKSPACE_LOCKED", `the matrix is under way in ${workspaces}`, {
    hint: "wait for it, or use another --output-root",
    context: { pid: result.pid },
  });
}

async function openedForAppending(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { create: true, append: true });
  } catch (error) {
    throw fileError(error, "write", path);
  }
}
