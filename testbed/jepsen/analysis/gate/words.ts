/** Attempts in the words of the domain, for sentences about what is wrong with them. */
import type { HistoryOperation } from "../../history/operation.ts";
import type { TickOperation } from "../../history/recording.ts";
import type { Material } from "./material.ts";

/** Where an attempt stands: the number of its first event; of a history without invocations that of its line. */
export function placeOf(
  { hasTime }: Material,
  { invokedAt }: HistoryOperation | TickOperation,
): string {
  return hasTime ? `event ${invokedAt}` : `sequence ${sequenceOf(invokedAt)}`;
}

/** The `sequence` of a history without invocations, where each completion makes up its own. */
export function sequenceOf(invokedAt: number): number {
  return Math.floor(invokedAt / 2) + 1;
}

/** `release of reservation 9 by holder 2 with epoch 1 (event 41)`. */
export function attemptText(material: Material, attempt: HistoryOperation): string {
  return `\`${attempt.request.kind}\`${subjectText(attempt)} (${placeOf(material, attempt)})`;
}

function subjectText({ request }: HistoryOperation): string {
  const holder = "holderId" in request ? ` by holder ${request.holderId}` : "";
  const epoch = "epoch" in request ? ` with epoch ${request.epoch}` : "";
  if ("resourceIds" in request) return ` of resources ${request.resourceIds.join(", ")}${holder}`;
  if ("resourceId" in request) return ` of resource ${request.resourceId}${holder}`;
  return ` of reservation ${request.reservationId}${holder}${epoch}`;
}

/** What an attempt came to: `ok at lsn 5`, `available at version 3`, `not_found`. */
export function answerText({ outcome }: HistoryOperation): string {
  if (outcome.kind !== "ok") return outcome.reason ?? outcome.kind;
  const { answer } = outcome;
  switch (answer.kind) {
    case "applied": {
      const lsn = answer.lsn === undefined ? "" : ` at lsn ${answer.lsn}`;
      const made = answer.reserved && ` with reservation ${answer.reserved.reservationId}`;
      return `${answer.code}${lsn}${made ?? ""}`;
    }
    case "resource": {
      const by = answer.reservationId === undefined ? "" : ` by ${answer.reservationId}`;
      const version = answer.version === undefined ? "" : ` at version ${answer.version}`;
      return `${answer.state}${by}${version}`;
    }
    case "reservation":
      return answer.state;
    default:
      return answer.kind;
  }
}
