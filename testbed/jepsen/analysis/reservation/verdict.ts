/** What the checker is asked and what it says. */
import type { HistoryOperation } from "../../history/operation.ts";
import type { TickOperation } from "../../history/recording.ts";
import type { ReservationCertificate } from "./certificate_words.ts";
import type { Folded } from "./logical.ts";

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
  /** Slots for which an answer is remembered; two executions of one operation are further apart. Unchecked when absent. */
  readonly retryWindowSlots?: bigint;
  /** `exact` (default). `class`: invalid state, stale epoch and retired are one refusal, told by whichever name. */
  readonly refusals?: "exact" | "class";
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
  /** What configurations may take at a time, as far as it can be told; default 512 MiB. */
  readonly configurationBytesMax?: number;
  /** How to search where no lsns tell: breadth first, depth first, or (default) in turns until one of them knows. */
  readonly algorithm?: Algorithm;
  /** Histories tried while shrinking a counterexample; 0 leaves it as it is. Default 400. */
  readonly shrinkRunsMax?: number;
  /** Whether to try the order of the lsns first (default); what it finds is verified and costs little. */
  readonly useWitness?: boolean;
  /** Asked now and then; true ends the check as if `stepsMax` were reached. Makes the verdict depend on it. */
  readonly isOverTime?: () => boolean;
  /** Told before each partition, and before a counterexample is made small: for a clock that begins anew each time. */
  readonly onPartition?: () => void;
  /**
   * `claimed` (default): lsns that are in no possible order are a finding. `binding`: they are a violation, for they come
   * from a system that promises that its operations happen in their order.
   */
  readonly lsns?: "claimed" | "binding";
  /** Whether the verdict is to carry what proves it; costs memory. */
  readonly certify?: boolean;
  /** What ticks said that they had ended; each hold is judged like a read of it. */
  readonly ticks?: readonly TickOperation[];
  readonly bounds?: ReservationBounds;
  /** What the history folds to by its bounds, where that is known. */
  readonly folded?: Folded;
  /** Resources that were there, available and unchanged, before the history began. */
  readonly initialResourceIds?: Iterable<bigint>;
}

/** A way to search. */
export type Algorithm = "auto" | "configurations" | "depth_first";

/** Why there is no verdict, for a partition that could not be decided. */
export interface Undecided {
  readonly limit: "steps" | "configurations" | "bytes" | "time";
  readonly resourceIds: readonly bigint[];
  /** Operations of the partition, and those of them that nobody got an answer of. */
  readonly operations: number;
  readonly unanswered: number;
  /** Answers that were explained before the limit was met, of all that the partition has. */
  readonly decided: number;
  readonly answers: number;
  /** Position of the answer at which the limit was met. */
  readonly at: number;
  /** How many operations of the partition waited for an answer at the same time, at most. */
  readonly widest: number;
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
  /** Partitions that are not decided. */
  readonly undecided: number;
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
  /** How the resources stood before `first` was answered, one line each, in one of the ways that were left. */
  readonly before: readonly string[];
}

/** What is noteworthy about a history that is not a verdict. */
export interface CheckFinding {
  readonly rule: "lsn/explains-answers";
  readonly sentence: string;
  readonly resourceIds: readonly bigint[];
}

/** The verdict. `unknown` is never a pass. */
export type ReservationVerdict = Decision & {
  readonly counts: CheckCounts;
  readonly findings: readonly CheckFinding[];
};

/** The verdict alone. */
export type Decision =
  | { readonly kind: "valid"; readonly certificate?: ReservationCertificate }
  | {
    readonly kind: "invalid";
    readonly violation: ReservationViolation;
    readonly certificate?: ReservationCertificate;
  }
  /** `undecided` is of the first partition that is not decided, absent when nothing was checked. */
  | { readonly kind: "unknown"; readonly reason: string; readonly undecided?: Undecided };
