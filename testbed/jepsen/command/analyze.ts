/** `jepsen analyze`: a line for each history, whatever is wrong with the others, and an exit by the worst of them. */
import { CliError } from "../../../node/errors.ts";
import type { CliIo } from "../../../node/cli/io.ts";
import type { JepsenAnalyze } from "../../../node/cli/jepsen_options.ts";
import { jsonText } from "../../../node/cli/output.ts";
import { printable } from "../../../node/cli/text.ts";
import type { Judgement } from "../analysis/judgement.ts";
import { HistoryError } from "../history/history_error.ts";
import { type Analyzed, analyzeFile } from "./analyze_file.ts";
import { readMinimum } from "./minimum.ts";

/** Violations of one check that are told; the report has them all. */
const TOLD_MAX = 5;

/** What became of one file. */
export type FileResult =
  | { readonly kind: "judged"; readonly file: string; readonly analyzed: Analyzed }
  | { readonly kind: "unreadable"; readonly file: string; readonly message: string };

/**
 * Judges files one after the other.
 *
 * @throws {CliError} E_CHECK_FAILED, E_BAD_HISTORY, E_INCONCLUSIVE or E_LOW_COVERAGE, the first of these that holds
 * for any of them.
 */
export async function runAnalyze(request: JepsenAnalyze, io: CliIo): Promise<void> {
  const minimum = request.minCoverage === undefined ? undefined : readMinimum(request.minCoverage);
  const results: FileResult[] = [];
  for (const file of request.files) {
    const result = await resultOf(file, request, minimum);
    results.push(result);
    if (!request.json) io.out.write(linesOf(result, request));
  }
  if (request.json) io.out.write(jsonText({ version: 1, files: results.map(jsonOf) }, 2));
  const failure = failureOf(results);
  if (failure !== undefined) throw failure;
}

async function resultOf(
  file: string,
  request: JepsenAnalyze,
  minimum: Readonly<Record<string, number>> | undefined,
): Promise<FileResult> {
  try {
    return { kind: "judged", file, analyzed: await analyzeFile(file, request, minimum) };
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    return { kind: "unreadable", file, message: error.message };
  }
}

/** The line of a file, and what there is to say below it. */
function linesOf(result: FileResult, { gate, stats }: JepsenAnalyze): string {
  const file = printable(result.file);
  if (result.kind === "unreadable") return `${file}\tunreadable\t${printable(result.message)}\n`;
  const { judgement, recording, seconds, gateReport, explanation } = result.analyzed;
  const { verdict, model, counts } = judgement;
  const line = [
    ...[file, verdict, model, counts.events, counts.operations, counts.partitions],
    stats ? seconds.toFixed(3) : "-",
  ].join("\t");
  const below = [
    ...recording.skippedLines === 0 ? [] : [`${recording.skippedLines} lines were skipped`],
    ...storyOf(judgement),
    ...shortfallsOf(judgement),
    ...judgement.findings,
    ...explanation,
  ];
  const gateLines = gate ? gateReport : [];
  return [line, ...below.map((text) => `  ${printable(text)}`), ...gateLines.map(printable)]
    .map((text) => `${text}\n`)
    .join("");
}

/** Why it is not valid. */
function storyOf({ verdict, checks }: Judgement): string[] {
  if (verdict === "valid") return [];
  const wanted = verdict === "invalid" ? "fail" : "inconclusive";
  return checks.filter((check) => check.verdict === wanted).flatMap(
    ({ name, sentence, violations, found = violations.length }) => {
      const told = violations.slice(0, TOLD_MAX).map(({ sentence }) => `${name}: ${sentence}`);
      const untold = found > TOLD_MAX ? [`${name}: and ${found - TOLD_MAX} more`] : [];
      return told.length === 0 ? [`${name}: ${sentence}`] : [...told, ...untold];
    },
  );
}

function shortfallsOf({ shortfalls = [], coverage }: Judgement): string[] {
  const known = new Set(coverage.map(({ name }) => name));
  return shortfalls.map(({ name, count, minimum }) =>
    known.has(name)
      ? `${name} is ${count}, below ${minimum}`
      : `${name} is no figure of this history, which has ${[...known].join(", ")}`
  );
}

function jsonOf(result: FileResult): unknown {
  if (result.kind === "unreadable") {
    return { file: result.file, verdict: "unreadable", message: result.message };
  }
  const { judgement, recording, explanation } = result.analyzed;
  const { verdict, model, counts, checks, coverage, findings, shortfalls = [] } = judgement;
  return {
    ...{ file: result.file, verdict, model, counts },
    checks: checks.map(({ violations, ...check }) => ({
      ...check,
      violations: violations.map(({ line, sentence, isMinimal, before }) => {
        return { line, sentence, isMinimal, before };
      }),
    })),
    coverage: Object.fromEntries(coverage.map(({ name, count }) => [name, count])),
    ...{ findings, shortfalls, explanation, skippedLines: recording.skippedLines },
  };
}

/** Invalid, unreadable, unknown, too little: the first that there is. Unknown never hides invalid. */
function failureOf(results: readonly FileResult[]): CliError | undefined {
  const judged = results.flatMap((result) => result.kind === "judged" ? [result.analyzed] : []);
  const count = (verdict: string): number =>
    judged.filter(({ judgement }) => judgement.verdict === verdict).length;
  const unreadable = results.filter(({ kind }) => kind === "unreadable");
  if (count("invalid") > 0) {
    return new CliError("E_CHECK_FAILED", `${histories(count("invalid"))} invalid`);
  }
  if (unreadable.length > 0) {
    const [first] = unreadable as [Extract<FileResult, { readonly kind: "unreadable" }>];
    const message = unreadable.length === 1
      ? first.message
      : `${unreadable.length} histories cannot be read; the first: ${first.message}`;
    return new CliError("E_BAD_HISTORY", message);
  }
  if (count("unknown") > 0) {
    return new CliError("E_INCONCLUSIVE", `${histories(count("unknown"))} undecided`);
  }
  const poor = judged.filter(({ judgement }) => (judgement.shortfalls ?? []).length > 0).length;
  if (poor === 0) return undefined;
  return new CliError(
    "E_LOW_COVERAGE",
    `${histories(poor)} less covering than --min-coverage asks`,
  );
}

function histories(count: number): string {
  return count === 1 ? "1 history is" : `${count} histories are`;
}
