/** How one life ended, as plain data: what processes tell each other, a line for each life. */
import * as v from "valibot";
import type { SimLife } from "./sim_life.ts";
import { firstLine } from "./words.ts";

/** See the top of this file. */
export interface Outcome {
  readonly seed: number;
  /** The broken promise in a sentence; `null` when all were kept. */
  readonly violation: string | null;
  /** 16 hexadecimal digits. */
  readonly hash: string;
  /** Whether the life was stopped before its end. */
  readonly isCutShort: boolean;
  readonly events: number;
  readonly simulatedMs: number;
  /** How long it took. */
  readonly realMs: number;
  /** See {@linkcode SimLife.counts}. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Longest line that is believed, in characters. */
export const LINE_CHARS_MAX = 1024 * 1024;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));

const OutcomeSchema = v.strictObject({
  seed: Count,
  violation: v.nullable(v.string()),
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  isCutShort: v.boolean(),
  events: Count,
  simulatedMs: Milliseconds,
  realMs: Milliseconds,
  counts: v.record(v.string(), Count),
});

/**
 * How a life ended.
 *
 * @param life The life.
 * @param realMs How long it took.
 */
export function outcomeOf(life: SimLife, realMs: number): Outcome {
  const { plan, violation, hash, isCutShort, events, simulatedMs, counts } = life;
  return {
    seed: plan.seed,
    violation: violation === undefined ? null : firstLine(violation),
    hash,
    isCutShort,
    events,
    simulatedMs,
    realMs,
    counts,
  };
}

/** The outcome as a line, without its end. */
export function formatOutcome(outcome: Outcome): string {
  return JSON.stringify(outcome);
}

/** The outcome that a line tells of; `undefined` when it is no such line. */
export function parseOutcome(line: string): Outcome | undefined {
  if (line.length > LINE_CHARS_MAX) return undefined;
  try {
    const result = v.safeParse(OutcomeSchema, JSON.parse(line));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
