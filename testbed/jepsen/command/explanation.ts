/** What `--explain` asked for: what must come before or after one operation. */
import { CliError } from "../../../node/errors.ts";
import { checkOptionsOf, type JudgeOptions } from "../analysis/judge.ts";
import { isProvable } from "../analysis/prove.ts";
import { describeRequest } from "../analysis/reservation/explain.ts";
import { explainPlace } from "../analysis/reservation/explain_order.ts";
import type { Recording } from "../history/recording.ts";

/** Of each pair that is compared. */
const STEPS_MAX = 2_000_000;

/**
 * Explains an operation's place in words.
 *
 * @param position Of the event with which it began.
 * @throws {CliError} E_USAGE when there is no such operation, or none whose place can be explained.
 */
export function explanationOf(
  recording: Recording,
  position: number,
  options: JudgeOptions,
): readonly string[] {
  if (!isProvable(recording)) throw cannot("only operations on reservations can be explained");
  const { operations } = recording;
  const attempt = operations.find(({ invokedAt }) => invokedAt === position);
  if (attempt === undefined) throw cannot(`no operation began at event ${position}`);
  const told = explainPlace(operations, attempt, {
    ...checkOptionsOf(recording, options),
    stepsMax: STEPS_MAX,
  });
  if (told === undefined) throw cannot(`the operation of event ${position} was not answered`);
  const { resourceIds, relations, earlier, later } = told;
  return [
    `${describeRequest(attempt.request)} by process ${attempt.process}, on resources ${
      resourceIds.join(", ")
    }:`,
    `${earlier} operations had been answered before it began, ${later} began after its answer`,
    ...relations.map(({ sentence }) => sentence),
  ];
}

function cannot(message: string): CliError {
  return new CliError("E_USAGE", message, {
    hint: "give the position of an invocation, as reports name it: events count from 0",
  });
}
