/** How far a run of many lives is: one line that changes on a terminal, a line now and then elsewhere. */
import type { CliIo } from "../../../node/cli/io.ts";
import type { Totals } from "./totals.ts";
import { grouped, spanText } from "./words.ts";

/** Between two looks, in milliseconds. */
const TERMINAL_MS = 250;
const PLAIN_MS = 10_000;

const CLEAR_LINE = "\r\x1b[K";

/** What there is to do. */
export interface Goal {
  /** Lives in all; absent for no end. */
  readonly count: number | undefined;
  /** Milliseconds in all; absent for no end. */
  readonly forMs: number | undefined;
}

/** See the top of this file. Talk, so it goes to standard error. */
export class Progress {
  readonly #io: CliIo;
  readonly #goal: Goal;
  readonly #totals: Totals;
  readonly #startedMs: number;
  #shownMs: number;

  /**
   * @param io Where to.
   * @param goal What there is to do.
   * @param totals What has been done, kept up to date by whoever does it.
   */
  constructor(io: CliIo, goal: Goal, totals: Totals) {
    this.#io = io;
    this.#goal = goal;
    this.#totals = totals;
    this.#startedMs = io.nowMs();
    this.#shownMs = this.#startedMs;
  }

  /** Milliseconds since the beginning. */
  get elapsedMs(): number {
    return this.#io.nowMs() - this.#startedMs;
  }

  /** Shows how far it is, if it is time. */
  look(): void {
    const { err } = this.#io;
    const nowMs = this.#io.nowMs();
    if (nowMs - this.#shownMs < (err.isTerminal ? TERMINAL_MS : PLAIN_MS)) return;
    this.#shownMs = nowMs;
    const line = progressLine(this.#totals, this.elapsedMs, this.#goal);
    if (!err.isTerminal) return err.write(`${line}\n`);
    err.write(`${CLEAR_LINE}${line.slice(0, this.#io.columns() - 1)}`);
  }

  /** Says something that stays. */
  say(text: string): void {
    this.end();
    this.#io.err.write(`${text}\n`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#io.err.isTerminal) this.#io.err.write(CLEAR_LINE);
  }
}

/** `120 of 1000 lives, 2.1/s, 310,000 events/s, 64 × real time, 0 failed, 7 min left`. */
export function progressLine(totals: Totals, elapsedMs: number, goal: Goal): string {
  const { lives, events, simulatedMs, failures, lost } = totals;
  const perSecond = (count: number): number => elapsedMs === 0 ? 0 : count * 1_000 / elapsedMs;
  const parts = [
    goal.count === undefined
      ? `${grouped(lives)} lives`
      : `${grouped(lives)} of ${grouped(goal.count)} lives`,
    `${perSecond(lives).toFixed(1)}/s`,
    `${grouped(Math.round(perSecond(events)))} events/s`,
    `${grouped(Math.round(perSecond(simulatedMs) / 1_000))} × real time`,
    `${failures.length + lost.length} failed`,
  ];
  const leftMs = leftOf(totals, elapsedMs, goal);
  if (leftMs !== undefined) parts.push(`${spanText(leftMs)} left`);
  return parts.join(", ");
}

function leftOf({ lives, lost }: Totals, elapsedMs: number, goal: Goal): number | undefined {
  const done = lives + lost.length;
  const byCount = goal.count === undefined || done === 0
    ? undefined
    : (goal.count - done) * elapsedMs / done;
  const byTime = goal.forMs === undefined ? undefined : Math.max(0, goal.forMs - elapsedMs);
  if (byCount === undefined || byTime === undefined) return byCount ?? byTime;
  return Math.min(byCount, byTime);
}
