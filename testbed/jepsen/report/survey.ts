/** Everything that is counted once and shown in several places. */
import { type Attempt, attemptsOf, hasTimes, lanesOf } from "./attempts.ts";
import type { CheckResult, Violation } from "../analysis/judgement.ts";
import { type Cluster, clusterOf } from "./cluster.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { type Hold, holdsOf } from "./holds.ts";
import type { ReportInput } from "./input.ts";
import { type Outage, outagesOf } from "./outages.ts";

/** See the top of this file. */
export interface Survey {
  readonly input: ReportInput;
  /** Whether the axis is time; positions in the history otherwise. */
  readonly isTimed: boolean;
  /** Beginning of the axis: 0 but in a picture of a part. */
  readonly from: number;
  /** End of the axis: nanoseconds or positions, at least 1. */
  readonly end: number;
  readonly attempts: readonly Attempt[];
  readonly lanes: ReadonlyMap<number, number>;
  /** Undefined in a recording without times. */
  readonly figures: Figures | undefined;
  readonly cluster: Cluster;
  /** Empty in a recording without times. */
  readonly outages: readonly Outage[];
  /** Empty for what is no history of reservations. */
  readonly holds: readonly Hold[];
  readonly violations: readonly NumberedViolation[];
  /** Positions of attempts that a violation names. */
  readonly evidence: ReadonlySet<number>;
  /** Positions of attempts at which a violation shows. */
  readonly firsts: ReadonlySet<number>;
}

/** A violation with the check that it broke, numbered from 1 through the whole report. */
export interface NumberedViolation {
  readonly number: number;
  readonly check: CheckResult;
  readonly violation: Violation;
}

/** Looks at a run once. */
export function surveyOf(input: ReportInput): Survey {
  const { recording, judgement } = input;
  const isTimed = hasTimes(recording);
  const attempts = attemptsOf(recording);
  const violations = judgement.checks
    .flatMap((check) => check.violations.map((violation) => ({ check, violation })))
    .map((found, index) => ({ number: index + 1, ...found }));
  const end = endOf(input, attempts, isTimed);
  return {
    input,
    isTimed,
    from: 0,
    end,
    attempts,
    lanes: lanesOf(attempts),
    figures: isTimed ? figuresOf(attempts, end) : undefined,
    cluster: clusterOf(recording),
    outages: isTimed ? outagesOf(recording, attempts) : [],
    holds: recording.header.model === "reservation" ? holdsOf(recording, isTimed) : [],
    violations,
    evidence: new Set(violations.flatMap(({ violation }) => positionsOf(violation))),
    firsts: new Set(violations.flatMap(({ violation: { first } }) => first?.invokedAt ?? [])),
  };
}

/** The same run with the axis of a part of it, for a picture. */
export function partOf(survey: Survey, from: number, end: number): Survey {
  return { ...survey, from, end: Math.max(from + 1, end) };
}

/** Positions of the attempts that a violation names. */
export function positionsOf({ operations, modelOperations, first }: Violation): number[] {
  const named = [...operations, ...modelOperations, ...first === undefined ? [] : [first]];
  return named.map(({ invokedAt }) => invokedAt);
}

function endOf({ recording }: ReportInput, attempts: readonly Attempt[], isTimed: boolean): number {
  let end = isTimed ? recording.endNs : 0;
  for (const { start, end: ended } of attempts) end = Math.max(end, start, ended ?? 0);
  return Math.max(1, end);
}
