import { type Disk, DiskFault, type DiskFile } from "../disk.ts";
import { DenoDisk, readAt } from "../io/deno_disk.ts";

/**
 * A data directory that is looked at and certainly not changed. Files are opened for reading only, so it works
 * on evidence that nobody may write to.
 */
export class ReadDisk implements Disk {
  readonly #directory: string;
  readonly #inner: DenoDisk;

  /** @param directory Path of the data directory. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#inner = new DenoDisk(directory);
  }

  list(): string[] {
    return this.#inner.list();
  }

  size(name: string): number | undefined {
    return this.#inner.size(name);
  }

  readAll(name: string): Uint8Array {
    return this.#inner.readAll(name);
  }

  open(name: string): DiskFile {
    return new ReadFile(
      name,
      attempt("open", name, () => Deno.openSync(`${this.#directory}/${name}`)),
    );
  }

  create(name: string): DiskFile {
    throw readOnly("create", name);
  }

  rename(from: string): void {
    throw readOnly("rename", from);
  }

  remove(name: string): void {
    throw readOnly("remove", name);
  }

  syncDirectory(): void {
    throw readOnly("sync", "the directory");
  }
}

class ReadFile implements DiskFile {
  readonly name: string;
  readonly #file: Deno.FsFile;

  constructor(name: string, file: Deno.FsFile) {
    this.name = name;
    this.#file = file;
  }

  read(at: number, into: Uint8Array): number {
    return attempt("read", this.name, () => readAt(this.#file, at, into));
  }

  write(): void {
    throw readOnly("write", this.name);
  }

  sync(): void {
    throw readOnly("sync", this.name);
  }

  writeDurably(): void {
    throw readOnly("write", this.name);
  }

  syncLater(): void {
    throw readOnly("sync", this.name);
  }

  close(): void {
    this.#file.close();
  }
}

function readOnly(action: string, name: string): DiskFault {
  return new DiskFault("read_only", action, name, "it is opened for reading only");
}

function attempt<T>(action: string, file: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new DiskFault("permission_denied", action, file, detail);
    }
    const kind = error instanceof Deno.errors.NotFound ? "not_found" : "io_error";
    throw new DiskFault(kind, action, file, detail);
  }
}
