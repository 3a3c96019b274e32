/**
 * The checks that block a release, each by itself. They say less than linearizability does and say it in the words that
 * people look for; what only a search can find they do not see.
 */
import { CUT_OFF } from "../../history/recording.ts";
import type { OperationKey } from "../../history/operation.ts";
import type { CheckResult } from "../judgement.ts";
import { checkAllocations } from "./allocations.ts";
import { checkAmbiguity } from "./ambiguity.ts";
import { checkDuplicates } from "./duplicates.ts";
import { checkExpirations } from "./expirations.ts";
import type { Material } from "./material.ts";
import { checkOperationIds } from "./operation_ids.ts";
import { checkSplitBrain } from "./split_brain.ts";
import { checkStaleHolders } from "./stale_holders.ts";
import { checkStaleReads } from "./stale_reads.ts";

/** What the checks may assume. */
export interface GateOptions {
  /** Whether what stays in doubt is a violation; default: of runs of the harness that ended, and of histories without invocations. */
  readonly mustResolve?: boolean | undefined;
  /** Whether an operation in doubt is known never to have happened; default: of none. */
  readonly isAbsent?: ((key: OperationKey) => boolean) | undefined;
}

/** Runs all of them on a history of reservations, in the order in which reports list them. */
export function checkGate(material: Material, options: GateOptions): readonly CheckResult[] {
  const { header, hasInvocations, notes } = material.recording;
  // Whoever is broken off asks nobody any more.
  const isOurs = header.runId !== undefined && !notes.includes(CUT_OFF);
  const {
    mustResolve = isOurs || !hasInvocations,
    isAbsent = () => false,
  } = options;
  return [
    checkOperationIds(material),
    checkDuplicates(material),
    checkStaleReads(material),
    checkStaleHolders(material),
    checkAmbiguity(material, { mustResolve, isAbsent }),
    checkAllocations(material),
    checkExpirations(material),
    checkSplitBrain(material),
  ];
}
