/**
 * Lists that mostly stay short. There are millions of them: an array that grows in place makes room for many, and even one
 * for a single item takes more than the item is worth.
 */

/** So few are copied each time. */
const COPIED_MAX = 8;

/** Nothing, one item by itself, or a list. No item may be an array or undefined. */
export type Few<T extends object> = T | readonly T[] | undefined;

/** The same with one more; what was given must not be used any more. */
export function added<T extends object>(few: Few<T>, item: T): Few<T> {
  if (few === undefined) return item;
  const list = listOf(few);
  if (list.length < COPIED_MAX) return [...list, item];
  (list as T[]).push(item);
  return list;
}

/** As a list that nobody changes. */
export function listOf<T extends object>(few: Few<T>): readonly T[] {
  if (few === undefined) return NOTHING;
  return Array.isArray(few) ? few : [few as T];
}

/** Shared by all that are empty. */
const NOTHING: readonly never[] = [];
