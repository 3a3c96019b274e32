/** What the checker is asked and what it says. */
import type { HistoryOperation } from "../../history/operation.ts";

/**
 * Bounds that the whole shard shares, which one partition cannot see being met. What may happen is allowed wherever the
 * rest of the answer fits; whatever is not known here is never a reason to call a history invalid.
 */
export interface ReservationBounds {
  /** `may_fill` (default): a full table may refuse what would have succeeded. `roomy`: it never does. */
  readonly tables?: "may_fill" | "roomy";
  /** `may_retire` (default): the record of an ended reservation may be gone. `kept`: it never is. */
  readonly history?: "may_retire" | "kept";
  /** `kept` (default): a retry finds the first answer for ever. `may_be_forgotten`: a late one may execute again. */
  readonly answers?: "kept" | "may_be_forgotten";
  /** `lsn` (default): the low 64 bits of a reservation id are the lsn of its reserve. `opaque`: they say nothing. */
  readonly reservationIds?: "lsn" | "opaque";
  /** Ids in a bundle at most; unchecked when absent. */
  readonly maxBundleSize?: number;
  /** Longest time to live, in slots; unchecked when absent. */
  readonly maxTtlSlots?: bigint;
  /** How long an ended reservation is kept, in slots; shows when an expired one ended. Unchecked when absent. */
  readonly historyWindowSlots?: bigint;
}

/** How far the checker may go, and what it may assume. */
export interface CheckOptions {
  /** Steps of the search in all partitions and phases together, shrinking apart. One is well below a microsecond. */
  readonly stepsMax: number;
  /** Configurations remembered at a time; default 200,000. */
  readonly configurationsMax?: number;
  /** Histories tried while shrinking a counterexample; 0 leaves it as it is. Default 400. */
  readonly shrinkRunsMax?: number;
  /** Whether to try the order of the lsns first (default); what it finds is verified and costs little. */
  readonly useWitness?: boolean;
  /** Asked now and then; true ends the check as if `stepsMax` were reached. Makes the verdict depend on it. */
  readonly isOverTime?: () => boolean;
  readonly bounds?: ReservationBounds;
  /** Resources that were there, available and unchanged, before the history began. */
  readonly initialResourceIds?: Iterable<bigint>;
}

/** What was looked at. */
export interface CheckCounts {
  readonly attempts: number;
  /** Operations with an answer: their attempts count once. */
  readonly operations: number;
  /** Operations that nobody got an answer of. */
  readonly unanswered: number;
  readonly partitions: number;
  /** Partitions for which the order of the lsns is a proof. */
  readonly witnessed: number;
  /** Partitions that were searched without it. */
  readonly searched: number;
  readonly steps: number;
}

/** Why a history is not linearizable. */
export interface ReservationViolation {
  /** The rule that is broken, in the form `area/claim`; `linearizable` when only the search could tell. */
  readonly rule: string;
  /** One sentence for people. */
  readonly sentence: string;
  /** Resources of the partition. */
  readonly resourceIds: readonly bigint[];
  /** The attempt with whose answer the history came to be inexplicable: without it and all later ones it is not. */
  readonly first: HistoryOperation;
  /** Attempts that cannot be explained together, in order of their beginning. */
  readonly counterexample: readonly HistoryOperation[];
  /** Whether weakening any one of them (it may have happened, as answered, or not) explains the others. */
  readonly isMinimal: boolean;
}

/** What is noteworthy about a history that is not a verdict. */
export interface CheckFinding {
  readonly rule: "lsn/explains-answers";
  readonly sentence: string;
  readonly resourceIds: readonly bigint[];
}

/** The verdict. `unknown` is never a pass. */
export type ReservationVerdict =
  & { readonly counts: CheckCounts; readonly findings: readonly CheckFinding[] }
  & (
    | { readonly kind: "valid" }
    | { readonly kind: "invalid"; readonly violation: ReservationViolation }
    | { readonly kind: "unknown"; readonly reason: string }
  );
