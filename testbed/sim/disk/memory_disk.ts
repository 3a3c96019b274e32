import { type Disk, DiskFault, type DiskFaultKind, type DiskFile } from "../../../node/disk.ts";
import { SeededRandom } from "../random.ts";
import { MemoryFile, type Survival } from "./memory_file.ts";
import { type DiskObserver, OpenMemoryFile } from "./open_memory_file.ts";
import {
  CrashSignal,
  type DiskAction,
  type Diversion,
  plannedError,
  type PlannedFault,
} from "./plan.ts";
import { PAGE_BYTES, SECTOR_BYTES } from "./sector.ts";

export type { DiskObserver } from "./open_memory_file.ts";
export { CrashSignal, type DiskAction, type Diversion, type PlannedFault } from "./plan.ts";

/** How a {@linkcode MemoryDisk} behaves. */
export interface MemoryDiskOptions {
  /** For the sectors that a failing sync loses. */
  readonly seed?: number;
  /** Durable writes and background syncs end in {@linkcode MemoryDisk.settle}, not at once. */
  readonly deferred?: boolean;
  /** Decides when durable writes and background syncs of a file end, in place of `deferred`. */
  readonly schedule?: (work: () => void, name: string) => void;
  /** Is told what reaches the files. */
  readonly observer?: DiskObserver;
}

type DirectoryChange = (entries: Map<string, MemoryFile>) => void;

/**
 * A {@linkcode Disk} in memory that keeps what the port promises and nothing more. After
 * {@linkcode MemoryDisk.crash} every unsynced sector is old or new, of a page all, some or none is new, and of the
 * creates, renames and removes since the last directory sync a prefix has happened, as on a journalling file system.
 *
 * It can do worse on demand: lose or misdirect what it said it wrote, rot, refuse to read, fill up. Such damage lies
 * over the files and {@linkcode MemoryDisk.heal} takes it away; {@linkcode MemoryDisk.relieve} ends what passes by
 * itself on a real machine.
 */
export class MemoryDisk implements Disk {
  /** Operations so far that changed the disk: how many points there are to crash at. */
  operations = 0;
  readonly random: SeededRandom;
  readonly observer: DiskObserver | undefined;
  /** While set, everything that changes the disk answers this fault, or {@linkcode MemoryDisk.failingAction} alone. */
  failing: DiskFaultKind | undefined;
  failingAction: DiskAction | undefined;
  /** Room for what files hold, in bytes: sparse files take as many pages as were written to. */
  capacityBytes = Infinity;
  /** A disk that says it has synced and has not: for proving that somebody notices. */
  isLying = false;
  readonly #deferred: boolean;
  readonly #schedule: MemoryDiskOptions["schedule"];
  #entries = new Map<string, MemoryFile>();
  #durableEntries = new Map<string, MemoryFile>();
  #unsyncedChanges: DirectoryChange[] = [];
  #pending: (() => void)[] = [];
  #plan: { fault: PlannedFault; left: number } | undefined;
  #diversion: Diversion | undefined;
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

  /** Arms one write that goes astray, in place of an earlier one; `undefined` disarms. */
  divert(diversion: Diversion | undefined): void {
    this.#diversion = diversion;
  }

  /** Whether the write that was armed is still to come. */
  get isDiverting(): boolean {
    return this.#diversion !== undefined;
  }

  /** What is planned and what passes by itself is over: there is room again and nothing fails. Damage stays. */
  relieve(): void {
    this.failing = this.failingAction = undefined;
    this.capacityBytes = Infinity;
    this.#plan = this.#diversion = undefined;
  }

  /** All of it is over: the files hold what was written to them. */
  heal(): void {
    this.relieve();
    for (const file of this.#entries.values()) file.damage = undefined;
    for (const file of this.#durableEntries.values()) file.damage = undefined;
  }

  /** Bytes that files take room for. */
  get usedBytes(): number {
    let pages = 0;
    for (const file of this.#entries.values()) pages += file.pages;
    return pages * PAGE_BYTES;
  }

  /** Flips bits of one byte on the medium. */
  rot(name: string, at: number, mask: number): void {
    const file = this.#find("open", name);
    const sector = Math.floor(at / SECTOR_BYTES);
    if (file.damage?.get(sector) === "unreadable") return;
    const bytes = file.sector(sector);
    bytes[at % SECTOR_BYTES]! ^= mask;
    file.harm(sector, bytes);
  }

  /** Reads of the sectors that hold bytes from `from` to `to` fail until each has been written again as a whole. */
  makeUnreadable(name: string, from: number, to: number): void {
    const file = this.#find("open", name);
    for (let s = from >>> 9; s * SECTOR_BYTES < to; s++) file.harm(s, "unreadable");
  }

  /** A write of long ago turns out never to have happened: the sectors that hold bytes from `from` to `to` are zeros. */
  loseWritten(name: string, from: number, to: number): void {
    const file = this.#find("open", name);
    for (let s = from >>> 9; s * SECTOR_BYTES < to; s++) file.harm(s, new Uint8Array(SECTOR_BYTES));
  }

  /** Whole sectors land on those of a file that begin at byte `at`; what is behind its end is lost. */
  landOn(name: string, at: number, bytes: Uint8Array): void {
    this.#find("open", name).writeStray(at, bytes);
  }

  /** First bytes of the sectors of a file that do not hold what was written to them, in order. */
  damagedSectors(name: string): number[] {
    const sectors = [...this.#entries.get(name)?.damage?.sectors ?? []];
    return sectors.sort((a, b) => a - b).map((sector) => sector * SECTOR_BYTES);
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
    file.allocateAll();
    file.sync();
    this.#entries.set(name, file);
    this.#durableEntries.set(name, file);
  }

  /** Takes a file away durably, past plans and counts. */
  uninstall(name: string): void {
    this.#entries.delete(name);
    this.#durableEntries.delete(name);
  }

  /** What was written to a file, to look at or to damage for good. */
  contents(name: string): Uint8Array {
    return this.#find("open", name).bytes;
  }

  /** What can be read of a file, with unreadable sectors full of 0xff: to look at. */
  visible(name: string): Uint8Array {
    return this.#find("open", name).visible();
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
    const file = this.#find("read", name);
    const bytes = new Uint8Array(file.bytes.length);
    if (file.read(0, bytes) === undefined) {
      throw new DiskFault("io_error", "read", name, "a sector cannot be read");
    }
    return bytes;
  }

  create(name: string, bytes: number): DiskFile {
    return this.#change("create", name, () => {
      if (this.#freePages() < 1) throw new DiskFault("disk_full", "create", name, "no room");
      const file = new MemoryFile(new Uint8Array(bytes));
      this.#record((entries) => entries.set(name, file));
      return new OpenMemoryFile(this, name, file);
    });
  }

  open(name: string): DiskFile {
    this.strike("open", name);
    return new OpenMemoryFile(this, name, this.#find("open", name));
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
    this.observer?.directorySynced();
  }

  /** Counts an operation and lets the plan strike it; a crash strikes before the operation has any effect. */
  strike(action: DiskAction, name: string): void {
    const fault = this.draw(action);
    if (fault === undefined) return;
    throw fault.effect === "crash" ? new CrashSignal() : plannedError(fault, action, name);
  }

  /** Counts an operation and answers the fault planned for it, for callers that have partial effects. */
  draw(action: DiskAction): PlannedFault | undefined {
    this.#checkAlive();
    const changes = action !== "read" && action !== "open";
    if (changes) this.operations++;
    if (changes && this.failing !== undefined && (this.failingAction ?? action) === action) {
      return { nth: 1, effect: this.failing };
    }
    const plan = this.#plan;
    if (plan === undefined) return undefined;
    if (plan.fault.action === undefined ? !changes : plan.fault.action !== action) return undefined;
    if (--plan.left > 0) return undefined;
    this.#plan = undefined;
    if (plan.fault.effect === "crash") this.#crashed = true;
    return plan.fault;
  }

  /** How many of a write's bytes there is room for. */
  roomFor(file: MemoryFile, at: number, length: number): number {
    if (this.capacityBytes === Infinity || length === 0) return length;
    let free = this.#freePages();
    let end = at;
    while (end < at + length) {
      const next = (Math.floor(end / PAGE_BYTES) + 1) * PAGE_BYTES;
      free -= file.pagesMissing(end, 1);
      if (free < 0) break;
      end = next;
    }
    return Math.min(end - at, length);
  }

  /** Does what is planned for a write that would have succeeded, in place of it; false when nothing is. */
  hasDiverted(name: string, file: MemoryFile, at: number, bytes: Uint8Array): boolean {
    const diversion = this.#diversion;
    if (diversion === undefined || diversion.file !== name || bytes.length === 0) return false;
    if (at < (diversion.from ?? 0) || at >= (diversion.to ?? Infinity)) return false;
    this.#diversion = undefined;
    file.writeNothing(at, bytes);
    const { landing } = diversion;
    if (landing === undefined) return true;
    const landed = this.#entries.get(landing.file);
    landed?.writeStray(landing.page * PAGE_BYTES + at % PAGE_BYTES, bytes);
    return true;
  }

  /** Runs `work` now, in {@linkcode settle}, or when whoever made the disk says. */
  later(work: () => void, name: string): void {
    if (this.#schedule !== undefined) this.#schedule(work, name);
    else if (this.#deferred) this.#pending.push(work);
    else work();
  }

  /** A crash in a directory operation leaves it to chance whether it happened; a fault means it did not. */
  #change<T>(action: DiskAction, name: string, apply: () => T): T {
    const fault = this.draw(action);
    if (fault === undefined) return apply();
    if (fault.effect !== "crash") throw plannedError(fault, action, name);
    try {
      apply();
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error; // There was no room: nobody is left to hear of it.
    }
    throw new CrashSignal();
  }

  #freePages(): number {
    if (this.capacityBytes === Infinity) return Infinity;
    return Math.floor((this.capacityBytes - this.usedBytes) / PAGE_BYTES);
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
