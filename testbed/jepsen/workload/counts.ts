/** What a workload came to, in numbers. */

/** Of one kind of request. */
export interface KindCounts {
  ok: number;
  fail: number;
  info: number;
}

/** See the top of this file. */
export interface WorkloadCounts {
  readonly attempts: number;
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  /** Attempts that were not the first of their operation. */
  readonly retries: number;
  /** Processes that ended with an outcome nobody knew. */
  readonly processesClosed: number;
  /** Operations of which nobody ever learned how they ended. */
  readonly unresolved: number;
  readonly byKind: Readonly<Record<string, KindCounts>>;
  /** Of `fail` and `info`. */
  readonly byReason: Readonly<Record<string, number>>;
}

/** Counts while it happens. */
export class Counts {
  retries = 0;
  processesClosed = 0;
  readonly #byKind: Record<string, KindCounts> = {};
  readonly #byReason: Record<string, number> = {};

  /** Something ended. */
  note(kind: string, type: "ok" | "fail" | "info", reason: string | undefined): void {
    const counts = (this.#byKind[kind] ??= { ok: 0, fail: 0, info: 0 });
    counts[type]++;
    if (reason !== undefined) this.#byReason[reason] = (this.#byReason[reason] ?? 0) + 1;
  }

  /** Attempts that have ended. */
  get attempts(): number {
    return this.#sum("ok") + this.#sum("fail") + this.#sum("info");
  }

  /** As plain data. */
  total(unresolved: number): WorkloadCounts {
    return {
      attempts: this.attempts,
      ok: this.#sum("ok"),
      fail: this.#sum("fail"),
      info: this.#sum("info"),
      retries: this.retries,
      processesClosed: this.processesClosed,
      unresolved,
      byKind: structuredClone(this.#byKind),
      byReason: { ...this.#byReason },
    };
  }

  #sum(type: keyof KindCounts): number {
    return Object.values(this.#byKind).reduce((sum, counts) => sum + counts[type], 0);
  }
}
