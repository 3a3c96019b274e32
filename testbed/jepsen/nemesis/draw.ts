/** Drawing from lists. */
import type { SeededRandom } from "../../sim/random.ts";

/** The same in a drawn order. */
export function shuffled<T>(items: readonly T[], random: SeededRandom): readonly T[] {
  const all = items.slice();
  for (let i = all.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

/** One of them. */
export function oneOf<T>(items: readonly T[], random: SeededRandom): T {
  return items[random.below(items.length)]!;
}
