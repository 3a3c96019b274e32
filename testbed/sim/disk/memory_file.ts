import type { SeededRandom } from "../random.ts";

/** What a disk writes all of or nothing of. */
export const SECTOR_BYTES = 512;

/** What becomes of unsynced work when the power fails: all of it stays, none of it, or a coin for each sector. */
export type Survival = "keep" | "lose" | SeededRandom;

/**
 * The bytes of one file as programs see them, and for every 512-byte sector that no sync has covered what
 * the disk may still hold instead.
 */
export class MemoryFile {
  /** What a read answers; tests may damage it in place. */
  bytes: Uint8Array;
  #durableLength = 0;
  readonly #unsynced = new Map<number, Uint8Array>();
  /** Sectors a failed sync gave up: clean to the system, so that no later sync writes them. */
  readonly #abandoned = new Map<number, Uint8Array>();

  /**
   * @param bytes Initial content, unsynced: a crash may leave the file empty.
   */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  write(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    if (end > this.bytes.length) this.#grow(end);
    for (let s = Math.floor(at / SECTOR_BYTES); s * SECTOR_BYTES < end; s++) this.#remember(s);
    this.bytes.set(bytes, at);
  }

  sync(): void {
    this.#unsynced.clear();
    this.#durableLength = this.bytes.length;
  }

  /** A sync that failed: some sectors reached the disk, the others never will unless they are written again. */
  failSync(random: SeededRandom): void {
    for (const [sector, old] of this.#unsynced) {
      if (random.oneIn(2)) this.#abandoned.set(sector, old);
    }
    this.#unsynced.clear();
  }

  /** The file as it is found after the power failed. */
  afterCrash(survival: Survival): MemoryFile {
    const bytes = this.bytes.slice();
    for (const [sector, old] of this.#unsynced) {
      if (!survives(survival)) bytes.set(old, sector * SECTOR_BYTES);
    }
    for (const [sector, old] of this.#abandoned) bytes.set(old, sector * SECTOR_BYTES);
    const length = survives(survival) ? bytes.length : this.#durableLength;
    const file = new MemoryFile(bytes.subarray(0, length));
    file.sync();
    return file;
  }

  #grow(length: number): void {
    const bytes = new Uint8Array(length);
    bytes.set(this.bytes);
    this.bytes = bytes;
  }

  #remember(sector: number): void {
    if (this.#unsynced.has(sector)) return;
    const at = sector * SECTOR_BYTES;
    const old = this.#abandoned.get(sector) ?? this.bytes.slice(at, at + SECTOR_BYTES);
    this.#abandoned.delete(sector);
    this.#unsynced.set(sector, old);
  }
}

function survives(survival: Survival): boolean {
  if (survival === "keep") return true;
  return survival === "lose" ? false : survival.oneIn(2);
}
