/** Attempts in the words of the domain, for sentences about what is wrong with them. */
import type { HistoryOperation } from "../../history/operation.ts";
import type { TickOperation } from "../../history/recording.ts";
import type { Material } from "./material.ts";

/** Where an attempt stands: the number of its first event; of a history without invocations that of its line. */
export function placeOf(material: Material, attempt: Placed): string {
  return `${material.hasTime ? "event" : "sequence"} ${numberOf(material, attempt)}`;
}

/** The number alone. */
export function numberOf({ hasTime }: Material, { invokedAt, completedAt }: Placed): number {
  // Each line made up a beginning of its own: two events.
  return hasTime ? invokedAt : Math.floor((completedAt ?? 0) / 2) + 1;
}

type Placed = Pick<HistoryOperation | TickOperation, "invokedAt" | "completedAt">;

/** `release of reservation 9 by holder 2 with epoch 1 (event 41)`. */
export function attemptText(material: Material, attempt: HistoryOperation): string {
  return `${askedText(attempt)} (${placeOf(material, attempt)})`;
}

/** The same without its place. */
export function askedText({ request }: Pick<HistoryOperation, "request">): string {
  return `\`${request.kind}\`${subjectText(request)}`;
}

function subjectText(request: HistoryOperation["request"]): string {
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
