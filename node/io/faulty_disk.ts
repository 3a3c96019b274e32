import { type Disk, DiskFault, type DiskFaultKind, type DiskFile, type Done } from "../disk.ts";

const SECTOR_BYTES = 512;

/** The operations that can be made to fail. */
export type FaultyAction =
  | "create"
  | "open"
  | "read"
  | "write"
  | "sync"
  | "rename"
  | "remove"
  | "sync_directory";

/** How one kind of operation goes wrong. */
export interface FaultRule {
  /** What the operation answers; without it the operation succeeds. */
  readonly fault?: DiskFaultKind;
  /** Bytes that a failing write still writes, down to the end of a sector: a torn write. 0 if not given. */
  readonly tornBytes?: number;
  /** Only for `sync`: by how much later the end of a durable write or a background sync is told. */
  readonly delayMs?: number;
  /** Matching operations to let through first; 0 if not given. */
  skip?: number;
  /** Operations to strike after that; without it all. */
  times?: number;
}

/** The rules in force; whoever holds the table may change it while the disk is in use. */
export type FaultTable = Partial<Record<FaultyAction, FaultRule>>;

/** Calls `run` after `ms` milliseconds. */
export type Schedule = (ms: number, run: () => void) => void;

/** Another disk in worse weather: same port, same files, and a table of faults. */
export class FaultyDisk implements Disk {
  readonly #inner: Disk;
  readonly #weather: Weather;

  /**
   * @param inner The disk that does the work.
   * @param table The rules; kept, not copied.
   * @param schedule For delays; the host's timer if not given.
   */
  constructor(inner: Disk, table: FaultTable, schedule: Schedule = hostTimer) {
    this.#inner = inner;
    this.#weather = new Weather(table, schedule);
  }

  list(): string[] {
    return this.#inner.list();
  }

  size(name: string): number | undefined {
    return this.#inner.size(name);
  }

  readAll(name: string): Uint8Array {
    this.#weather.strike("read", name);
    return this.#inner.readAll(name);
  }

  create(name: string, bytes: number): DiskFile {
    this.#weather.strike("create", name);
    return new FaultyFile(this.#inner.create(name, bytes), this.#weather);
  }

  open(name: string): DiskFile {
    this.#weather.strike("open", name);
    return new FaultyFile(this.#inner.open(name), this.#weather);
  }

  rename(from: string, to: string): void {
    this.#weather.strike("rename", from);
    this.#inner.rename(from, to);
  }

  remove(name: string): void {
    this.#weather.strike("remove", name);
    this.#inner.remove(name);
  }

  syncDirectory(): void {
    this.#weather.strike("sync_directory", "the directory");
    this.#inner.syncDirectory();
  }
}

class FaultyFile implements DiskFile {
  readonly #inner: DiskFile;
  readonly #weather: Weather;

  constructor(inner: DiskFile, weather: Weather) {
    this.#inner = inner;
    this.#weather = weather;
  }

  get name(): string {
    return this.#inner.name;
  }

  read(at: number, into: Uint8Array): number {
    this.#weather.strike("read", this.name);
    return this.#inner.read(at, into);
  }

  write(at: number, bytes: Uint8Array): void {
    const rule = this.#weather.match("write");
    if (rule?.fault === undefined) return this.#inner.write(at, bytes);
    this.#inner.write(at, bytes.subarray(0, wholeSectors(at, rule.tornBytes ?? 0)));
    throw faultOf(rule.fault, "write", this.name);
  }

  sync(): void {
    this.#weather.strike("sync", this.name);
    this.#inner.sync();
  }

  writeDurably(at: number, bytes: Uint8Array, done: Done): void {
    const rule = this.#weather.match("sync");
    if (rule === undefined && !this.#weather.has("write")) {
      return this.#inner.writeDurably(at, bytes, done);
    }
    this.#weather.delayed(rule, done)(attempt(() => {
      this.write(at, bytes);
      if (rule?.fault !== undefined) throw faultOf(rule.fault, "sync", this.name);
      this.#inner.sync();
    }));
  }

  syncLater(done: Done): void {
    const rule = this.#weather.match("sync");
    const told = this.#weather.delayed(rule, done);
    if (rule?.fault !== undefined) return told(faultOf(rule.fault, "sync", this.name));
    this.#inner.syncLater(told);
  }

  close(): void {
    this.#inner.close();
  }
}

/** The table, and what follows from it for one operation. */
class Weather {
  readonly #table: FaultTable;
  readonly #schedule: Schedule;

  constructor(table: FaultTable, schedule: Schedule) {
    this.#table = table;
    this.#schedule = schedule;
  }

  has(action: FaultyAction): boolean {
    return this.#table[action] !== undefined;
  }

  /** The rule that strikes this operation, used up by one. */
  match(action: FaultyAction): FaultRule | undefined {
    const rule = this.#table[action];
    if (rule === undefined) return undefined;
    if (rule.skip !== undefined && rule.skip > 0) {
      rule.skip--;
      return undefined;
    }
    if (rule.times === undefined) return rule;
    return rule.times-- > 0 ? rule : undefined;
  }

  strike(action: FaultyAction, name: string): void {
    const rule = this.match(action);
    if (rule?.fault !== undefined) throw faultOf(rule.fault, action, name);
  }

  delayed(rule: FaultRule | undefined, done: Done): Done {
    const delayMs = rule?.delayMs ?? 0;
    if (delayMs === 0) return done;
    return (fault) => this.#schedule(delayMs, () => done(fault));
  }
}

/** What is left of a write that stopped after `bytes`: sectors are written whole, as the port promises. */
export function wholeSectors(at: number, bytes: number): number {
  const end = at + bytes;
  return Math.max(end - end % SECTOR_BYTES - at, 0);
}

function attempt(call: () => void): DiskFault | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof DiskFault) return error;
    throw error;
  }
}

function faultOf(kind: DiskFaultKind, action: FaultyAction, name: string): DiskFault {
  return new DiskFault(kind, action, name, "injected");
}

function hostTimer(ms: number, run: () => void): void {
  setTimeout(run, ms);
}
