/** The file of `--counterexample`: a history that is still invalid, with as little in it as could be found. */
import type { JudgeOptions } from "../analysis/judge.ts";
import { judge } from "../analysis/judge.ts";
import type { Judgement, Violation } from "../analysis/judgement.ts";
import { formatNamed } from "../codec/formats.ts";
import { RecordingSink } from "../codec/recording_sink.ts";
import type { HistoryEvent, HistoryHeader } from "../history/event.ts";
import type { ModelOperation } from "../history/model.ts";
import type { HistoryOperation } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import { eventsOf, prefixOf } from "../history/unpairing.ts";

/** Plenty for what has been found once. */
const STEPS_MAX = 50_000_000;

/**
 * The smallest history that a judge still refuses: the operations of a violation alone, or, where what is left out matters,
 * all up to the answer at which it shows.
 *
 * @returns Our own text, or nothing when nothing was violated.
 */
export function counterexampleText(
  recording: Recording,
  judgement: Judgement,
  options: JudgeOptions,
): string | undefined {
  const violation = judgement.checks.flatMap(({ violations }) => violations)[0];
  if (violation === undefined) return undefined;
  const small = eventsOf([...violation.operations, ...violation.modelOperations]);
  const isEnough = judge(recordingOf(recording.header, small), {
    ...options,
    stepsMax: STEPS_MAX,
    shrinkRunsMax: 0,
  }).verdict === "invalid";
  const events = isEnough ? small : eventsOf(upTo(recording, violation));
  return textOf(recording.header, events);
}

function upTo(
  { operations, modelOperations }: Recording,
  { first }: Violation,
): readonly (HistoryOperation | ModelOperation)[] {
  const position = first?.completedAt ?? Infinity;
  return [...prefixOf(operations, position), ...prefixOf(modelOperations, position)];
}

function recordingOf(header: HistoryHeader, events: readonly HistoryEvent[]): Recording {
  const sink = new RecordingSink(0);
  sink.header(header);
  events.forEach((event, line) => sink.event(event, { line }));
  return sink.finish();
}

function textOf(header: HistoryHeader, events: readonly HistoryEvent[]): string {
  const writer = formatNamed("text").write!();
  writer.header(header);
  events.forEach((event, line) => writer.event(event, { line }));
  writer.end();
  return new TextDecoder().decode(writer.take());
}
