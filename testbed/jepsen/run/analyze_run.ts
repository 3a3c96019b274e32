/** A finished recording to its verdict: read back from the disk, as anybody else would read it. */
import { gateReport, isGatePassed } from "../analysis/gate/report.ts";
import { judge, type JudgeOptions } from "../analysis/judge.ts";
import type { Judgement } from "../analysis/judgement.ts";
import { READ_DEFAULTS } from "../codec/format.ts";
import { readHistory } from "../codec/read.ts";
import { judgeEvidence } from "../evidence/check.ts";
import type { ClusterEvidence } from "../evidence/evidence.ts";
import type { Recording } from "../history/recording.ts";

/** How long judging may take unless told, in milliseconds. */
export const JUDGE_MS_MAX = 900_000;

/** What came of it. */
export interface AnalyzedRun {
  readonly recording: Recording;
  readonly judgement: Judgement;
  readonly isGatePassed: boolean;
  /** The release gate's report: text of `analysis.txt`. */
  readonly report: string;
  readonly blockers: number;
}

/**
 * Reads and judges a history.
 *
 * @param path The recording.
 * @param evidence What the cluster itself said, where it was asked.
 * @param minimum Figures of coverage to reach.
 * @throws {HistoryError} When it cannot be read.
 */
export async function analyzeRun(
  path: string,
  evidence: ClusterEvidence | undefined,
  minimum: Readonly<Record<string, number>>,
  msMax: number = JUDGE_MS_MAX,
): Promise<AnalyzedRun> {
  const recording = await readHistory(path, READ_DEFAULTS);
  const endMs = performance.now() + msMax;
  const judgement = judge(recording, {
    minimum,
    isOverTime: () => performance.now() > endMs,
    ...(evidence === undefined ? {} : judgedByLogs(recording, evidence)),
  });
  const lines = gateReport(judgement);
  return {
    recording,
    judgement,
    isGatePassed: isGatePassed(judgement),
    report: lines.map((line) => `${line}\n`).join(""),
    blockers: blockersOf(lines),
  };
}

/** What the logs say, and which operations in doubt they prove to have never happened. */
function judgedByLogs(
  recording: Recording,
  evidence: ClusterEvidence,
): Pick<JudgeOptions, "evidence" | "isAbsent"> {
  const { checks, isAbsent } = judgeEvidence(recording, evidence);
  return { evidence: checks, isAbsent };
}

function blockersOf(lines: readonly string[]): number {
  const line = lines.find((text) => text.startsWith("blockers=")) ?? "blockers=0";
  return Number(line.slice("blockers=".length));
}
