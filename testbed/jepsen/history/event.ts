/**
 * A history as it is recorded: a header, then events in one total order. An operation is two events, its beginning and how it
 * ended; one without an end is one whose end nobody knows. Faults and what replicas said of themselves stand among them.
 */
import type { ModelAnswer, ModelName, ModelRequest } from "./model.ts";
import type { HistoryAnswer, HistoryRequest, OperationKey, ServedBy } from "./operation.ts";

/** What a history is about. */
export interface HistoryHeader {
  readonly model: "reservation" | ModelName;
  readonly runId?: string;
  readonly workload?: string;
  readonly nemesis?: string;
  readonly backend?: string;
  readonly seed?: number;
  /** Version line of the program under test. */
  readonly program?: string;
  /** Unix milliseconds at time 0. */
  readonly startedAtMillis?: number;
  readonly slotDurationMs?: number;
  /** How long faults had to go on, in seconds; absent for runs without. */
  readonly minimumFaultWindowSecs?: number;
  /** Whether the window was shortened by hand: such a run is no evidence for the release gate. */
  readonly isWindowOverridden?: boolean;
  readonly bounds?: HistoryBounds;
  /** Resources that were there and available before the first event. */
  readonly initialResourceIds?: readonly bigint[];
}

/** Bounds of the system that recorded it, as far as a judge needs them. */
export interface HistoryBounds {
  readonly maxBundleSize?: number;
  readonly maxTtlSlots?: bigint;
  readonly historyWindowSlots?: bigint;
  readonly retryWindowSlots?: bigint;
}

/** What may stand in a history. */
export type HistoryEvent = Invocation | Completion | FaultEvent | ReplicaSample;

/** What clients may ask for. */
export type RecordedRequest = HistoryRequest | TickRequest | ModelRequest;

/** Expirations that somebody asks for by hand. */
export interface TickRequest {
  readonly kind: "tick_expirations";
}

/** What clients may be told. */
export type RecordedAnswer = HistoryAnswer | TickedAnswer | ModelAnswer;

/** What a tick came to. */
export interface TickedAnswer {
  readonly kind: "ticked";
  readonly lsn?: bigint;
  /** Empty or absent where it was not said which. */
  readonly expired?: readonly ExpiredHold[];
}

/** One resource that a tick freed. */
export interface ExpiredHold {
  readonly resourceId: bigint;
  readonly holderId: bigint;
  readonly reservationId: bigint;
  readonly releasedLsn?: bigint;
}

/** Somebody begins to wait. A process waits for one thing at a time. */
export interface Invocation {
  readonly type: "invoke";
  readonly process: number;
  /** Monotonic, since the run began; never a reason for an order. `NaN`: not recorded. */
  readonly timeNs: number;
  /** Of a write of reservations. */
  readonly key?: OperationKey;
  readonly request: RecordedRequest;
  /** From 1; above that it is a retry. */
  readonly attempt?: number;
  /** Slot that the client asked for. */
  readonly slot?: bigint;
}

/** Somebody waits no more. After `info` the process is never seen again. */
export interface Completion {
  readonly type: "ok" | "fail" | "info";
  readonly process: number;
  readonly timeNs: number;
  /** With `ok`, and with a foreign `fail`. */
  readonly answer?: RecordedAnswer;
  /** Of `fail` and `info`. */
  readonly reason?: string;
  readonly servedBy?: ServedBy;
}

/** Something was broken or put right on purpose. */
export interface FaultEvent {
  readonly type: "fault";
  readonly timeNs: number;
  readonly phase: "start" | "stop";
  /** Of a nemesis: `kill`, `partition`, ...; the stop has the same. */
  readonly name: string;
  /** Which fault stops: that of the start with the same number. */
  readonly id: number;
  /** In words; the stop may say more. */
  readonly detail?: string;
  readonly replicaIds?: readonly number[];
}

/** What a replica said of itself, or that it said nothing. */
export interface ReplicaSample {
  readonly type: "replica";
  readonly timeNs: number;
  readonly replicaId: number;
  readonly state: string;
  readonly role?: string;
  readonly view?: bigint;
  readonly commitLsn?: bigint;
  readonly detail?: string;
}
