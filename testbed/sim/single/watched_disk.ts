/** A disk over whose shoulder somebody looks: told before and after everything that is done, and free to end the process there. */
import { type Disk, DiskFault, type DiskFile, type Done } from "../../../node/disk.ts";

/** What is done. `append` is the log's one write and one sync for a batch. */
export type WatchedAction =
  | "create"
  | "open"
  | "read"
  | "write"
  | "sync"
  | "append"
  | "rename"
  | "remove"
  | "sync_directory";

/**
 * Where a process can end. An append has more moments than other work: `after` is when the batch is written and synced and
 * the process does not know it yet, `delivered` when it has done everything that follows from knowing.
 */
export interface DiskMoment {
  readonly when: "before" | "after" | "delivered";
  readonly action: WatchedAction;
  /** The file; of a rename its new name. */
  readonly name: string;
  /** Of a rename the old name. */
  readonly from?: string;
  /** What is written. */
  readonly bytes?: Uint8Array;
  /** Where it is written to, in bytes. */
  readonly at?: number;
}

/** Told of every moment; may throw, and nothing of what comes after is then done. A fault is the disk's own. */
export type DiskWatch = (moment: DiskMoment) => void;

/** See the top of this file. */
export class WatchedDisk implements Disk {
  readonly #inner: Disk;
  readonly #watch: DiskWatch;

  /**
   * @param inner Does the work.
   * @param watch Is told of it.
   */
  constructor(inner: Disk, watch: DiskWatch) {
    this.#inner = inner;
    this.#watch = watch;
  }

  list(): string[] {
    return this.#inner.list();
  }

  size(name: string): number | undefined {
    return this.#inner.size(name);
  }

  readAll(name: string): Uint8Array {
    return this.#around({ action: "read", name }, () => this.#inner.readAll(name));
  }

  create(name: string, bytes: number): DiskFile {
    return this.#around(
      { action: "create", name },
      () => this.#file(this.#inner.create(name, bytes)),
    );
  }

  open(name: string): DiskFile {
    return this.#around({ action: "open", name }, () => this.#file(this.#inner.open(name)));
  }

  rename(from: string, to: string): void {
    this.#around({ action: "rename", name: to, from }, () => this.#inner.rename(from, to));
  }

  remove(name: string): void {
    this.#around({ action: "remove", name }, () => this.#inner.remove(name));
  }

  syncDirectory(): void {
    this.#around({ action: "sync_directory", name: "" }, () => this.#inner.syncDirectory());
  }

  #file(file: DiskFile): DiskFile {
    return new WatchedFile(file, this.#watch);
  }

  #around<T>(what: Omit<DiskMoment, "when">, work: () => T): T {
    return around(this.#watch, what, work);
  }
}

class WatchedFile implements DiskFile {
  readonly name: string;
  readonly #inner: DiskFile;
  readonly #watch: DiskWatch;

  constructor(inner: DiskFile, watch: DiskWatch) {
    this.name = inner.name;
    this.#inner = inner;
    this.#watch = watch;
  }

  read(at: number, into: Uint8Array): number {
    const { name } = this;
    return around(this.#watch, { action: "read", name }, () => this.#inner.read(at, into));
  }

  write(at: number, bytes: Uint8Array): void {
    const { name } = this;
    around(this.#watch, { action: "write", name, bytes, at }, () => this.#inner.write(at, bytes));
  }

  sync(): void {
    around(this.#watch, { action: "sync", name: this.name }, () => this.#inner.sync());
  }

  writeDurably(at: number, bytes: Uint8Array, done: Done): void {
    const what = { action: "append", name: this.name, bytes, at } as const;
    const refused = faultOf(() => this.#watch({ ...what, when: "before" }));
    if (refused !== undefined) return done(refused);
    this.#inner.writeDurably(at, bytes, (fault) => {
      if (fault === undefined) this.#watch({ ...what, when: "after" });
      done(fault);
      if (fault === undefined) this.#watch({ ...what, when: "delivered" });
    });
  }

  syncLater(done: Done): void {
    const what = { action: "sync", name: this.name } as const;
    this.#watch({ ...what, when: "before" });
    this.#inner.syncLater((fault) => {
      if (fault === undefined) this.#watch({ ...what, when: "after" });
      done(fault);
    });
  }

  close(): void {
    this.#inner.close();
  }
}

function around<T>(watch: DiskWatch, what: Omit<DiskMoment, "when">, work: () => T): T {
  watch({ ...what, when: "before" });
  const result = work();
  watch({ ...what, when: "after" });
  return result;
}

function faultOf(work: () => void): DiskFault | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof DiskFault) return error;
    throw error;
  }
}
