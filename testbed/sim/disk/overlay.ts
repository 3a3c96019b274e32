/**
 * What a medium holds where it does not hold what was written: by sector, over bytes that stay as they should be. So
 * damage is cheap to do, cheap to undo, and whoever judges knows what ought to be there.
 */
import { SECTOR_BYTES } from "./sector.ts";

/** Other bytes than were written, or none that can be read. */
export type SectorDamage = Uint8Array | "unreadable";

/** See the top of this file. */
export class Overlay {
  readonly #sectors = new Map<number, SectorDamage>();
  /** Damage that a write has covered which no sync has covered yet: it is back when that write is lost. */
  readonly #covered = new Map<number, SectorDamage>();

  /** Whether the medium holds what was written. */
  get isEmpty(): boolean {
    return this.#sectors.size === 0;
  }

  /** Damaged sectors, in no order. */
  get sectors(): Iterable<number> {
    return this.#sectors.keys();
  }

  /** What is wrong with a sector, if anything. */
  get(sector: number): SectorDamage | undefined {
    return this.#sectors.get(sector);
  }

  /** Damages a sector. */
  set(sector: number, damage: SectorDamage): void {
    this.#sectors.set(sector, damage);
  }

  /** A write makes the sectors whole that it covers; of others it changes its part. */
  wrote(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    for (let s = at >>> 9; s * SECTOR_BYTES < end && this.#sectors.size > 0; s++) {
      const damage = this.#sectors.get(s);
      if (damage === undefined) continue;
      const from = s * SECTOR_BYTES;
      if (at <= from && from + SECTOR_BYTES <= end) {
        this.#covered.set(s, damage);
        this.#sectors.delete(s);
      } else if (damage !== "unreadable") {
        const first = Math.max(at, from);
        const part = bytes.subarray(first - at, Math.min(end, from + SECTOR_BYTES) - at);
        damage.set(part, first - from);
      }
    }
  }

  /** What was written is durable. */
  synced(): void {
    this.#covered.clear();
  }

  /**
   * Puts damage over bytes that were read.
   *
   * @param at Where in the file they are from.
   * @param bytes The bytes.
   * @param filler What unreadable sectors show; without it they are left alone.
   * @returns Whether all could be read.
   */
  show(at: number, bytes: Uint8Array, filler?: number): boolean {
    let isReadable = true;
    const end = at + bytes.length;
    for (let s = at >>> 9; s * SECTOR_BYTES < end; s++) {
      const damage = this.#sectors.get(s);
      if (damage === undefined) continue;
      const from = Math.max(s * SECTOR_BYTES, at);
      const to = Math.min((s + 1) * SECTOR_BYTES, end);
      if (damage !== "unreadable") {
        const begin = from - s * SECTOR_BYTES;
        bytes.set(damage.subarray(begin, begin + to - from), from - at);
        continue;
      }
      isReadable = false;
      if (filler !== undefined) bytes.fill(filler, from - at, to - at);
    }
    return isReadable;
  }

  /**
   * The damage of a file as it is found after the power failed.
   *
   * @param lost Sectors whose last write was lost.
   * @param length The file's length then.
   */
  afterCrash(lost: Iterable<number>, length: number): Overlay {
    const after = new Overlay();
    const put = (sector: number, damage: SectorDamage): void => {
      if (sector * SECTOR_BYTES >= length) return;
      after.set(sector, damage === "unreadable" ? damage : damage.slice());
    };
    for (const [sector, damage] of this.#sectors) put(sector, damage);
    for (const sector of lost) {
      const damage = this.#covered.get(sector);
      if (damage !== undefined) put(sector, damage);
    }
    return after;
  }
}
