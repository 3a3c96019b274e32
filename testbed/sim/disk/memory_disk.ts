import {
  type Disk,
  DiskFault,
  type DiskFaultKind,
  type DiskFile,
  type Done,
} from "../../../node/disk.ts";
import { wholeSectors } from "../../../node/io/faulty_disk.ts";
import { MemoryFile, type Survival } from "./memory_file.ts";
import { SeededRandom } from "../random.ts";

/** What a plan can aim at. */
export type DiskAction =
  | "create"
  | "open"
  | "read"
  | "write"
  | "sync"
  | "rename"
  | "remove"
  | "sync_directory";

/** One thing that shall go wrong. */
export interface PlannedFault {
  /** Strikes the n-th matching operation from now on, 1-based. */
  readonly nth: number;
  /** What counts; without it everything that changes the disk: not `open` and `read`. */
  readonly action?: DiskAction;
  /** The power fails in the middle of the operation, or the operation answers a fault. */
  readonly effect: "crash" | DiskFaultKind;
  /** Bytes that a failing write still writes, down to the end of a sector; 0 if not given. */
  readonly tornBytes?: number;
}

/** The process is gone: thrown by the operation the plan struck and by everything after it. */
export class CrashSignal extends Error {
  override readonly name = "CrashSignal";
}

/** How a {@linkcode MemoryDisk} behaves. */
export interface MemoryDiskOptions {
  /** For the sectors that a failing sync loses. */
  readonly seed?: number;
  /** Durable writes and background syncs end in {@linkcode MemoryDisk.settle}, not at once. */
  readonly deferred?: boolean;
  /** Decides when durable writes and background syncs end, in place of `deferred`. */
  readonly schedule?: (work: () => void) => void;
  /** Is told what reaches the files. */
  readonly observer?: DiskObserver;
}

/** Somebody who looks over a disk's shoulder. */
export interface DiskObserver {
  /** Bytes were written, but are not durable yet. */
  wrote(name: string, at: number, bytes: Uint8Array): void;
  /** Everything that was written to the file under this name is durable. */
  synced(name: string): void;
  /** A file has another name, durably once the directory is synced. */
  renamed(from: string, to: string): void;
}

type DirectoryChange = (entries: Map<string, MemoryFile>) => void;

/**
 * A {@linkcode Disk} in memory that keeps what the port promises and nothing more. After
 * {@linkcode MemoryDisk.crash} every unsynced sector is old or new by itself, and of the creates, renames
 * and removes since the last directory sync a prefix has happened, as on a journalling file system.
 */
export class MemoryDisk implements Disk {
  /** Operations so far that changed the disk: how many points there are to crash at. */
  operations = 0;
  readonly random: SeededRandom;
  readonly observer: DiskObserver | undefined;
  /** While set, everything that changes the disk answers this fault. */
  failing: DiskFaultKind | undefined;
  /** A disk that says it has synced and has not: for proving that somebody notices. */
  isLying = false;
  readonly #deferred: boolean;
  readonly #schedule: ((work: () => void) => void) | undefined;
  #entries = new Map<string, MemoryFile>();
  #durableEntries = new Map<string, MemoryFile>();
  #unsyncedChanges: DirectoryChange[] = [];
  #pending: (() => void)[] = [];
  #plan: { fault: PlannedFault; left: number } | undefined;
  #crashed = false;

  constructor(options: MemoryDiskOptions = {}) {
    this.random = new SeededRandom(options.seed ?? 0);
    this.observer = options.observer;
    this.#deferred = options.deferred ?? false;
    this.#schedule = options.schedule;
  }

  /** Whether a plan has ended the process: whatever it throws now is of no interest. */
  get isCrashed(): boolean {
    return this.#crashed;
  }

  /** Arms one fault, in place of an earlier one; `undefined` disarms. */
  plan(fault: PlannedFault | undefined): void {
    this.#plan = fault && { fault, left: fault.nth };
  }

  /** The disk as the next start finds it after a power failure now. This one stays as it is. */
  crash(survival: Survival, options: MemoryDiskOptions = {}): MemoryDisk {
    const entries = new Map(this.#durableEntries);
    for (const change of this.#survivors(survival)) change(entries);
    const after = new MemoryDisk(options);
    const images = new Map<MemoryFile, MemoryFile>();
    for (const [name, file] of entries) {
      const image = images.get(file) ?? file.afterCrash(survival);
      images.set(file, image);
      after.#entries.set(name, image);
    }
    after.#durableEntries = new Map(after.#entries);
    return after;
  }

  /** Puts a durable file there, past plans and counts. */
  install(name: string, bytes: Uint8Array): void {
    const file = new MemoryFile(bytes.slice());
    file.sync();
    this.#entries.set(name, file);
    this.#durableEntries.set(name, file);
  }

  /** Takes a file away durably, past plans and counts. */
  uninstall(name: string): void {
    this.#entries.delete(name);
    this.#durableEntries.delete(name);
  }

  /** The live bytes of a file, to look at or to damage. */
  contents(name: string): Uint8Array {
    return this.#find("open", name).bytes;
  }

  /** Ends deferred work, oldest first; what it starts meanwhile is ended too. */
  settle(): void {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) next();
  }

  list(): string[] {
    this.#checkAlive();
    return [...this.#entries.keys()];
  }

  size(name: string): number | undefined {
    this.#checkAlive();
    return this.#entries.get(name)?.bytes.length;
  }

  readAll(name: string): Uint8Array {
    this.strike("read", name);
    return this.#find("read", name).bytes.slice();
  }

  create(name: string, bytes: number): DiskFile {
    return this.#change("create", name, () => {
      const file = new MemoryFile(new Uint8Array(bytes));
      this.#record((entries) => entries.set(name, file));
      return new MemoryDiskFile(this, name, file);
    });
  }

  open(name: string): DiskFile {
    this.strike("open", name);
    return new MemoryDiskFile(this, name, this.#find("open", name));
  }

  rename(from: string, to: string): void {
    this.#change("rename", from, () => {
      const file = this.#find("rename", from);
      this.#record((entries) => {
        entries.delete(from);
        entries.set(to, file);
      });
    });
    this.observer?.renamed(from, to);
  }

  remove(name: string): void {
    this.#change("remove", name, () => this.#record((entries) => entries.delete(name)));
  }

  syncDirectory(): void {
    this.strike("sync_directory", "the directory");
    this.#durableEntries = new Map(this.#entries);
    this.#unsyncedChanges = [];
  }

  /** Counts an operation and lets the plan strike it; a crash strikes before the operation has any effect. */
  strike(action: DiskAction, name: string): void {
    const fault = this.draw(action);
    if (fault === undefined) return;
    throw fault.effect === "crash" ? new CrashSignal() : planned(fault, action, name);
  }

  /** Counts an operation and answers the fault planned for it, for callers that have partial effects. */
  draw(action: DiskAction): PlannedFault | undefined {
    this.#checkAlive();
    const changes = action !== "read" && action !== "open";
    if (changes) this.operations++;
    if (changes && this.failing !== undefined) return { nth: 1, effect: this.failing };
    const plan = this.#plan;
    if (plan === undefined) return undefined;
    if (plan.fault.action === undefined ? !changes : plan.fault.action !== action) return undefined;
    if (--plan.left > 0) return undefined;
    this.#plan = undefined;
    if (plan.fault.effect === "crash") this.#crashed = true;
    return plan.fault;
  }

  /** Runs `work` now, in {@linkcode settle}, or when whoever made the disk says. */
  later(work: () => void): void {
    if (this.#schedule !== undefined) this.#schedule(work);
    else if (this.#deferred) this.#pending.push(work);
    else work();
  }

  /** A crash in a directory operation leaves it to chance whether it happened; a fault means it did not. */
  #change<T>(action: DiskAction, name: string, apply: () => T): T {
    const fault = this.draw(action);
    if (fault !== undefined && fault.effect !== "crash") throw planned(fault, action, name);
    const result = apply();
    if (fault !== undefined) throw new CrashSignal();
    return result;
  }

  #record(change: DirectoryChange): void {
    change(this.#entries);
    this.#unsyncedChanges.push(change);
  }

  #survivors(survival: Survival): DirectoryChange[] {
    const changes = this.#unsyncedChanges;
    if (survival === "keep") return changes;
    return survival === "lose" ? [] : changes.slice(0, survival.below(changes.length + 1));
  }

  #find(action: string, name: string): MemoryFile {
    const file = this.#entries.get(name);
    if (file === undefined) throw new DiskFault("not_found", action, name, "no such file");
    return file;
  }

  #checkAlive(): void {
    if (this.#crashed) throw new CrashSignal();
  }
}

class MemoryDiskFile implements DiskFile {
  readonly name: string;
  readonly #disk: MemoryDisk;
  readonly #file: MemoryFile;

  constructor(disk: MemoryDisk, name: string, file: MemoryFile) {
    this.name = name;
    this.#disk = disk;
    this.#file = file;
  }

  read(at: number, into: Uint8Array): number {
    this.#disk.strike("read", this.name);
    const found = this.#file.bytes.subarray(at, at + into.length);
    into.set(found);
    return found.length;
  }

  write(at: number, bytes: Uint8Array): void {
    const fault = this.#disk.draw("write");
    if (fault === undefined) return this.#put(at, bytes);
    if (fault.effect === "crash") {
      this.#put(at, bytes);
      throw new CrashSignal();
    }
    this.#put(at, bytes.subarray(0, wholeSectors(at, fault.tornBytes ?? 0)));
    throw planned(fault, "write", this.name);
  }

  sync(): void {
    const fault = this.#disk.draw("sync");
    if (fault === undefined) {
      if (!this.#disk.isLying) this.#file.sync();
      return this.#disk.observer?.synced(this.name);
    }
    if (fault.effect === "crash") throw new CrashSignal();
    this.#file.failSync(this.#disk.random);
    throw planned(fault, "sync", this.name);
  }

  writeDurably(at: number, bytes: Uint8Array, done: Done): void {
    const fault = faultOf(() => this.write(at, bytes));
    this.#disk.later(() => done(fault ?? faultOf(() => this.sync())));
  }

  syncLater(done: Done): void {
    this.#disk.later(() => done(faultOf(() => this.sync())));
  }

  close(): void {}

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

function planned(fault: PlannedFault, action: DiskAction, name: string): Error {
  if (fault.effect === "crash") return new CrashSignal();
  return new DiskFault(fault.effect, action, name, "planned by the test");
}
