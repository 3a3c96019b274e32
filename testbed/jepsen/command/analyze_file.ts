/** One history from a file to its verdict, and everything that was asked to be written about it. */
import type { JepsenAnalyze } from "../../../node/cli/jepsen_options.ts";
import { judge } from "../analysis/judge.ts";
import type { Judgement } from "../analysis/judgement.ts";
import { readHistory } from "../codec/read.ts";
import type { Value } from "../history/model.ts";
import type { Recording } from "../history/recording.ts";

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
  /** Coverage figures that were not reached. */
  readonly missing: readonly string[];
}

/**
 * Reads and judges one file.
 *
 * @param minimum Coverage figures to reach.
 * @throws {HistoryError} When it cannot be read.
 */
export async function analyzeFile(
  file: string,
  request: JepsenAnalyze,
  minimum: Readonly<Record<string, number>> | undefined,
): Promise<Analyzed> {
  const begin = performance.now();
  const { failedOps, nilRead } = request;
  const recording = await readHistory(file, {
    ...{ failedOps, nilRead },
    ...request.format === undefined ? {} : { format: request.format },
    ...request.model === undefined ? {} : { model: request.model },
    ...request.maxSkipped === undefined ? {} : { maxSkipped: request.maxSkipped },
  });
  const endMs = begin + request.timeLimitMs;
  const judgement = judge(recording, {
    ...{ failedOps, nilRead, algorithm: request.algorithm },
    ...request.init === undefined ? {} : { init: valueOf(request.init) },
    ...minimum === undefined ? {} : { minimum },
    isOverTime: () => performance.now() > endMs,
  });
  const seconds = (performance.now() - begin) / 1_000;
  return { recording, judgement, seconds, gateReport: [], explanation: [], missing: [] };
}

/** A value as it is typed: `nil`, a whole number, or text. */
export function valueOf(text: string): Value {
  if (text === "nil" || text === "null") return null;
  return /^-?[0-9]+$/.test(text) ? BigInt(text) : text;
}
