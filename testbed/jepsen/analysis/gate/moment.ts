/** When things took effect, and which of them came first. */

/**
 * When something took effect: at an lsn, or between two positions. Without recorded beginnings the positions are all there
 * are, from minus infinity to infinity: a line of a file says nothing of time.
 */
export interface Moment {
  readonly lsn: bigint | undefined;
  readonly invokedAt: number;
  /** Infinity when nobody was told. */
  readonly completedAt: number;
}

/** Whether one took effect before the other; undefined when that cannot be told. */
export function isBefore(one: Moment, other: Moment): boolean | undefined {
  if (one.lsn !== undefined && other.lsn !== undefined && one.lsn !== other.lsn) {
    return one.lsn < other.lsn;
  }
  if (one.completedAt < other.invokedAt) return true;
  return other.completedAt < one.invokedAt ? false : undefined;
}

/** At an lsn, or between positions that say nothing unless beginnings were recorded. */
export function moment(
  lsn: bigint | undefined,
  invokedAt: number,
  completedAt: number,
  hasTime: boolean,
): Moment {
  return hasTime
    ? { lsn, invokedAt, completedAt }
    : { lsn, invokedAt: -Infinity, completedAt: Infinity };
}
