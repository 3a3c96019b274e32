/** Whether a history would have noticed: how often there was what a judge has to see, whatever the verdict. */
import type { ModelOperation } from "../../history/model.ts";
import type { HistoryOperation } from "../../history/operation.ts";
import type { Recording } from "../../history/recording.ts";
import type { CoverageFigure } from "../judgement.ts";
import { isWrite } from "../reservation/logical.ts";
import { coverReservations } from "./coverage_reservations.ts";
import { Figures } from "./figures.ts";
import { appliedOf, type Material } from "./material.ts";
import { type Span, Spans, widestOf } from "./spans.ts";

/** Figures of a recording; `material` is of a history of reservations. */
export function coverageOf(
  recording: Recording,
  material: Material | undefined,
): readonly CoverageFigure[] {
  const figures = new Figures();
  coverAttempts(figures, recording);
  if (material === undefined) coverModel(figures, recording.modelOperations);
  else {
    coverKinds(figures, recording);
    coverReservations(figures, material);
  }
  coverFaults(figures, recording);
  return figures.result();
}

type Attempt = HistoryOperation | ModelOperation;

function coverAttempts(figures: Figures, recording: Recording): void {
  const { operations, modelOperations, hasInvocations } = recording;
  const attempts: readonly Attempt[] = operations.length > 0 ? operations : modelOperations;
  const unanswered = attempts.filter(({ outcome }) => outcome.kind === "info").length;
  figures.add("attempts", attempts.length, "operations as they were sent, each retry for itself");
  figures.add("unanswered", unanswered, "attempts of which nobody knows how they ended");
  const widest = hasInvocations ? widestOf(attempts, spanOf) : 0;
  figures.add("widest_concurrency", widest, "attempts under way at one time, at most");
}

/** One who is never told waits for ever. */
function spanOf({ invokedAt, completedAt, outcome }: Attempt): Span {
  return { from: invokedAt, to: outcome.kind === "info" ? Infinity : completedAt ?? Infinity };
}

function coverModel(figures: Figures, operations: readonly ModelOperation[]): void {
  for (const { f, outcome } of operations) {
    const ending = OUTCOMES[outcome.kind];
    figures.add(`${wordOf(f)}_${ending}`, 1, `${f}: ${ENDINGS[ending]}`);
  }
}

/** Names are for programs: one word. */
function wordOf(f: string): string {
  return f.replaceAll(/[^A-Za-z0-9]+/g, "_");
}

const OUTCOMES = { ok: "ok", fail: "failed", info: "unanswered" } as const;
const ENDINGS = {
  ok: "answered",
  refused: "answered with a refusal that was committed",
  failed: "never took effect",
  unanswered: "nobody knows",
} as const;

function coverKinds(figures: Figures, { operations, ticks }: Recording): void {
  const counts = new Map<string, Record<keyof typeof ENDINGS, number>>();
  const countsOf = (kind: string): Record<keyof typeof ENDINGS, number> => {
    let of = counts.get(kind);
    if (of === undefined) counts.set(kind, of = { ok: 0, refused: 0, failed: 0, unanswered: 0 });
    return of;
  };
  for (const operation of operations) countsOf(operation.request.kind)[endingOf(operation)]++;
  for (const { kind } of ticks) countsOf("tick_expirations")[OUTCOMES[kind]]++;
  for (const [kind, of] of counts) {
    for (const ending of ["ok", "refused", "failed", "unanswered"] as const) {
      if (of[ending] === 0) continue;
      figures.add(`${kind}_${ending}`, of[ending], `${kind}: ${ENDINGS[ending]}`);
    }
  }
}

function endingOf(operation: HistoryOperation): keyof typeof ENDINGS {
  const { outcome, request } = operation;
  if (outcome.kind !== "ok" || !isWrite(request)) return OUTCOMES[outcome.kind];
  return appliedOf(operation)?.code === "ok" ? "ok" : "refused";
}

function coverFaults(figures: Figures, recording: Recording): void {
  const { faults, samples, operations, modelOperations, endNs } = recording;
  figures.add("faults", faults.length, "faults that were begun");
  for (const { name } of faults) figures.add(`faults_${wordOf(name)}`, 1, `faults: ${name}`);
  const healed = faults.filter(({ stopNs }) => stopNs !== undefined).length;
  figures.add("faults_healed", healed, "faults that were put right again");
  const windows = new Spans(faults.map(({ startNs, stopNs }) => ({
    from: startNs,
    to: stopNs ?? endNs,
  })));
  const attempts: readonly Attempt[] = operations.length > 0 ? operations : modelOperations;
  let [reads, writes] = [0, 0];
  for (const attempt of attempts) {
    const { invokedNs, completedNs, outcome } = attempt;
    if (invokedNs === undefined || outcome.kind !== "ok") continue;
    if (!windows.meets({ from: invokedNs, to: completedNs ?? invokedNs })) continue;
    if (isReadAttempt(attempt)) reads++;
    else writes++;
  }
  figures.add("reads_during_faults", reads, "reads answered while something was wrong");
  figures.add("writes_during_faults", writes, "writes answered while something was wrong");
  const views = new Set<bigint>();
  for (const { servedBy } of operations) if (servedBy?.view !== undefined) views.add(servedBy.view);
  for (const { view } of samples) if (view !== undefined) views.add(view);
  const changes = Math.max(0, views.size - 1);
  figures.add("view_changes", changes, "views that were seen, but for the first");
}

function isReadAttempt(attempt: Attempt): boolean {
  return "request" in attempt ? !isWrite(attempt.request) : attempt.f === "read";
}
