/** A file of a disk in memory as programs hold it. */
import { DiskFault, type DiskFile, type Done } from "../../../node/disk.ts";
import { wholeSectors } from "../../../node/io/faulty_disk.ts";
import type { MemoryFile } from "./memory_file.ts";
import type { SeededRandom } from "../random.ts";
import { CrashSignal, type DiskAction, plannedError, type PlannedFault } from "./plan.ts";

/** Somebody who looks over a disk's shoulder. */
export interface DiskObserver {
  /** Bytes were written, but are not durable yet. */
  wrote(name: string, at: number, bytes: Uint8Array): void;
  /** Everything that was written to the file under this name is durable. */
  synced(name: string): void;
  /** A file has another name, durably once the directory is synced. */
  renamed(from: string, to: string): void;
  /** All names are durable. */
  directorySynced(): void;
}

/** The disk that a file lies on. */
export interface FileHost {
  readonly random: SeededRandom;
  readonly observer: DiskObserver | undefined;
  readonly isLying: boolean;
  /** Counts an operation, and throws what is planned for it. */
  strike(action: DiskAction, name: string): void;
  /** Counts an operation and answers what is planned for it. */
  draw(action: DiskAction): PlannedFault | undefined;
  /** How many of a write's bytes there is room for. */
  roomFor(file: MemoryFile, at: number, length: number): number;
  /** Does what is planned for a write that would have succeeded, in place of it; false when nothing is. */
  hasDiverted(name: string, file: MemoryFile, at: number, bytes: Uint8Array): boolean;
  /** Runs work on a file that takes time. */
  later(work: () => void, name: string): void;
}

/** See the top of this file. */
export class OpenMemoryFile implements DiskFile {
  readonly name: string;
  readonly #disk: FileHost;
  readonly #file: MemoryFile;

  /**
   * @param disk Counts what is done, and lets it fail.
   * @param name As it was opened.
   * @param file Its bytes.
   */
  constructor(disk: FileHost, name: string, file: MemoryFile) {
    this.name = name;
    this.#disk = disk;
    this.#file = file;
  }

  read(at: number, into: Uint8Array): number {
    this.#disk.strike("read", this.name);
    const count = this.#file.read(at, into);
    if (count !== undefined) return count;
    throw new DiskFault("io_error", "read", this.name, "a sector cannot be read");
  }

  write(at: number, bytes: Uint8Array): void {
    const fault = this.#disk.draw("write");
    if (fault === undefined) return this.#writeAsFits(at, bytes);
    if (fault.effect === "crash") {
      this.#put(at, bytes);
      throw new CrashSignal();
    }
    this.#put(at, bytes.subarray(0, wholeSectors(at, fault.tornBytes ?? 0)));
    throw plannedError(fault, "write", this.name);
  }

  sync(): void {
    const fault = this.#disk.draw("sync");
    if (fault === undefined) {
      if (!this.#disk.isLying) this.#file.sync();
      return this.#disk.observer?.synced(this.name);
    }
    if (fault.effect === "crash") throw new CrashSignal();
    this.#file.failSync(this.#disk.random);
    throw plannedError(fault, "sync", this.name);
  }

  writeDurably(at: number, bytes: Uint8Array, done: Done): void {
    const fault = faultOf(() => this.write(at, bytes));
    this.#disk.later(() => done(fault ?? faultOf(() => this.sync())), this.name);
  }

  syncLater(done: Done): void {
    this.#disk.later(() => done(faultOf(() => this.sync())), this.name);
  }

  close(): void {}

  #writeAsFits(at: number, bytes: Uint8Array): void {
    const room = this.#disk.roomFor(this.#file, at, bytes.length);
    if (room === bytes.length) {
      if (!this.#disk.hasDiverted(this.name, this.#file, at, bytes)) this.#file.write(at, bytes);
      return this.#disk.observer?.wrote(this.name, at, bytes);
    }
    this.#put(at, bytes.subarray(0, room));
    throw new DiskFault("disk_full", "write", this.name, "no room");
  }

  #put(at: number, bytes: Uint8Array): void {
    this.#file.write(at, bytes);
    this.#disk.observer?.wrote(this.name, at, bytes);
  }
}

function faultOf(call: () => void): DiskFault | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof DiskFault) return error;
    throw error;
  }
}
