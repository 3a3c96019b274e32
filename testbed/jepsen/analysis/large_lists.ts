/** Lists of what may be a million things. */

/** Those that are chosen, in their order. Asks twice: a list that grows leaves several times its size behind. */
export function chosenOf<T>(items: readonly T[], isChosen: (item: T) => boolean): T[] {
  let count = 0;
  for (let i = 0; i < items.length; i++) if (isChosen(items[i]!)) count++;
  const chosen = new Array<T>(count);
  for (let i = 0, at = 0; at < count; i++) {
    const item = items[i]!;
    if (isChosen(item)) chosen[at++] = item;
  }
  return chosen;
}
