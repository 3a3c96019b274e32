/** Requests and answers in words, as docs/jepsen.md has them. Not escaped: whoever shows them does that. */
import type { Value } from "../../history/model.ts";
import type { HistoryAnswer, HistoryRequest } from "../../history/operation.ts";

/** What was asked for: `reserve resource 7 for holder 2, 500 slots`. */
export function requestWords(request: HistoryRequest): string {
  switch (request.kind) {
    case "create_resource":
      return `create resource ${request.resourceId}`;
    case "reserve":
      return `reserve resource ${request.resourceId} for holder ${request.holderId}, ${request.ttlSlots} slots`;
    case "reserve_bundle":
      return `reserve resources ${
        request.resourceIds.join(", ")
      } for holder ${request.holderId}, ${request.ttlSlots} slots`;
    case "confirm":
    case "release":
      return `${request.kind} reservation ${request.reservationId} as holder ${request.holderId}, epoch ${request.epoch}`;
    case "revoke":
    case "reclaim":
      return `${request.kind} reservation ${request.reservationId}`;
    case "get_resource":
      return `read resource ${request.resourceId}${fence(request.requiredLsn)}`;
    case "get_reservation":
      return `read reservation ${request.reservationId}${fence(request.requiredLsn)}`;
  }
}

function fence(lsn: bigint | undefined): string {
  return lsn === undefined || lsn === 0n ? "" : `, not older than lsn ${lsn}`;
}

/** What was answered: `ok at lsn 12: reservation 9, epoch 1, until slot 733`. */
export function answerWords(answer: HistoryAnswer): string {
  switch (answer.kind) {
    case "applied": {
      const at = answer.lsn === undefined ? "" : ` at lsn ${answer.lsn}`;
      const { reserved } = answer;
      return reserved === undefined
        ? `${answer.code}${at}`
        : `${answer.code}${at}: reservation ${reserved.reservationId}, epoch ${reserved.epoch}, until slot ${reserved.deadlineSlot}`;
    }
    case "not_found":
    case "retired":
      return answer.kind.replace("_", " ");
    case "resource": {
      const by = answer.reservationId === undefined
        ? ""
        : ` by reservation ${answer.reservationId}`;
      const version = answer.version === undefined ? "" : `, version ${answer.version}`;
      return `${answer.state}${by}${version}`;
    }
    case "reservation": {
      const parts: string[] = [answer.state];
      if (answer.holderId !== undefined) parts.push(`holder ${answer.holderId}`);
      if (answer.epoch !== undefined) parts.push(`epoch ${answer.epoch}`);
      if (answer.deadlineSlot !== undefined) parts.push(`until slot ${answer.deadlineSlot}`);
      return parts.join(", ");
    }
  }
}

/** A value of a model: `nil`, `3`, `"text"`, `[1 2]`. */
export function valueWords(value: Value): string {
  if (value === null) return "nil";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(valueWords).join(" ")}]`;
  return String(value);
}

/** What a model was asked for: `cas [1 2]`, `write 3 to "x"`. */
export function modelWords(f: string, key: Value | undefined, value: Value): string {
  const on = key === undefined ? "" : ` on ${valueWords(key)}`;
  return value === null ? `${f}${on}` : `${f} ${valueWords(value)}${on}`;
}
