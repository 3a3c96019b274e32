/**
 * What clients of a cluster asked and were told, with the time of each on one clock. Only what the judge needs
 * of a time is kept: what was known to somebody when an invocation began.
 */
import type { ReservationView, ResourceView } from "../../../node/api.ts";
import type { ClientCommand, Committed, Rejected } from "../../../node/client/types.ts";

/** What somebody knew when an invocation began. */
export interface Known {
  /** The highest lsn that anybody had been told. */
  readonly lsn: number;
  /** How many reads of this history had ended. */
  readonly reads: number;
}

/** A command of a client, under an operation id of its own. */
export interface Write {
  readonly clientId: bigint;
  readonly operationId: bigint;
  readonly command: ClientCommand;
  readonly invokedMs: number;
  readonly known: Known;
  /** Calls that it took; each but the last left the outcome in doubt. */
  attempts: number;
  endedMs: number | undefined;
  /** Absent as long as nobody can tell. */
  result: Committed | Rejected | undefined;
}

/** What a strict read answered: a view, or that there is none. */
export type ReadAnswer =
  | { readonly subject: "resource"; readonly value: ResourceView | "not_found" }
  | {
    readonly subject: "reservation";
    readonly value: ReservationView | "not_found" | "retired";
  };

/** A strict read that was answered. */
export interface Read {
  readonly id: bigint;
  readonly answer: ReadAnswer;
  readonly invokedMs: number;
  readonly endedMs: number;
  readonly known: Known;
}

/** Retries of an operation that had been answered. */
export interface Retry {
  readonly write: Write;
  readonly again: Committed;
}

/** Everything of one round. */
export class History {
  readonly writes: Write[] = [];
  /** In the order in which they ended. */
  readonly reads: Read[] = [];
  readonly retries: Retry[] = [];
  /** What no answer may be, told at once. */
  readonly refusals: string[] = [];
  /** Calls that ended without an answer. */
  readsFailed = 0;
  #learnedLsn: number;

  /**
   * @param learnedLsn What rounds before this one were told.
   */
  constructor(learnedLsn: number) {
    this.#learnedLsn = learnedLsn;
  }

  /** What somebody knows now. */
  known(): Known {
    return { lsn: this.#learnedLsn, reads: this.reads.length };
  }

  /** A command is about to be sent. */
  invoke(clientId: bigint, command: ClientCommand & { readonly operationId: bigint }): Write {
    const write: Write = {
      ...{ clientId, operationId: command.operationId, command },
      ...{ invokedMs: performance.now(), known: this.known() },
      ...{ attempts: 0, endedMs: undefined, result: undefined },
    };
    this.writes.push(write);
    return write;
  }

  /** Its outcome is known. */
  end(write: Write, result: Committed | Rejected): void {
    write.endedMs = performance.now();
    write.result = result;
    if (result.kind === "committed") this.learn(result.appliedLsn);
  }

  /** Somebody has been told an lsn. */
  learn(lsn: bigint): void {
    this.#learnedLsn = Math.max(this.#learnedLsn, Number(lsn));
  }

  /** The commands that were answered as committed. */
  get acknowledged(): readonly (Write & { readonly result: Committed })[] {
    return this.writes.filter(isAcknowledged);
  }

  /** One line of JSON for each event, in the order in which they began. */
  lines(round: number): string {
    const events = [
      ...this.writes.map((write) => ({ event: "write", ...write })),
      ...this.reads.map((read) => ({ event: "read", ...read })),
    ].sort((a, b) => a.invokedMs - b.invokedMs);
    return events.map((event) => `${JSON.stringify({ round, ...event }, bigintText)}\n`).join("");
  }
}

/** Whether a command was answered as committed. */
export function isAcknowledged(write: Write): write is Write & { readonly result: Committed } {
  return write.result?.kind === "committed";
}

/** For JSON. */
export function bigintText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
