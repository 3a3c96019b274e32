/** One history from a file to its verdict. */
import type { HistoryReading, JepsenAnalyze } from "../../../node/cli/jepsen_options.ts";
import { CliError } from "../../../node/errors.ts";
import { gateReport } from "../analysis/gate/report.ts";
import { judge, type JudgeOptions } from "../analysis/judge.ts";
import { isProvable, prove } from "../analysis/prove.ts";
import type { Judgement } from "../analysis/judgement.ts";
import { readHistory } from "../codec/read.ts";
import type { ReadOptions } from "../codec/format.ts";
import type { Value } from "../history/model.ts";
import type { Recording } from "../history/recording.ts";
import { counterexampleText } from "./counterexample.ts";
import { explanationOf } from "./explanation.ts";
import { writeWhole } from "./files.ts";
import { certificateText } from "./proof.ts";
import { writeReport } from "./report.ts";

/** What is known of one history in the end. */
export interface Analyzed {
  readonly recording: Recording;
  readonly judgement: Judgement;
  /** Of the whole, reading included. */
  readonly seconds: number;
  /** The release gate's report. */
  readonly gateReport: readonly string[];
  /** What `--explain` asked for. */
  readonly explanation: readonly string[];
}

/** What one configuration of another model takes, in bytes, about: two searches keep as many each. */
const CONFIGURATION_BYTES = 128;

/**
 * Reads and judges one file, and writes what was asked for.
 *
 * @param minimum Coverage figures to reach.
 * @throws {HistoryError} When it cannot be read.
 * @throws {CliError} When something cannot be written.
 */
export async function analyzeFile(
  file: string,
  request: JepsenAnalyze,
  minimum: Readonly<Record<string, number>> | undefined,
): Promise<Analyzed> {
  const begin = performance.now();
  const recording = await readHistory(file, readOptionsOf(request));
  const options = judgeOptionsOf(request, minimum, begin + request.timeLimitMs);
  const judgement = judge(recording, options);
  const seconds = (performance.now() - begin) / 1_000;
  await writeWhatWasAsked(file, request, { recording, judgement, options });
  const { explain } = request;
  const explanation = explain === undefined ? [] : explanationOf(recording, explain, options);
  return { recording, judgement, seconds, gateReport: gateReport(judgement), explanation };
}

function judgeOptionsOf(
  request: JepsenAnalyze,
  minimum: Readonly<Record<string, number>> | undefined,
  endMs: number,
): JudgeOptions {
  const { failedOps, nilRead, algorithm, memoryLimitBytes } = request;
  return {
    ...{ failedOps, nilRead, algorithm, configurationBytesMax: memoryLimitBytes },
    configurationsMax: Math.ceil(memoryLimitBytes / CONFIGURATION_BYTES),
    ...request.init === undefined ? {} : { init: valueOf(request.init) },
    ...minimum === undefined ? {} : { minimum },
    ...request.refusals === "exact" ? {} : { bounds: { refusals: "class" } },
    isOverTime: () => performance.now() > endMs,
  };
}

async function writeWhatWasAsked(
  file: string,
  request: JepsenAnalyze,
  { recording, judgement, options }: {
    readonly recording: Recording;
    readonly judgement: Judgement;
    readonly options: JudgeOptions;
  },
): Promise<void> {
  const { counterexample, certificate, report } = request;
  if (certificate !== undefined) await writeCertificate(certificate, recording, options);
  if (counterexample !== undefined) {
    const text = counterexampleText(recording, judgement, options);
    if (text !== undefined) await writeWhole(counterexample, text);
  }
  if (report !== undefined) await writeReport(report, file, recording, judgement, request);
}

/**
 * Writes the proof.
 *
 * @throws {CliError} E_USAGE where there is none to be had, E_INCONCLUSIVE when the search came to no end.
 */
async function writeCertificate(
  path: string,
  recording: Recording,
  options: JudgeOptions,
): Promise<void> {
  if (!isProvable(recording)) {
    throw new CliError("E_USAGE", "there are certificates about histories of reservations only", {
      hint: "leave --certificate out; --counterexample goes with every model",
    });
  }
  const proof = prove(recording, options);
  if (proof === undefined) throw new CliError("E_INCONCLUSIVE", "what is undecided has no proof");
  await writeWhole(path, certificateText(proof));
}

/** How a file is read, from what was typed. */
export function readOptionsOf(
  { failedOps = "drop", nilRead = "value", format, model, keyed, maxSkipped }:
    & HistoryReading
    & Partial<Pick<JepsenAnalyze, "failedOps" | "nilRead">>,
): ReadOptions {
  return {
    ...{ failedOps, nilRead },
    ...format === undefined ? {} : { format },
    ...model === undefined ? {} : { model },
    ...keyed === undefined ? {} : { keyed },
    ...maxSkipped === undefined ? {} : { maxSkipped },
  };
}

/** A value as it is typed: `nil`, a whole number, or text. */
export function valueOf(text: string): Value {
  if (text === "nil" || text === "null") return null;
  return /^-?[0-9]+$/.test(text) ? BigInt(text) : text;
}
