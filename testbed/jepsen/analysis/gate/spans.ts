/** Stretches from one point to another, and whether something meets one of them. */

/** Both ends belong to it; the second may be Infinity. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Many spans, asked in logarithmic time. */
export class Spans {
  readonly #spans: readonly Span[];
  /** At `i` the last end of the first `i + 1`. */
  readonly #ends: readonly number[];

  constructor(spans: readonly Span[]) {
    this.#spans = [...spans].sort((a, b) => a.from - b.from);
    let end = -Infinity;
    this.#ends = this.#spans.map(({ to }) => end = Math.max(end, to));
  }

  /** Whether any of them has a point in common with this one. */
  meets({ from, to }: Span): boolean {
    let [low, high] = [0, this.#spans.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#spans[middle]!.from <= to) low = middle + 1;
      else high = middle;
    }
    return low > 0 && this.#ends[low - 1]! >= from;
  }

  /** How many of them have a point in common with another. */
  get contended(): number {
    const isMet = (i: number): boolean =>
      (i > 0 && this.#ends[i - 1]! >= this.#spans[i]!.from) ||
      (i + 1 < this.#spans.length && this.#spans[i + 1]!.from <= this.#spans[i]!.to);
    return this.#spans.filter((_, i) => isMet(i)).length;
  }
}

/** How many of them have one point in common at most. */
export function widestOf<T>(items: readonly T[], spanOf: (item: T) => Span): number {
  const begins = sortedNumbers(items, (item) => spanOf(item).from);
  const ends = sortedNumbers(items, (item) => spanOf(item).to);
  let [widest, ended] = [0, 0];
  for (let begun = 0; begun < begins.length; begun++) {
    while (ended < ends.length && ends[ended]! < begins[begun]!) ended++;
    widest = Math.max(widest, begun + 1 - ended);
  }
  return widest;
}

/** By index: to go through an iterator costs several times as much. */
function sortedNumbers<T>(items: readonly T[], numberOf: (item: T) => number): Float64Array {
  const numbers = new Float64Array(items.length);
  for (let i = 0; i < items.length; i++) numbers[i] = numberOf(items[i]!);
  return numbers.sort();
}
