/** Collects figures of coverage in the order in which they are first counted. */
import type { CoverageFigure } from "../judgement.ts";

/** See the top of this file. */
export class Figures {
  readonly #figures = new Map<string, { count: number; readonly meaning: string }>();

  /** Adds to a figure; also 0, so that it is shown. */
  add(name: string, count: number, meaning: string): void {
    const figure = this.#figures.get(name);
    if (figure === undefined) this.#figures.set(name, { count, meaning });
    else figure.count += count;
  }

  result(): readonly CoverageFigure[] {
    return [...this.#figures].map(([name, { count, meaning }]) => ({ name, count, meaning }));
  }
}
