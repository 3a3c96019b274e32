/** The node's log lines, whose wording operators grep for. Source: docs/operations.md#log-signatures. */

/** Where lines go. */
export interface NodeLog {
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}

/** A log that says nothing. */
export const SILENT_LOG: NodeLog = { info() {}, warn() {}, error() {} };

/** At what point of writing an entry the log failed. */
export type HaltPhase = "before_append" | "append" | "after_append_before_sync" | "sync";

/** `none` for what is absent, as in every text of this project. */
export function orNone(value: bigint | number | string | undefined): string {
  return value === undefined ? "none" : String(value);
}

/** A client command could not be made durable. */
export function haltedOnWalError(facts: {
  operationId: bigint;
  requestSlot: bigint;
  appliedLsn: bigint | undefined;
  phase: HaltPhase;
  error: string;
}): string {
  return "halting engine on WAL error, accepting_writes set to false: " +
    `operation_id=${facts.operationId} request_slot=${facts.requestSlot} ` +
    `applied_lsn=${orNone(facts.appliedLsn)} phase=${facts.phase} error=${facts.error}`;
}

/** An internal command could not be made durable. */
export function haltedOnInternalWalError(facts: {
  requestSlot: bigint;
  appliedLsn: bigint | undefined;
  phase: HaltPhase;
  error: string;
}): string {
  return "halting engine on internal WAL error, accepting_writes set to false: " +
    `request_slot=${facts.requestSlot} applied_lsn=${orNone(facts.appliedLsn)} ` +
    `phase=${facts.phase} error=${facts.error}`;
}

/** The last representable log position is taken. */
export function lsnExhausted(appliedLsn: bigint): string {
  return `engine exhausted lsn space, future writes disabled: applied_lsn=${appliedLsn}`;
}

/** An expiration tick was planned. */
export function tickPlanned(facts: {
  currentSlot: bigint;
  requestSlot: bigint;
  dueCandidates: number;
  maxPerTick: number;
  queueDepth: number;
}): string {
  return `planned direct expiration tick: current_slot=${facts.currentSlot} ` +
    `request_slot=${facts.requestSlot} due_candidates=${facts.dueCandidates} ` +
    `max_per_tick=${facts.maxPerTick} queue_depth=${facts.queueDepth}`;
}

/** One expiration was applied. */
export function expirationApplied(facts: {
  requestSlot: bigint;
  reservationId: bigint;
  deadlineSlot: bigint;
  appliedLsn: bigint;
  resultCode: string;
}): string {
  return `applied internal expiration command: request_slot=${facts.requestSlot} ` +
    `reservation_id=${facts.reservationId} deadline_slot=${facts.deadlineSlot} ` +
    `applied_lsn=${facts.appliedLsn} result_code=${facts.resultCode}`;
}

/** An expiration tick is done. */
export function tickCompleted(facts: {
  currentSlot: bigint;
  requestSlot: bigint;
  processedCount: number;
  lastAppliedLsn: bigint | undefined;
}): string {
  return `completed direct expiration tick: current_slot=${facts.currentSlot} ` +
    `request_slot=${facts.requestSlot} processed_count=${facts.processedCount} ` +
    `last_applied_lsn=${orNone(facts.lastAppliedLsn)}`;
}

/** The data was found whole and is served from now on. */
export function recoveryComplete(facts: {
  loadedSnapshot: boolean;
  loadedSnapshotLsn: bigint | undefined;
  replayedWalFrameCount: number;
  replayedWalLastLsn: bigint | undefined;
}): string {
  return `recovery complete: loaded_snapshot=${facts.loadedSnapshot} ` +
    `loaded_snapshot_lsn=${orNone(facts.loadedSnapshotLsn)} ` +
    `replayed_wal_frame_count=${facts.replayedWalFrameCount} ` +
    `replayed_wal_last_lsn=${orNone(facts.replayedWalLastLsn)}`;
}

/** Why start-up refused, under the prefixes that the runbook names. */
export const RECOVERY_FAILURES = {
  config: "recovery aborted due to invalid configuration",
  snapshot_file: "recovery failed while loading snapshot",
  snapshot: "recovery rejected semantically invalid snapshot",
  wal_file: "recovery failed while scanning wal",
  command_codec: "recovery rejected wal payload",
  replay: "recovery rejected wal replay ordering",
} as const;

/** One of the classes in {@linkcode RECOVERY_FAILURES}. */
export type RecoveryFailureClass = keyof typeof RECOVERY_FAILURES;

/** Start-up refused. */
export function recoveryFailed(
  failure: RecoveryFailureClass,
  paths: { snapshot: string; wal: string },
  error: string,
): string {
  const snapshot = `snapshot_path=${paths.snapshot}`;
  const wal = `wal_path=${paths.wal}`;
  const walFirst = failure === "wal_file" || failure === "command_codec" || failure === "replay";
  const where = walFirst ? `${wal} ${snapshot}` : `${snapshot} ${wal}`;
  return `${RECOVERY_FAILURES[failure]}: ${where} error=${error}`;
}
