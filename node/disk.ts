/**
 * The port to durable bytes: one data directory. The node, the simulator and the fault decorators
 * implement it; nothing else in the node touches files. Names are plain file names inside the directory.
 *
 * What an implementation promises: a write that returned may still be lost or torn, in units of 512 bytes
 * that each hold all old or all new bytes, until a sync of that file succeeded. A create, rename or remove
 * may be undone by a crash until {@linkcode Disk.syncDirectory} succeeded. After a failed sync nothing is
 * promised about that file's unsynced bytes: no caller may sync it again and believe the answer.
 */
export interface Disk {
  /** Names of the files in the directory, in no order. */
  list(): string[];
  /** Length in bytes, or `undefined` when there is no such file. */
  size(name: string): number | undefined;
  /** The whole file. For start-up and background work. */
  readAll(name: string): Uint8Array;
  /** Makes or empties a file, of `bytes` zero bytes. */
  create(name: string, bytes: number): DiskFile;
  /** Opens an existing file for reading and writing. */
  open(name: string): DiskFile;
  /** Renames, replacing the target if there is one. */
  rename(from: string, to: string): void;
  /** Removes a file; a missing one is no error. */
  remove(name: string): void;
  /** Makes creates, renames and removes durable. */
  syncDirectory(): void;
}

/** Called once when durable work has ended; a fault says that it has not. May be called before the call returns. */
export type Done = (fault: DiskFault | undefined) => void;

/** An open file. Every method but the `Done` ones throws a {@linkcode DiskFault} when the environment fails. */
export interface DiskFile {
  readonly name: string;
  /** Fills as much of `into` as the file has from byte `at`; answers how many bytes. */
  read(at: number, into: Uint8Array): number;
  /** Writes all of `bytes` at byte `at`, without making them durable. */
  write(at: number, bytes: Uint8Array): void;
  /** Makes every write that returned durable. */
  sync(): void;
  /** Writes and makes durable: the log's one write and one sync for a batch. */
  writeDurably(at: number, bytes: Uint8Array, done: Done): void;
  /** Makes every write that returned durable, in the background: for large files off the hot path. */
  syncLater(done: Done): void;
  close(): void;
}

/** What went wrong with the environment, in the words an operator needs. */
export type DiskFaultKind =
  | "disk_full"
  | "read_only"
  | "permission_denied"
  | "not_found"
  | "io_error";

/** A failing environment: never a bug, never bad input. Answered by halting or refusing to start. */
export class DiskFault extends Error {
  /** Stable class name, kept through bundling. */
  override readonly name = "DiskFault";
  /** What went wrong. */
  readonly kind: DiskFaultKind;
  /** What was tried: `write`, `sync`, `rename`, … */
  readonly action: string;
  /** The file it was tried on. */
  readonly file: string;

  /**
   * Makes the fault.
   *
   * @param kind What went wrong.
   * @param action What was tried.
   * @param file The file it was tried on.
   * @param detail The system's own words.
   */
  constructor(kind: DiskFaultKind, action: string, file: string, detail: string) {
    super(`Cannot ${action} ${file}: ${detail}`);
    this.kind = kind;
    this.action = action;
    this.file = file;
  }
}
