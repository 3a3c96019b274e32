/** Slots from a monotonic clock. A slot never goes back, and downtime does not count: holds may end late, never early. */
import { compareU64, copyU64, readU64, writeU64 } from "../core/words.ts";

/** Monotonic milliseconds from an arbitrary origin. */
export interface Clock {
  nowMs(): number;
}

/** The slot source of one node. */
export class SlotClock {
  readonly #clock: Clock;
  readonly #slotDurationMs: number;
  #originMs: number;
  #baseSlot: bigint;
  /** Words of the slot that the next command gets. */
  readonly current: Uint32Array = new Uint32Array(2);

  /**
   * @param clock Where milliseconds come from.
   * @param slotDurationMs Length of a slot.
   * @param lastSlot The last slot in the log; the clock goes on from there.
   */
  constructor(clock: Clock, slotDurationMs: number, lastSlot: bigint) {
    this.#clock = clock;
    this.#slotDurationMs = slotDurationMs;
    this.#originMs = clock.nowMs();
    this.#baseSlot = lastSlot === 0n ? 1n : lastSlot;
    writeU64(this.current, 0, this.#baseSlot);
  }

  /** Moves `current` up to the clock; done once for a turn, not for each command. */
  refresh(): void {
    const slot = this.byClock();
    if (slot > readU64(this.current, 0)) writeU64(this.current, 0, slot);
  }

  /** The slot by the clock alone, whatever slots were used: how far ahead others may go is measured from here. */
  byClock(): bigint {
    const elapsed = Math.floor((this.#clock.nowMs() - this.#originMs) / this.#slotDurationMs);
    return this.#baseSlot + BigInt(Math.max(elapsed, 0));
  }

  /** Takes note of a slot that was used: no later one may be lower. */
  observe(slot: Uint32Array, at: number): void {
    if (compareU64(slot, at, this.current, 0) > 0) copyU64(this.current, 0, slot, at);
  }

  /**
   * Goes on from somebody else's slot, up or down: a backup whose clock ran ahead of the primary's would, as its
   * successor, end holds early. It may then be behind by as long as the slot took to get here.
   *
   * @param slot The primary's slot as it was heard just now.
   */
  follow(slot: bigint): void {
    this.#originMs = this.#clock.nowMs();
    this.#baseSlot = slot;
    writeU64(this.current, 0, slot);
  }

  /** The current slot. */
  now(): bigint {
    this.refresh();
    return readU64(this.current, 0);
  }
}
