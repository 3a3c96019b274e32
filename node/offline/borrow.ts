/** Keeps a data directory still while its files are read: nobody runs on it, and nobody starts to. */
import { LOCK_FILE } from "../data_dir.ts";
import { CliError } from "../errors.ts";
import { LOCK_WAIT_MS } from "../io/lock.ts";

/** Most bytes that are read of what a holder wrote. */
const PID_BYTES_MAX = 32;

/**
 * Runs something while no process can use a data directory. Nothing in the directory is changed; one that has
 * never been run on has no lock to hold.
 *
 * @param directory An existing directory.
 * @param use What to do meanwhile.
 * @returns What it gave.
 * @throws {CliError} E_IO when there is no such directory, E_DATA_LOCKED when a process runs on it.
 */
export async function whileStill<T>(directory: string, use: () => Promise<T> | T): Promise<T> {
  requireDirectory(directory);
  const file = openLock(directory);
  if (file === undefined) return await use();
  // A lock that is waited for keeps the file open; the program ends with the error.
  await holdOrRefuse(file, directory);
  try {
    return await use();
  } finally {
    file.close();
  }
}

function requireDirectory(directory: string): void {
  let isDirectory = false;
  try {
    isDirectory = Deno.statSync(directory).isDirectory;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unreadable(directory, error);
  }
  if (isDirectory) return;
  throw new CliError("E_IO", `${directory} is not a directory`, {
    hint: "give the data directory of a replica, such as WORKSPACE/replica-1",
  });
}

function openLock(directory: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(`${directory}/${LOCK_FILE}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unreadable(directory, error);
  }
}

async function holdOrRefuse(file: Deno.FsFile, directory: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), LOCK_WAIT_MS);
  });
  const locking = file.lock(true);
  const first = await Promise.race([locking, late]);
  clearTimeout(timer);
  if (first !== "late") return;
  locking.then(() => file.close(), () => file.close());
  const pid = pidIn(directory);
  const holder = pid === undefined ? "another process" : `process ${pid}`;
  throw new CliError("E_DATA_LOCKED", `${directory} is in use by ${holder}`, {
    hint: "stop the replica first; `allocdb replica status` looks at one that runs",
    context: { pid, data: directory },
  });
}

function pidIn(directory: string): number | undefined {
  const text = Deno.readTextFileSync(`${directory}/${LOCK_FILE}`).slice(0, PID_BYTES_MAX);
  return /^[1-9][0-9]{0,9}\n$/.test(text) ? Number(text) : undefined;
}

function unreadable(directory: string, error: unknown): CliError {
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof Deno.errors.PermissionDenied ? "E_PERMISSION_DENIED" : "E_IO";
  return new CliError(code, `Cannot read ${directory}: ${text}`, { cause: error });
}
