/** Every request but hello and submit. Source: docs/wire.md#requests. */
import { unreachable } from "../../core/assert.ts";
import { MessageType } from "./messages.ts";
import type { WireReader } from "./reader.ts";
import type { WireWriter } from "./writer.ts";

/** What a client may ask, writes aside. Absent numbers are the server's to choose. */
export type Question =
  | {
    readonly kind: "get_resource";
    readonly resourceId: bigint;
    readonly requiredLsn: bigint | undefined;
  }
  | {
    readonly kind: "get_reservation";
    readonly reservationId: bigint;
    readonly requiredLsn: bigint | undefined;
    readonly currentSlot: bigint | undefined;
  }
  | { readonly kind: "get_metrics"; readonly currentSlot: bigint | undefined }
  | { readonly kind: "tick_expirations"; readonly currentSlot: bigint | undefined }
  | { readonly kind: "checkpoint" }
  | { readonly kind: "status" };

/** A question and the number its answer will carry. */
export interface Request {
  readonly requestId: bigint;
  readonly question: Question;
}

/** `[type, request_id, …]`: the question's fields follow in the order of its type. */
export function writeRequest(out: WireWriter, requestId: bigint, question: Question): void {
  const frame = out.beginFrame();
  const begin = (elements: number): void => {
    out.array(elements);
    out.small(MessageType[question.kind]);
    out.u64(requestId);
  };
  switch (question.kind) {
    case "get_resource":
      begin(4);
      out.id(question.resourceId);
      out.optionalU64(question.requiredLsn);
      break;
    case "get_reservation":
      begin(5);
      out.id(question.reservationId);
      out.optionalU64(question.requiredLsn);
      out.optionalU64(question.currentSlot);
      break;
    case "get_metrics":
    case "tick_expirations":
      begin(3);
      out.optionalU64(question.currentSlot);
      break;
    case "checkpoint":
    case "status":
      begin(2);
      break;
    default:
      unreachable(question);
  }
  out.endFrame(frame);
}

/** Reads a request; `undefined` when it is none of these. */
export function readRequest(reader: WireReader): Request | undefined {
  const elements = reader.arrayHead();
  const type = reader.small(23);
  const requestId = reader.u64();
  const question = readQuestion(reader, type, elements);
  if (question === undefined || !reader.finish()) return undefined;
  return { requestId, question };
}

function readQuestion(reader: WireReader, type: number, elements: number): Question | undefined {
  switch (type) {
    case MessageType.get_resource:
      reader.require(elements === 4);
      return {
        kind: "get_resource",
        resourceId: reader.id(),
        requiredLsn: reader.optionalU64(),
      };
    case MessageType.get_reservation:
      reader.require(elements === 5);
      return {
        kind: "get_reservation",
        reservationId: reader.id(),
        requiredLsn: reader.optionalU64(),
        currentSlot: reader.optionalU64(),
      };
    case MessageType.get_metrics:
      reader.require(elements === 3);
      return { kind: "get_metrics", currentSlot: reader.optionalU64() };
    case MessageType.tick_expirations:
      reader.require(elements === 3);
      return { kind: "tick_expirations", currentSlot: reader.optionalU64() };
    case MessageType.checkpoint:
      reader.require(elements === 2);
      return { kind: "checkpoint" };
    case MessageType.status:
      reader.require(elements === 2);
      return { kind: "status" };
    default:
      return undefined;
  }
}
