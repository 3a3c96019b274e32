/** Commands and answers as text, to tell whether two of them are the same. */
import type { HistoryOutcome, HistoryRequest } from "../../history/operation.ts";

/** Equal for equal commands: kind and every field. */
export function requestText(request: HistoryRequest): string {
  switch (request.kind) {
    case "create_resource":
    case "get_resource":
      return `${request.kind} ${request.resourceId}`;
    case "reserve":
      return `${request.kind} ${request.resourceId} ${request.holderId} ${request.ttlSlots}`;
    case "reserve_bundle":
      return `${request.kind} ${request.resourceIds} ${request.holderId} ${request.ttlSlots}`;
    case "confirm":
    case "release":
      return `${request.kind} ${request.reservationId} ${request.holderId} ${request.epoch}`;
    case "revoke":
    case "reclaim":
    case "get_reservation":
      return `${request.kind} ${request.reservationId}`;
  }
}

/** Equal for equal answers; empty where there is none. What was not recorded of one of them tells nothing. */
export function answerText(outcome: HistoryOutcome, showsLsn: boolean): string {
  if (outcome.kind !== "ok") return "";
  const { answer } = outcome;
  if (answer.kind !== "applied") return answer.kind;
  const { code, reserved } = answer;
  const lsn = showsLsn ? answer.lsn : "";
  if (reserved === undefined) return `${code} ${lsn}`;
  return `${code} ${lsn} ${reserved.reservationId} ${reserved.epoch} ${reserved.deadlineSlot}`;
}
