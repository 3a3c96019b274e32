/** How commands ended, as the client's face says it. */
import { createOutcome, OutcomeField, RESULT_NAMES, type ResultName } from "../../core/outcome.ts";
import { readU128, readU64 } from "../../core/words.ts";
import type { Rejection } from "../api.ts";
import { outcomeAt, type ResultColumns } from "../wire/results.ts";
import type {
  Committed,
  SubmitResult,
  TransportError,
  TransportErrorCode,
  Unknown,
} from "./types.ts";

/** What a result has to know of the write. */
export interface Attempted {
  readonly operationId: bigint;
  /** Whether an earlier attempt may have been taken. */
  readonly isInDoubt: boolean;
}

const scratch = createOutcome();

/** The committed result at a position of a reply. */
export function committedAt(
  columns: ResultColumns,
  index: number,
  operationId: bigint,
): Committed {
  outcomeAt(columns, index, scratch);
  const { words, hasReservation, fromRetryCache } = scratch;
  const code = RESULT_NAMES[scratch.code] as ResultName;
  return {
    kind: "committed",
    code,
    ok: code === "ok",
    appliedLsn: readU64(words, OutcomeField.appliedLsn),
    reservationId: hasReservation ? readU128(words, OutcomeField.reservationId) : undefined,
    epoch: hasReservation ? readU64(words, OutcomeField.epoch) : undefined,
    deadlineSlot: hasReservation ? readU64(words, OutcomeField.deadlineSlot) : undefined,
    fromRetryCache,
    operationId,
  };
}

/**
 * What the last rejection of a write comes to. A definite one speaks for its own attempt only: when an
 * earlier attempt is in doubt it settles the matter only if no attempt could ever have been taken.
 */
export function rejected(write: Attempted, rejection: Rejection): SubmitResult {
  const { operationId } = write;
  if (rejection.category === "indefinite") {
    return unknown(write, rejection.code, `the server answered ${rejection.code}`);
  }
  const isForever = rejection.code === "invalid_request" || rejection.code === "command_too_large";
  if (!write.isInDoubt || isForever) return { kind: "rejected", rejection, operationId };
  const message = `the server answered ${rejection.code}, but an earlier attempt is in doubt`;
  return unknown(write, rejection.code === "not_primary" ? "no_primary" : rejection.code, message);
}

/** Nobody knows. */
export function unknown(write: Attempted, reason: Unknown["reason"], message: string): Unknown {
  return { kind: "unknown", reason, message, operationId: write.operationId };
}

/** The server answered a request with an error instead of results. */
export function refused(write: Attempted, error: TransportError): SubmitResult {
  const isUntouched = error.code === "forbidden" && !write.isInDoubt;
  return (isUntouched ? notSent : unknown)(write, error.code, error.message);
}

/** No attempt got anywhere. */
export function notSent(
  write: Attempted,
  reason: TransportErrorCode,
  message: string,
): SubmitResult {
  const rejection = { category: "definite", code: "not_sent", reason, message } as const;
  return { kind: "rejected", rejection, operationId: write.operationId };
}

/** A command that no frame of this server could carry; it would have rejected it as well. */
export function tooLarge(
  operationId: bigint,
  encodedLen: number,
  maxCommandBytes: number,
): SubmitResult {
  const code = "command_too_large";
  const rejection = { category: "definite", code, encodedLen, maxCommandBytes } as const;
  return { kind: "rejected", rejection, operationId };
}
