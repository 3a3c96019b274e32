/** Keeps a second process out of a data directory. Source: docs/storage.md#the-data-directory-and-its-lock. */

import { LOCK_FILE } from "../data_dir.ts";
import { DiskFault } from "../disk.ts";
import { DenoDisk } from "./deno_disk.ts";

/** How long somebody else may take to let go before we say that the directory is in use. */
export const LOCK_WAIT_MS = 300;

/** Most bytes that are read of what a holder wrote. */
const PID_BYTES_MAX = 32;

/** What became of the attempt. */
export type LockResult =
  | { readonly kind: "held"; readonly lock: DirectoryLock }
  | {
    readonly kind: "in_use";
    /** The process that holds the lock, unless it has only just taken it. */
    readonly pid: number | undefined;
    readonly message: string;
    /**
     * Settles once the holder has let go and our place in the queue was given back. A waiting lock cannot be
     * cancelled and keeps the process alive: a program that gives up here ends by `Deno.exit`, with code 7.
     */
    readonly abandoned: Promise<void>;
  };

/** An exclusive lock. It ends with {@linkcode DirectoryLock.release} or with the process, however that dies. */
export class DirectoryLock {
  readonly #file: Deno.FsFile;
  #isHeld = true;

  /**
   * @param file The open and locked file.
   */
  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Lets the next process in. Further calls do nothing. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    try {
      this.#file.truncateSync(0); // Else the next holder's rivals could read our pid.
    } finally {
      this.#file.close();
    }
  }

  /** See {@linkcode DirectoryLock.release}. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * Locks a data directory for this process. Needs read and write permission for the directory.
 *
 * @param directory An existing directory.
 * @param waitMs How long to wait for another holder, in milliseconds.
 * @returns The lock, or who has it.
 * @throws {DiskFault} When the lock file cannot be made, opened or locked.
 */
export async function lockDirectory(
  directory: string,
  waitMs: number = LOCK_WAIT_MS,
): Promise<LockResult> {
  const file = openLockFile(directory);
  const locking = file.lock(true).then(() => true as const);
  try {
    if (await within(waitMs, locking)) {
      tryWritePid(file);
      return { kind: "held", lock: new DirectoryLock(file) };
    }
  } catch (error) {
    file.close();
    throw new DiskFault("io_error", "lock", LOCK_FILE, String(error));
  }
  const abandoned = locking.then(() => {}, () => {}).finally(() => file.close());
  const pid = readPid(file);
  const holder = pid === undefined ? "another process" : `process ${pid}`;
  return { kind: "in_use", pid, message: `${directory} is in use by ${holder}`, abandoned };
}

/** Through the port first, which names what is wrong; the port has no lock. */
function openLockFile(directory: string): Deno.FsFile {
  const disk = new DenoDisk(directory);
  const file = disk.size(LOCK_FILE) === undefined
    ? disk.create(LOCK_FILE, 0)
    : disk.open(LOCK_FILE);
  file.close();
  return Deno.openSync(`${directory}/${LOCK_FILE}`, { read: true, write: true });
}

/** Whether something happens within so many milliseconds. */
export async function within(ms: number, event: Promise<true>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The pid only makes a rival's message better, so a full disk is no reason to fail here. */
function tryWritePid(file: Deno.FsFile): void {
  try {
    file.truncateSync(0);
    file.seekSync(0, Deno.SeekMode.Start);
    file.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch {
    return;
  }
}

function readPid(file: Deno.FsFile): number | undefined {
  const bytes = new Uint8Array(PID_BYTES_MAX);
  file.seekSync(0, Deno.SeekMode.Start);
  const text = new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  return /^[1-9][0-9]{0,9}\n$/.test(text) ? Number(text) : undefined;
}
