/** A run on one screen of a terminal, or in a mail: verdict, checks, what blocks, figures. Nothing in it moves a cursor. */
import type { Survey } from "./survey.ts";
import { cut, plain } from "./text/escape.ts";
import { counted, duration, grouped } from "./text/numbers.ts";
import {
  badgeOf,
  brokenOffSentence,
  CHECK_WORDS,
  foundBy,
  gateObjection,
  headerFacts,
  verdictSentence,
} from "./verdict_words.ts";

const BLOCKERS_MAX = 10;
const SENTENCE_MAX = 300;

/** Writes the summary. */
export function renderSummary(survey: Survey): string {
  const { input, violations } = survey;
  const { judgement, recording } = input;
  const found = judgement.checks.reduce((sum, check) => sum + foundBy(check), 0);
  const unlisted = found - Math.min(violations.length, BLOCKERS_MAX);
  const lines = [
    `${badgeOf(judgement).word}  ${input.title}`,
    headerFacts(survey).map(([name, fact]) => `${name} ${fact}`).join(" · "),
    "",
    verdictSentence(survey),
    ...[brokenOffSentence(survey), gateObjection(survey)].filter((said) => said !== undefined),
    ...recording.notes.map((note) => `note: ${note}`),
    "",
    ...checkLines(survey),
    ...violations.length === 0 ? [] : ["", "Violations:"],
    ...violations.slice(0, BLOCKERS_MAX).flatMap(({ number, violation: { line, sentence } }) => [
      `  ${number}. ${cut(sentence, SENTENCE_MAX)}`,
      `     ${cut(line, SENTENCE_MAX)}`,
    ]),
    ...unlisted > 0 ? [`  and ${grouped(unlisted)} more: report.json`] : [],
    ...(judgement.shortfalls ?? []).map(({ name, count, minimum }) =>
      `too little of ${name}: ${grouped(count)}, asked for ${grouped(minimum)}`
    ),
    "",
    ...figureLines(survey),
    ...input.reproduce === undefined ? [] : ["", `again: ${input.reproduce}`],
  ];
  return lines.map((line) => `${plain(line).trimEnd()}\n`).join("");
}

function checkLines({ input: { judgement: { checks } } }: Survey): string[] {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  return checks.flatMap(({ name, verdict, examined, unit, sentence, isReleaseBlocking }) => {
    const { sign, word } = CHECK_WORDS[verdict];
    const blocks = isReleaseBlocking ? "" : " (no blocker)";
    const line = `${sign} ${word.padEnd(12)}  ${name.padEnd(width)}  ${
      grouped(examined)
    } ${unit}${blocks}`;
    return verdict === "pass" ? [line] : [line, `      ${cut(sentence, SENTENCE_MAX)}`];
  });
}

function figureLines({ input: { judgement: { counts }, recording }, figures }: Survey): string[] {
  const lines = [
    `${counted(counts.operations, "operations")} in ${counted(counts.attempts, "attempts")}, ${
      grouped(counts.unanswered)
    } unanswered; ${counted(recording.faults.length, "faults")}`,
  ];
  if (figures !== undefined && figures.overall.length > 0) {
    const [median, high, higher, greatest] = figures.overall.map(duration);
    lines.push(
      `latency of what ended ok: 0.5 ${median}, 0.95 ${high}, 0.99 ${higher}, greatest ${greatest}`,
    );
  }
  const gap = figures?.gaps[0];
  if (gap !== undefined) {
    lines.push(
      `longest without an ok: ${duration(gap.toNs - gap.fromNs)} from ${duration(gap.fromNs)}`,
    );
  }
  return lines;
}
