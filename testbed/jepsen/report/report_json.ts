/**
 * A report for programs: the facts of the page, named and versioned. Numbers beyond 2^53 are decimal text; keys are only ever
 * added while `version` stays 1. Described in docs/jepsen.md.
 */
import type { Violation } from "../analysis/judgement.ts";
import { attemptOf } from "./attempts.ts";
import { QUANTILES } from "./figures.ts";
import type { Survey } from "./survey.ts";
import { safeJson } from "./text/escape.ts";
import { headerFacts } from "./verdict_words.ts";

/** `format` of the file. */
export const JSON_FORMAT = "allocdb.jepsen.report";
/** `version` of the file. */
export const JSON_VERSION = 1;

/** Writes the file. */
export function renderJson(survey: Survey): string {
  return `${safeJson(factsOf(survey), 1)}\n`;
}

/** Everything that stands in it. */
export function factsOf(survey: Survey): Record<string, unknown> {
  const { input, holds } = survey;
  const { recording, judgement } = input;
  return {
    format: JSON_FORMAT,
    version: JSON_VERSION,
    title: input.title,
    verdict: judgement.verdict,
    is_gate_evidence: survey.input.gateEvidenceReason === "",
    broken_off_by: survey.input.brokenOffBy ?? null,
    facts: Object.fromEntries(headerFacts(survey)),
    header: recording.header,
    notes: recording.notes,
    counts: judgement.counts,
    checks: judgement.checks.map(({ violations, ...check }) => ({
      ...check,
      violations: violations.map((violation) => violationFacts(survey, violation)),
    })),
    coverage: judgement.coverage,
    shortfalls: judgement.shortfalls ?? [],
    findings: judgement.findings,
    ...figureFacts(survey),
    faults: recording.faults,
    outages: survey.outages.map(({ fault, isOfPrimary, unservedNs }) => ({
      ...{ name: fault.name, replica_ids: fault.replicaIds, start_ns: fault.startNs },
      ...{ of_primary: isOfPrimary, unserved_ns: unservedNs ?? null },
    })),
    view_changes: survey.cluster.viewChanges,
    overlaps: holds.filter(({ over }) => over !== undefined)
      .map(({ resourceId, reservationId, over }) => ({ resourceId, reservationId, over })),
    files: input.files ?? [],
    settings: input.settings ?? {},
    versions: input.versions ?? {},
    judged_by: input.judgedBy ?? null,
    reproduce: input.reproduce ?? null,
  };
}

function violationFacts(survey: Survey, violation: Violation): Record<string, unknown> {
  const { operations, modelOperations, first, ...rest } = violation;
  return {
    ...rest,
    first: first === undefined ? null : first.invokedAt,
    operations: [...operations, ...modelOperations].map((operation) => {
      const { process, position, endPosition, key, request, outcome, answer } = attemptOf(
        operation,
        survey.isTimed,
      );
      return {
        process,
        invoked_at: position,
        completed_at: endPosition ?? null,
        invoked_ns: operation.invokedNs ?? null,
        completed_ns: operation.completedNs ?? null,
        operation: key ?? null,
        ...{ request, outcome, answer },
      };
    }),
  };
}

function figureFacts({ figures }: Survey): Record<string, unknown> {
  if (figures === undefined) {
    return { quantiles: QUANTILES, latencies_ns: [], windows: [], gaps_ns: [] };
  }
  return {
    duration_ns: figures.endNs,
    quantiles: QUANTILES,
    latencies_ns: figures.latencies,
    window_ns: figures.windowNs,
    windows: figures.windows,
    gaps_ns: figures.gaps.map(({ fromNs, toNs }) => ({ fromNs, toNs, lengthNs: toNs - fromNs })),
  };
}
