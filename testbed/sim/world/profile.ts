/**
 * What a world is busy with: how many events of each kind there were, and how long they took those who simulate them.
 * A world without a profile pays nothing for it. Simulated code has no clock but its own, so real time is handed in.
 */

/** Events of one kind. */
export interface ProfileRow {
  /** What happened: `tick`, `disk`, `message prepare`, `client`, `judges` and so on. */
  readonly kind: string;
  /** How often. */
  readonly count: number;
  /** Real milliseconds, without what was measured by itself inside. */
  readonly ms: number;
}

/** See the top of this file. */
export class WorldProfile {
  readonly #nowMs: () => number;
  readonly #rows = new Map<string, { count: number; ms: number }>();
  /** What is being measured. */
  #kind = "";
  /** How much of it was measured by itself. */
  #insideMs = 0;

  /** @param nowMs Real milliseconds since any moment, with fractions. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The kinds, those that took longest first. */
  get rows(): ProfileRow[] {
    return [...this.#rows].map(([kind, row]) => ({ kind, ...row })).sort((a, b) => b.ms - a.ms);
  }

  /** Runs something and counts it as one of its kind. */
  measure(kind: string, task: () => void): void {
    const outer = { kind: this.#kind, insideMs: this.#insideMs };
    this.#kind = kind;
    this.#insideMs = 0;
    const startMs = this.#nowMs();
    try {
      task();
    } finally {
      const ms = this.#nowMs() - startMs;
      this.#add(this.#kind, ms - this.#insideMs);
      this.#kind = outer.kind;
      this.#insideMs = outer.insideMs + ms;
    }
  }

  /** What is being measured is of a kind that only now is known. */
  name(kind: string): void {
    this.#kind = kind;
  }

  #add(kind: string, ms: number): void {
    const row = this.#rows.get(kind);
    if (row === undefined) this.#rows.set(kind, { count: 1, ms });
    else {
      row.count++;
      row.ms += ms;
    }
  }
}
