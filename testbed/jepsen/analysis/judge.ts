/** Everything that can be said of one history, together: linearizability, the release-blocking checks, and coverage. */
import type { HistoryHeader } from "../history/event.ts";
import type { Value } from "../history/model.ts";
import type { HistoryOperation, OperationKey } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import { coverageOf } from "./gate/coverage.ts";
import { checkGate } from "./gate/gate.ts";
import { collect, type Material } from "./gate/material.ts";
import { shortfallsOf } from "./gate/minimum.ts";
import type { CheckResult, Judgement, JudgementCounts, Verdict } from "./judgement.ts";
import {
  checkModelHistory,
  checkReservationHistory,
  type Linearizability,
} from "./linearizability.ts";
import type { Algorithm, ModelOptions } from "./models/verdict.ts";
import { fold, foldRulesOf } from "./reservation/fold.ts";
import { sentTooLate } from "./retry_window.ts";
import type { CheckOptions, ReservationBounds } from "./reservation/verdict.ts";

/** Options of the checker of reservations that are handed on as they are. */
type Handed = "configurationsMax" | "configurationBytesMax" | "shrinkRunsMax" | "isOverTime";
type HandedToReservations = Handed | "useWitness" | "onPartition" | "lsns";

/**
 * How far the checkers may go, what they may assume, and what has to be there. Lsns bind (`lsns`) runs of the harness
 * unless told otherwise, and are no more than a claim elsewhere.
 */
export interface JudgeOptions extends Pick<CheckOptions, HandedToReservations> {
  /** Steps of the search for an order, in all partitions together; default {@linkcode STEPS_MAX}. */
  readonly stepsMax?: number;
  /** Stands above the bounds of the history's header. Of reservations only. */
  readonly bounds?: ReservationBounds;
  /** Of other models: see `models/verdict.ts`. */
  readonly init?: Value;
  readonly failedOps?: "drop" | "check";
  readonly nilRead?: "value" | "unknown";
  /** `wgl` is depth first. */
  readonly algorithm?: Algorithm;
  /** Whether what stays in doubt is a violation; default: of runs of the harness and of histories without invocations. */
  readonly mustResolve?: boolean;
  /** Whether it is proved, by the logs of all replicas, that an operation in doubt never happened and never will. */
  readonly isAbsent?: (key: OperationKey) => boolean;
  /** Further checks that count like those made here, such as those on evidence. */
  readonly evidence?: readonly CheckResult[];
  /** Coverage figures that have to be reached, by name. */
  readonly minimum?: Readonly<Record<string, number>>;
}

/** Steps of the search that take minutes, not hours. */
export const STEPS_MAX = 1_000_000_000;

/**
 * Judges a recording. Pure, but for `isOverTime`.
 *
 * The verdict is `invalid` if any check failed. Else it is `unknown` if linearizability is not decided, be it that nothing was
 * answered, that no invocations were recorded or that the limits were met, or if another check had something to look at
 * and could not decide. Else it is `valid`. A check that had nothing to look at says so and changes nothing: whether
 * enough was there to look at is what `minimum` asks.
 *
 * @throws {RangeError} When an answered attempt does not end after it began.
 */
export function judge(recording: Recording, options: JudgeOptions = {}): Judgement {
  const { header } = recording;
  const { mustResolve, isAbsent, evidence = [], minimum = {} } = options;
  const isReservation = header.model === "reservation";
  const late = isReservation ? sentTooLate(recording) : undefined;
  const bounds = boundsOf(header, options, late);
  const { whole, material } = isReservation ? lookAtReservations(recording, bounds, options) : {
    whole: checkModelHistory(
      recording,
      modelOptions(header.model as ModelOptions["model"], options),
    ),
    material: undefined,
  };
  const gate = material === undefined ? [] : checkGate(material, { mustResolve, isAbsent });
  const checks = [whole.result, ...gate, ...evidence];
  const coverage = coverageOf(recording, material);
  return {
    verdict: verdictOf(checks),
    model: header.model,
    checks,
    counts: countsOf(recording, whole, material?.keys ?? 0),
    coverage,
    shortfalls: shortfallsOf(coverage, minimum),
    findings: [...recording.notes, ...whole.findings, ...lateFinding(late)],
  };
}

/** See {@linkcode judge}. */
export function verdictOf(checks: readonly CheckResult[]): Verdict {
  if (checks.some(({ verdict }) => verdict === "fail")) return "invalid";
  return checks.some(({ verdict, isDecisive }) => verdict === "inconclusive" && isDecisive === true)
    ? "unknown"
    : "valid";
}

/**
 * Checker and gate look at the same operations. What neither of them keeps is nowhere held when this returns: of a million
 * that is much.
 */
function lookAtReservations(
  recording: Recording,
  bounds: ReservationBounds,
  options: JudgeOptions,
): { readonly whole: Linearizability; readonly material: Material } {
  // They take full tables alike only where tables may fill.
  const folded = bounds.tables === "roomy"
    ? undefined
    : fold(recording.operations, foldRulesOf(bounds));
  const whole = checkReservationHistory(recording, {
    ...reservationOptions(recording, bounds, options),
    ...defined({ folded }),
  });
  return { whole, material: collect(recording, bounds, folded) };
}

/** Who is sent again after the retry window may run again; such a history is judged as one in which answers are forgotten. */
function boundsOf(
  { bounds = {} }: HistoryHeader,
  options: JudgeOptions,
  late: HistoryOperation | undefined,
): ReservationBounds {
  const forgotten = late === undefined ? {} : { answers: "may_be_forgotten" as const };
  return { ...bounds, ...forgotten, ...options.bounds };
}

function lateFinding(late: HistoryOperation | undefined): string[] {
  if (late === undefined) return [];
  return [
    `operation ${late.key!.operationId} was sent again after its retry window (event ` +
    `${late.invokedAt}): it may have run twice, and no second execution counts as wrong here`,
  ];
}

/** What the checker of reservations is asked of a recording. */
export function checkOptionsOf(recording: Recording, options: JudgeOptions): CheckOptions {
  const bounds = boundsOf(recording.header, options, sentTooLate(recording));
  return reservationOptions(recording, bounds, options);
}

function reservationOptions(
  { header, ticks, hasInvocations }: Recording,
  bounds: ReservationBounds,
  options: JudgeOptions,
): CheckOptions {
  // Whoever the harness runs promises that things happen in the order of its lsns.
  const isOurs = header.runId !== undefined && hasInvocations;
  const { stepsMax = STEPS_MAX, algorithm = "auto" } = options;
  const { configurationsMax, configurationBytesMax, shrinkRunsMax } = options;
  const { isOverTime, useWitness, onPartition, lsns = isOurs ? "binding" : "claimed" } = options;
  return {
    ...defined({ configurationsMax, configurationBytesMax, shrinkRunsMax }),
    ...defined({ isOverTime, useWitness, onPartition }),
    ...{ stepsMax, ticks, bounds, lsns },
    algorithm: algorithm === "wgl" ? "depth_first" : algorithm,
    initialResourceIds: header.initialResourceIds ?? [],
  };
}

function modelOptions(model: ModelOptions["model"], options: JudgeOptions): ModelOptions {
  const { stepsMax = STEPS_MAX, configurationsMax, shrinkRunsMax, isOverTime } = options;
  const { init, failedOps, nilRead, algorithm } = options;
  return {
    ...defined({ configurationsMax, shrinkRunsMax, isOverTime }),
    ...defined({ init, failedOps, nilRead, algorithm }),
    ...{ model, stepsMax },
  };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}

function countsOf(
  { events, operations, modelOperations, ticks }: Recording,
  { operations: folded, unanswered, partitions }: Linearizability,
  keys: number,
): JudgementCounts {
  const ofTicks = new Set(
    ticks.flatMap(({ key }) => key === undefined ? [] : [`${key.clientId} ${key.operationId}`]),
  );
  return {
    ...{ events, operations: folded, logicalCommands: keys + ofTicks.size },
    attempts: operations.length + modelOperations.length + ticks.length,
    ...{ unanswered, partitions },
  };
}
