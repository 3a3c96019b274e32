/** All checks on what a cluster's disks and processes say, each by itself. */
import type { CheckResult } from "../analysis/judgement.ts";
import type { Recording } from "../history/recording.ts";
import type { ClusterEvidence } from "./evidence.ts";

/** Compares replicas with each other, and what clients were told with what the logs decide. Pure. */
export function checkEvidence(
  _recording: Recording,
  _evidence: ClusterEvidence,
): readonly CheckResult[] {
  return [];
}
