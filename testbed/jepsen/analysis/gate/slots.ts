/** What successful reserves tell of the slots in which others ran: slots never go back in the order of the log. */
import type { Material } from "./material.ts";
import type { Hold } from "./reservation.ts";

/** A slot that something ran in at the latest, and the reserve that shows it. */
export interface SlotBound {
  readonly slot: bigint;
  readonly by: Hold;
}

/** See the top of this file. Sorted when it is first asked: most histories never ask, and it takes room. */
export class SlotBounds {
  readonly #material: Material;
  /** By what they are sorted by, ascending; each with the lowest slot from there on. */
  #byLsn: readonly Step<bigint>[] | undefined;
  #byStart: readonly Step<number>[] | undefined;

  constructor(material: Material) {
    this.#material = material;
  }

  /** The lowest slot of a reserve behind an lsn. */
  behindLsn(lsn: bigint): SlotBound | undefined {
    this.#byLsn ??= stepsOf(
      holdsOf(this.#material).filter((hold) => hold.lsn !== undefined),
      (hold) => hold.lsn!,
    );
    return firstBehind(this.#byLsn, lsn);
  }

  /** The lowest slot of a reserve that began behind a position. */
  behindPosition(position: number): SlotBound | undefined {
    this.#byStart ??= this.#material.hasTime
      ? stepsOf(holdsOf(this.#material), ({ invokedAt }) => invokedAt)
      : [];
    return firstBehind(this.#byStart, position);
  }
}

function holdsOf({ reservations }: Material): Hold[] {
  const holds: Hold[] = [];
  for (const { hold } of reservations.values()) if (hold !== undefined) holds.push(hold);
  return holds;
}

interface Step<At> {
  readonly at: At;
  readonly bound: SlotBound;
}

function stepsOf<At extends bigint | number>(
  holds: readonly Hold[],
  placeOf: (hold: Hold) => At,
): Step<At>[] {
  const sorted = holds.map((hold) => ({ at: placeOf(hold), hold }))
    .sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
  const steps: Step<At>[] = [];
  let bound: SlotBound | undefined;
  for (const { at, hold } of sorted.reverse()) {
    if (bound === undefined || hold.slot < bound.slot) bound = { slot: hold.slot, by: hold };
    steps.push({ at, bound });
  }
  return steps.reverse();
}

function firstBehind<At extends bigint | number>(
  steps: readonly Step<At>[],
  at: At,
): SlotBound | undefined {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (steps[middle]!.at > at) high = middle;
    else low = middle + 1;
  }
  return steps[low]?.bound;
}
