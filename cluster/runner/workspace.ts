/** A workspace as a verb has it: found, locked, its layout and faults read. */
import { join, resolve } from "@std/path";
import { DiskFault } from "../../node/disk.ts";
import { CliError } from "../../node/errors.ts";
import { type DirectoryLock, lockDirectory } from "../../node/io/lock.ts";
import { type Faults, NO_FAULTS } from "../workspace/faults.ts";
import { formatFaults } from "../workspace/faults_text.ts";
import { replaceText } from "../workspace/files.ts";
import { type ClusterLayout, type ReplicaLayout, replicaOf } from "../workspace/layout.ts";
import { type Intent, OpenEvent } from "../workspace/timeline.ts";
import {
  faultsPath,
  fileError,
  LAYOUT_FILE,
  readFaults,
  readLayout,
  timelinePath,
} from "../workspace/workspace_files.ts";

/** How long a verb waits for another one that is at work, in milliseconds. */
const LOCK_WAIT_MS = 5_000;

/** A workspace that exists. */
export interface Workspace {
  /** Absolute, without symbolic links. */
  readonly root: string;
  readonly layoutPath: string;
  readonly layout: ClusterLayout;
}

/**
 * Finds a workspace.
 *
 * @param path As typed.
 * @throws {CliError} E_NO_WORKSPACE when there is none, or that its layout cannot be read.
 */
export function findWorkspace(path: string): Workspace {
  const root = realPath(path);
  const layoutPath = join(root, LAYOUT_FILE);
  const layout = readLayout(layoutPath);
  if (layout !== undefined) return { root, layoutPath, layout };
  throw new CliError("E_NO_WORKSPACE", `${path} has no ${LAYOUT_FILE}`, {
    hint: `make a cluster there: allocdb cluster start --workspace ${path}`,
    context: { workspace: root },
  });
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw fileError(error, "open", path);
    throw new CliError("E_NO_WORKSPACE", `there is no ${path}`, {
      hint: `make a cluster there: allocdb cluster start --workspace ${path}`,
      context: { workspace: resolve(path) },
    });
  }
}

/**
 * Locks a workspace, so that no other verb is at work in it.
 *
 * @param root The directory.
 * @param waitMs How long another verb may take to end, in milliseconds.
 * @throws {CliError} E_WORKSPACE_LOCKED when another verb takes too long.
 */
export async function lockWorkspace(
  root: string,
  waitMs: number = LOCK_WAIT_MS,
): Promise<DirectoryLock> {
  try {
    const result = await lockDirectory(root, waitMs);
    if (result.kind === "held") return result.lock;
    throw new CliError("E_WORKSPACE_LOCKED", result.message, {
      context: { pid: result.pid, workspace: root },
    });
  } catch (error) {
    throw error instanceof DiskFault ? fileError(error, "lock", root) : error;
  }
}

/** Runs a verb on a workspace that nobody else changes meanwhile. */
export async function inWorkspace<T>(
  path: string,
  verb: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const { root } = findWorkspace(path);
  using _lock = await lockWorkspace(root);
  return await verb(findWorkspace(root)); // Read again: it may have changed while we waited.
}

/** The replica that was asked for. */
export function replicaIn({ layout, layoutPath }: Workspace, id: bigint): ReplicaLayout {
  const replica = replicaOf(layout, id);
  if (replica !== undefined) return replica;
  throw new CliError("E_NO_SUCH_REPLICA", `replica ${id} is not present in ${layoutPath}`, {
    hint: `the replicas are ${layout.members.join(", ")}`,
    context: { replica_id: id },
  });
}

/** How a verb is written down. */
export interface Recording {
  /** Replaces the intent's detail when it was done. */
  readonly doneDetail?: string;
  /** Done even where nothing can be written down: whoever has a full disk must be able to stop what fills it. */
  readonly isUrgent?: boolean;
}

/**
 * Does something under a begun event and writes down how it ended.
 *
 * @throws {CliError} What `act` threw; that it could not be written down, though it may have been done.
 */
export async function recorded<T>(
  { layout }: Workspace,
  intent: Intent,
  act: () => Promise<T> | T,
  { doneDetail, isUrgent = false }: Recording = {},
): Promise<T> {
  const event = begin(timelinePath(layout), intent, isUrgent);
  let result: T;
  try {
    result = await act();
  } catch (error) {
    if (event instanceof OpenEvent) endFailed(event, error);
    throw error;
  }
  if (event instanceof CliError) throw unwritten(event);
  try {
    event.end("done", doneDetail);
  } catch (error) {
    throw error instanceof CliError ? unwritten(error) : error;
  }
  return result;
}

function begin(path: string, intent: Intent, isUrgent: boolean): OpenEvent | CliError {
  try {
    return new OpenEvent(path, intent);
  } catch (error) {
    if (isUrgent && error instanceof CliError && error.code !== "E_DATA_VERSION") return error;
    throw error;
  }
}

/** What went wrong first is what is told, also when the timeline fails after it. */
function endFailed(event: OpenEvent, error: unknown): void {
  try {
    event.end("failed", error instanceof Error ? error.message : String(error));
  } catch (failure) {
    if (!(failure instanceof CliError)) throw failure;
  }
}

function unwritten(error: CliError): CliError {
  const message = `it was done, but is not in the timeline: ${error.message}`;
  return new CliError(error.code, message, { cause: error, context: error.context });
}

/** What is wrong on purpose; without a file nothing is. */
export function faultsIn({ layout }: Workspace): Faults {
  return readFaults(layout) ?? NO_FAULTS;
}

/** Replaces what is wrong on purpose. Replicas notice within a fraction of a second. */
export function writeFaults({ layout }: Workspace, faults: Faults): void {
  const path = faultsPath(layout);
  try {
    replaceText(path, formatFaults(faults, layout.members));
  } catch (error) {
    throw fileError(error, "write", path);
  }
}
