/** A history that has been read: its events paired into attempts, and what was said of the cluster beside them. */
import type { ExpiredHold, HistoryHeader, ReplicaSample } from "./event.ts";
import type { ModelOperation } from "./model.ts";
import type { HistoryOperation, OperationKey } from "./operation.ts";

/** A note: the recording stopped before whoever recorded it was through. */
export const CUT_OFF = "has no end mark: it may go on, or have been cut off";

/** See the top of this file. */
export interface Recording {
  readonly header: HistoryHeader;
  /** Of a history of reservations; empty for other models. In order of their beginning. */
  readonly operations: readonly HistoryOperation[];
  /** Of a history of another model. In order of their beginning. */
  readonly modelOperations: readonly ModelOperation[];
  readonly ticks: readonly TickOperation[];
  readonly faults: readonly FaultSpan[];
  readonly samples: readonly ReplicaSample[];
  /** Names of processes that have one, by their number. */
  readonly processNames: ReadonlyMap<number, string>;
  /** Invocations and completions. */
  readonly events: number;
  readonly skippedLines: number;
  /** What a reader should know before believing anything: `recorded without invocations`, `nothing in it`, ... */
  readonly notes: readonly string[];
  /** False for completion-only formats: what real time says cannot be checked then. */
  readonly hasInvocations: boolean;
  /** Time of the last event. */
  readonly endNs: number;
}

/** One attempt to have expirations sequenced. */
export interface TickOperation {
  readonly process: number;
  readonly key?: OperationKey;
  readonly slot?: bigint;
  readonly invokedAt: number;
  readonly completedAt: number | undefined;
  readonly kind: "ok" | "fail" | "info";
  readonly reason?: string;
  readonly lsn?: bigint;
  readonly expired?: readonly ExpiredHold[];
}

/** From a fault's start to its stop. */
export interface FaultSpan {
  readonly name: string;
  readonly detail: string;
  readonly replicaIds: readonly number[];
  readonly startNs: number;
  /** Undefined when it was never put right. */
  readonly stopNs: number | undefined;
}
