/** What the checker of models is asked and what it says. */
import type { ModelName, ModelOperation, Value } from "../../history/model.ts";

/** How to search: depth first with a cache, all configurations side by side, or both in turns (default). */
export type Algorithm = "auto" | "wgl" | "configurations";

/** How far the checker may go, and how it reads what was recorded. */
export interface ModelOptions {
  readonly model: ModelName;
  /** What every object holds before the history begins; the model's own default when absent. */
  readonly init?: Value;
  /** `drop` (default): a failed operation says nothing. `check`: a failed cas without a reason must have met another value. */
  readonly failedOps?: "drop" | "check";
  /** `value` (default): a read of nil saw that nothing was there. `unknown`: nobody knows what it saw. */
  readonly nilRead?: "value" | "unknown";
  /** Steps in all partitions together, shrinking apart. One is about 100 ns. */
  readonly stepsMax: number;
  /** Configurations remembered at a time by each search; default 2,000,000, of about 50 bytes. */
  readonly configurationsMax?: number;
  /** Asked now and then; true ends the check as if `stepsMax` were reached. Makes the verdict depend on it. */
  readonly isOverTime?: () => boolean;
  readonly algorithm?: Algorithm;
  /** Whether keys of `kv` and `multi-register` are judged apart (default). It changes no verdict, only how long it takes. */
  readonly usePartitions?: boolean;
  /** Histories tried while shrinking a counterexample; 0 leaves it as it is. Default 1,000. */
  readonly shrinkRunsMax?: number;
}

/** Why a history is not linearizable. */
export interface ModelViolation {
  /** Its partition in words: `key "7"`, `keys 1, 2`; empty for a history without keys. */
  readonly partition: string;
  /** With its answer the history came to be inexplicable: without it and all later ones it is not. */
  readonly first: ModelOperation;
  /** States in which things may have stood before it, in words: the first eight, or one where not all can be found. */
  readonly before: readonly string[];
  /** One sentence for people. */
  readonly sentence: string;
  /** Operations that cannot be explained together, in order of their beginning; weakened ones have become `info`. */
  readonly counterexample: readonly ModelOperation[];
  /** Whether every one of them matters: see `shrink.ts`. */
  readonly isMinimal: boolean;
}

/** One group of objects that was judged by itself. */
export interface PartitionVerdict {
  /** See {@linkcode ModelViolation}. */
  readonly name: string;
  readonly kind: "valid" | "invalid" | "unknown";
  readonly operations: number;
  /** Mutations nobody got an answer of, and that could make a difference. */
  readonly unanswered: number;
  /** Operations open at one time, at most. */
  readonly widest: number;
  readonly steps: number;
  /** If unknown: which limit was met, and how far it came. */
  readonly reason?: string;
  /** Which search decided. */
  readonly decidedBy?: Exclude<Algorithm, "auto">;
  /** If valid: an order that explains every answer; operations that did not happen are missing. */
  readonly linearization?: readonly ModelOperation[];
}

/** The verdict. `unknown` is never a pass. */
export type ModelVerdict =
  & {
    readonly partitions: readonly PartitionVerdict[];
    readonly steps: number;
  }
  & (
    | { readonly kind: "valid" }
    | { readonly kind: "invalid"; readonly violation: ModelViolation }
    | { readonly kind: "unknown"; readonly reason: string }
  );

/** An operation that the model does not know, or with a value that it cannot mean. */
export class ModelError extends Error {
  readonly operation: ModelOperation;
  readonly found: string;
  readonly expected: string;

  constructor(operation: ModelOperation, found: string, expected: string) {
    super(`found ${found}, expected ${expected}`);
    this.name = "ModelError";
    this.operation = operation;
    this.found = found;
    this.expected = expected;
  }
}
