/**
 * What no sync has covered: for every sector that was written since, what the disk may still hold instead. One buffer
 * that is used again, since a log writes and syncs all day.
 */
import { SECTOR_BYTES } from "./sector.ts";

const SECTORS_MIN = 8;

/** In place of a place: the sector lies behind the file's end, where there are zeros. */
const BEHIND = -1;
const ZEROS = new Uint8Array(SECTOR_BYTES);

/** See the top of this file. */
export class UnsyncedSectors {
  /** For each sector of the file, 1 more than its place in the buffer, or {@linkcode BEHIND}; 0 when it is clean. */
  #places = new Int32Array(SECTORS_MIN);
  #old = new Uint8Array(SECTORS_MIN * SECTOR_BYTES);
  #kept = 0;
  readonly #sectors: number[] = [];

  /** The sectors, in the order in which they were first written to. */
  get sectors(): readonly number[] {
    return this.#sectors;
  }

  /** Whether a sector is one of them. */
  has(sector: number): boolean {
    return sector < this.#places.length && this.#places[sector] !== 0;
  }

  /** Notes what a sector holds that is about to be written; `from` holds it at `at`, with zeros behind its end. */
  add(sector: number, from: Uint8Array, at: number): void {
    this.#sectors.push(sector);
    const end = Math.min(at + SECTOR_BYTES, from.length);
    const count = Math.max(end - at, 0);
    const place = count === 0 ? BEHIND : ++this.#kept;
    this.#makeRoom(sector, this.#kept);
    this.#places[sector] = place;
    if (count === 0) return;
    const begin = (place - 1) * SECTOR_BYTES;
    if (count < SECTOR_BYTES) this.#old.fill(0, begin + count, begin + SECTOR_BYTES);
    this.#old.set(from.subarray(at, end), begin);
  }

  /** What the disk may still hold in a sector that is one of them. Valid until the next change. */
  old(sector: number): Uint8Array {
    const place = this.#places[sector]!;
    if (place === BEHIND) return ZEROS;
    const begin = (place - 1) * SECTOR_BYTES;
    return this.#old.subarray(begin, begin + SECTOR_BYTES);
  }

  /** A sync has covered all. */
  clear(): void {
    for (const sector of this.#sectors) this.#places[sector] = 0;
    this.#sectors.length = 0;
    this.#kept = 0;
  }

  #makeRoom(sector: number, count: number): void {
    if (sector >= this.#places.length) {
      const places = new Int32Array(Math.max(sector + 1, 2 * this.#places.length));
      places.set(this.#places);
      this.#places = places;
    }
    if (count * SECTOR_BYTES <= this.#old.length) return;
    const old = new Uint8Array(2 * this.#old.length);
    old.set(this.#old);
    this.#old = old;
  }
}
