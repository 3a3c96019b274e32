/** One file of a disk in memory: what programs see, what a crash may make of it, and what the medium got wrong. */
import type { SeededRandom } from "../random.ts";
import { Overlay, type SectorDamage } from "./overlay.ts";
import { PAGE_BYTES, PAGE_SECTORS, SECTOR_BYTES } from "./sector.ts";
import { UnsyncedSectors } from "./unsynced.ts";

/** What becomes of unsynced work when the power fails: all of it stays, none of it, or chance for each page and sector. */
export type Survival = "keep" | "lose" | SeededRandom;

/** What unreadable sectors are shown as to whoever looks past the port: no frame, no zeros. */
const UNREADABLE_BYTE = 0xff;

/** What is behind the end of a file. */
const NO_BYTES = new Uint8Array(0);

/**
 * The bytes of one file as programs wrote them, for every sector that no sync has covered what the disk may still hold
 * instead, and over both what is damaged.
 */
export class MemoryFile {
  /** What was written; tests may damage it in place, for good. */
  bytes: Uint8Array;
  /** What can be read differs from {@linkcode MemoryFile.bytes} here. */
  damage: Overlay | undefined;
  /** Pages that the file takes room for: those that were written to. */
  pages = 0;
  /** Holds `bytes` and room to grow. */
  #memory: Uint8Array;
  #hasPage = new Uint8Array(1);
  #durableLength = 0;
  /** Lengths that it had since the last sync, oldest first. */
  readonly #lengths: number[] = [];
  readonly #unsynced = new UnsyncedSectors();
  /** Sectors a failed sync gave up: clean to the system, so that no later sync writes them. */
  #abandoned: Map<number, Uint8Array> | undefined;

  /**
   * @param bytes Initial content, unsynced: a crash may leave the file empty.
   */
  constructor(bytes: Uint8Array) {
    this.bytes = this.#memory = bytes;
    if (bytes.length > 0) this.#lengths.push(bytes.length);
  }

  /** Pages that a write would take room for besides those that the file has. */
  pagesMissing(at: number, length: number): number {
    let missing = 0;
    for (let page = at >>> 12; page * PAGE_BYTES < at + length; page++) {
      if (this.#hasPage[page] !== 1) missing++;
    }
    return missing;
  }

  write(at: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const end = at + bytes.length;
    const before = this.bytes.length;
    if (end > before) this.#grow(end);
    for (let s = at >>> 9; s * SECTOR_BYTES < end; s++) {
      if (!this.#unsynced.has(s)) this.#keep(s, before);
    }
    this.#allocate(at, end);
    this.bytes.set(bytes, at);
    this.damage?.wrote(at, bytes);
  }

  /** A write that is reported and does not happen: the sectors hold what they held. */
  writeNothing(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    const before: (readonly [number, SectorDamage])[] = [];
    for (let s = at >>> 9; s * SECTOR_BYTES < end; s++) {
      before.push([s, this.damage?.get(s) === "unreadable" ? "unreadable" : this.sector(s)]);
    }
    this.write(at, bytes);
    for (const [sector, damage] of before) this.harm(sector, damage);
  }

  /** Bytes arrive that were meant for another place; what is behind the file's end is lost. */
  writeStray(at: number, bytes: Uint8Array): void {
    const end = Math.min(at + bytes.length, this.bytes.length);
    for (let s = at >>> 9; s * SECTOR_BYTES < end; s++) {
      const sector = this.sector(s);
      const from = Math.max(s * SECTOR_BYTES, at);
      const to = Math.min((s + 1) * SECTOR_BYTES, end);
      sector.set(bytes.subarray(from - at, to - at), from - s * SECTOR_BYTES);
      this.harm(s, sector);
    }
  }

  /** Damages a sector until it is written again. */
  harm(sector: number, damage: SectorDamage): void {
    this.damage ??= new Overlay();
    this.damage.set(sector, damage);
  }

  /** A copy of a sector as it can be read, with zeros behind the file's end. */
  sector(sector: number): Uint8Array {
    const bytes = new Uint8Array(SECTOR_BYTES);
    const at = sector * SECTOR_BYTES;
    bytes.set(this.bytes.subarray(at, at + SECTOR_BYTES));
    this.damage?.show(at, bytes, UNREADABLE_BYTE);
    return bytes;
  }

  /** All bytes as they can be read: the live ones where nothing is damaged. */
  visible(): Uint8Array {
    if (this.damage === undefined || this.damage.isEmpty) return this.bytes;
    const bytes = this.bytes.slice();
    this.damage.show(0, bytes, UNREADABLE_BYTE);
    return bytes;
  }

  /**
   * Reads.
   *
   * @param at From where.
   * @param into Filled as far as the file goes.
   * @returns How many bytes; `undefined` when a sector of them is unreadable.
   */
  read(at: number, into: Uint8Array): number | undefined {
    const found = this.bytes.subarray(at, at + into.length);
    into.set(found);
    const { damage } = this;
    if (damage === undefined || damage.isEmpty) return found.length;
    return damage.show(at, into.subarray(0, found.length)) ? found.length : undefined;
  }

  sync(): void {
    this.#unsynced.clear();
    this.#lengths.length = 0;
    this.#durableLength = this.bytes.length;
    this.damage?.synced();
  }

  /** A sync that failed: some sectors reached the disk, the others never will unless they are written again. */
  failSync(random: SeededRandom): void {
    for (const sector of this.#unsynced.sectors) {
      if (!random.oneIn(2)) continue;
      this.#abandoned ??= new Map();
      this.#abandoned.set(sector, this.#unsynced.old(sector).slice());
    }
    this.#unsynced.clear();
  }

  /** The file as it is found after the power failed. */
  afterCrash(survival: Survival): MemoryFile {
    const lost = this.#lostSectors(survival);
    const length = this.#lengthAfterCrash(survival);
    const bytes = this.bytes.slice(0, length);
    for (const sector of lost) restore(bytes, sector, this.#unsynced.old(sector));
    for (const [sector, old] of this.#abandoned ?? []) restore(bytes, sector, old);
    const file = new MemoryFile(bytes);
    file.#hasPage = this.#hasPage.slice(0, Math.max(1, Math.ceil(length / PAGE_BYTES)));
    file.pages = file.#hasPage.reduce((sum, has) => sum + has, 0);
    file.sync();
    if (this.damage === undefined) return file;
    const all = this.#abandoned === undefined ? lost : [...lost, ...this.#abandoned.keys()];
    file.damage = this.damage.afterCrash(all, length);
    return file;
  }

  /** Takes room for all of it, as a file that was copied there. */
  allocateAll(): void {
    this.#allocate(0, this.bytes.length);
  }

  /** Of each page all was written back, nothing, what came first, or each sector or not. */
  #lostSectors(survival: Survival): readonly number[] {
    if (survival === "keep") return [];
    const sectors = [...this.#unsynced.sectors].sort((a, b) => a - b);
    if (survival === "lose") return sectors;
    const lost: number[] = [];
    for (let from = 0; from < sectors.length;) {
      const page = Math.floor(sectors[from]! / PAGE_SECTORS);
      let to = from + 1;
      while (to < sectors.length && sectors[to]! < (page + 1) * PAGE_SECTORS) to++;
      const fate = survival.below(4);
      const first = from + survival.below(to - from + 1);
      for (; from < to; from++) {
        const isLost = fate === 0 || (fate === 1 && from >= first) ||
          (fate === 2 && survival.oneIn(2));
        if (isLost) lost.push(sectors[from]!);
      }
    }
    return lost;
  }

  /** The length is kept apart from the bytes: a file may have grown and hold zeros, or hold less than was written. */
  #lengthAfterCrash(survival: Survival): number {
    if (survival === "keep" || this.#lengths.length === 0) return this.bytes.length;
    if (survival === "lose") return this.#durableLength;
    const choice = survival.below(this.#lengths.length + 1);
    return choice === 0 ? this.#durableLength : this.#lengths[choice - 1]!;
  }

  #grow(length: number): void {
    if (length > this.#memory.length) {
      const memory = new Uint8Array(Math.max(length, 2 * this.#memory.length));
      memory.set(this.bytes);
      this.#memory = memory;
    }
    this.bytes = this.#memory.subarray(0, length);
    this.#lengths.push(length);
  }

  #allocate(at: number, end: number): void {
    const last = (end - 1) >>> 12;
    if (last >= this.#hasPage.length) {
      const grown = new Uint8Array(2 * last + 1);
      grown.set(this.#hasPage);
      this.#hasPage = grown;
    }
    for (let page = at >>> 12; page <= last; page++) {
      if (this.#hasPage[page] === 1) continue;
      this.#hasPage[page] = 1;
      this.pages++;
    }
  }

  /** Notes what the disk holds in a sector of a file that had so many bytes before the write. */
  #keep(sector: number, before: number): void {
    const at = sector * SECTOR_BYTES;
    const abandoned = this.#abandoned?.get(sector);
    if (abandoned !== undefined) {
      this.#abandoned!.delete(sector);
      this.#unsynced.add(sector, abandoned, 0);
    } else if (at >= before) this.#unsynced.add(sector, NO_BYTES, 0);
    else this.#unsynced.add(sector, this.bytes, at);
  }
}

function restore(bytes: Uint8Array, sector: number, old: Uint8Array): void {
  const at = sector * SECTOR_BYTES;
  if (at < bytes.length) bytes.set(old.subarray(0, bytes.length - at), at);
}
