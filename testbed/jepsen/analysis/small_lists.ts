/**
 * Lists that mostly stay short. There are millions of them: an array that grows in place makes room for many, and one
 * for each that is empty would be most of what a history takes.
 */

/** So few are copied each time. */
const COPIED_MAX = 8;

/** The list with one more; the one that was given must not be used any more. */
export function added<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length < COPIED_MAX) return [...list, item];
  (list as T[]).push(item);
  return list;
}
