/** All checks on what a cluster's disks and processes say, each by itself. */
import type { CheckResult } from "../analysis/judgement.ts";
import type { OperationKey } from "../history/operation.ts";
import type { Recording } from "../history/recording.ts";
import { committedLogOf } from "./committed_log.ts";
import type { ClusterEvidence } from "./evidence.ts";
import { checkAgreement, checkMajority, checkPositions } from "./logs.ts";
import { checkDeadlines, checkRealTime } from "./order.ts";
import { checkReads } from "./reads.ts";
import { checkReplay, keyOf, type Replay, replayLog } from "./replay.ts";
import { checkStatesAgree, checkStatesFollow } from "./states.ts";
import { TimeBounds } from "./time_bounds.ts";
import {
  checkAcknowledged,
  checkAnswers,
  checkAsked,
  checkExecutions,
  checkRefused,
  keyedWrites,
} from "./writes.ts";

/** What evidence comes to. */
export interface JudgedEvidence {
  readonly checks: readonly CheckResult[];
  /** Whether an operation is in no log although all that was committed is known: it never happened. */
  readonly isAbsent: (key: OperationKey) => boolean;
}

/** Compares replicas with each other, and what clients were told with what the logs decide. Pure. */
export function checkEvidence(
  recording: Recording,
  evidence: ClusterEvidence,
): readonly CheckResult[] {
  return judgeEvidence(recording, evidence).checks;
}

/**
 * The same, and what it proves of operations in doubt.
 *
 * @param evidence Collected when all replicas were at rest and no client waited any more.
 */
export function judgeEvidence(recording: Recording, evidence: ClusterEvidence): JudgedEvidence {
  const log = committedLogOf(evidence);
  const replay = replayLog(evidence, log);
  const writes = keyedWrites(recording);
  const bounds = new TimeBounds(recording, writes, replay);
  const replayed = [
    checkAcknowledged(writes, replay),
    checkAnswers(writes, replay),
    checkRefused(writes, replay),
    checkAsked(writes, replay),
    checkExecutions(replay),
    checkRealTime(writes, replay, bounds),
    checkReads(recording, replay, bounds),
    checkDeadlines(replay),
  ];
  const checks = [
    checkAgreement(log),
    checkPositions(log),
    checkReplay(replay),
    checkMajority(evidence, log),
    checkStatesAgree(evidence),
    checkStatesFollow(evidence, replay),
    ...(replay.stopped === undefined ? replayed : replayed.map((check) => opened(check, replay))),
  ];
  const isWhole = replay.stopped === undefined && log.commitOp > 0;
  return { checks, isAbsent: (key) => isWhole && !replay.byKey.has(keyOf(key)) };
}

/** With a part of the log alone nothing is proved, neither that something is there nor that it is not. */
function opened(check: CheckResult, { stopped }: Replay): CheckResult {
  if (check.examined === 0) return check;
  const { name, isReleaseBlocking, examined, unit } = check;
  return {
    ...{ name, isReleaseBlocking, isDecisive: true, verdict: "inconclusive" },
    ...{ examined, unit, sentence: stopped!, violations: [] },
  };
}
