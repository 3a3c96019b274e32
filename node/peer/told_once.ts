/** So that a log gets each change once and each attempt never. */

/** What was told so long ago is told again. */
const FORGET_MS = 3_600_000;
/** Things told of one subject; what comes on top is not told, so that nobody fills a log by inventing words. */
const TEXTS_MAX = 16;

/** Remembers what was told of whom. */
export class ToldOnce {
  readonly #told = new Map<string, { readonly sinceMs: number; readonly texts: Set<string> }>();

  /**
   * Whether this is to be told; it counts as told from then on.
   *
   * @param subject Of whom: one of a few.
   * @param text What.
   * @param nowMs Monotonic milliseconds.
   */
  isNews(subject: string, text: string, nowMs: number): boolean {
    let told = this.#told.get(subject);
    if (told === undefined || nowMs - told.sinceMs > FORGET_MS) {
      told = { sinceMs: nowMs, texts: new Set() };
      this.#told.set(subject, told);
    }
    if (told.texts.has(text) || told.texts.size >= TEXTS_MAX) return false;
    told.texts.add(text);
    return true;
  }

  /** All is well with it again: from now on everything is news. */
  forget(subject: string): void {
    this.#told.delete(subject);
  }
}
