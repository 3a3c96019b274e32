/** The release gate's own report, line by line, as programs read it. */
import type { CheckResult, Judgement } from "../judgement.ts";

/**
 * Whether a history is evidence that may be released: it is valid, no release-blocking check had something to look at
 * that it could not decide, and all was seen that had to be.
 */
export function isGatePassed({ verdict, checks, shortfalls = [] }: Judgement): boolean {
  return verdict === "valid" && shortfalls.length === 0 && !checks.some(isOpen);
}

/** `release_gate=…`, `logical_commands=…`, `blockers=…`, a line for each blocker, and what is open or missing. */
export function gateReport(judgement: Judgement): readonly string[] {
  const { checks, counts, shortfalls = [] } = judgement;
  const failed = checks.filter(({ isReleaseBlocking, verdict }) =>
    isReleaseBlocking && verdict === "fail"
  );
  const blockers = failed.reduce(
    (sum, { violations, found }) => sum + (found ?? violations.length),
    0,
  );
  return [
    `release_gate=${isGatePassed(judgement) ? "passed" : "blocked"}`,
    `logical_commands=${counts.logicalCommands ?? counts.operations}`,
    `blockers=${blockers}`,
    ...failed.flatMap(({ violations }) => violations.map(({ line }) => line)),
    ...checks.filter(isOpen).map(({ name, examined }) =>
      `inconclusive=${name} examined=${examined}`
    ),
    ...shortfalls.map(({ name, count, minimum }) =>
      `shortfall=${name} count=${count} minimum=${minimum}`
    ),
  ];
}

/** A check that had nothing to look at is not open, unless it is one that decides. */
function isOpen({ verdict, isReleaseBlocking, isDecisive, examined }: CheckResult): boolean {
  return isReleaseBlocking && verdict === "inconclusive" && (isDecisive === true || examined > 0);
}
