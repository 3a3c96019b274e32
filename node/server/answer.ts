/** What a server does with every request but submit. */
import { unreachable } from "../../core/assert.ts";
import type { Rejection } from "../api.ts";
import type { ServerContext } from "./context.ts";
import { writeError } from "../wire/hello.ts";
import { writeMetricsReply } from "../wire/metrics.ts";
import {
  writeCheckpointReply,
  writeReservationReply,
  writeResourceReply,
  writeTickReply,
} from "../wire/replies.ts";
import type { Question, Request } from "../wire/requests.ts";
import { writeStatusReply } from "../wire/status.ts";
import type { WireWriter } from "../wire/writer.ts";

/** What a server answers to writes while it stops. */
export const SHUTTING_DOWN: Rejection = { category: "definite", code: "shutting_down" };

/** Who asked. */
export interface Asker {
  /** Sends the one frame that `write` writes, if the client still listens. */
  reply(requestId: bigint, write: (out: WireWriter) => void): void;
  /** A request goes to the node and its answer comes later. */
  began(): void;
  /** The answer to such a request is out. */
  answered(count: number): void;
}

/**
 * Answers a request, now or when the node has.
 *
 * @param context The server's.
 * @param asker Who asked.
 * @param request What.
 */
export function answer(context: ServerContext, asker: Asker, request: Request): void {
  const { requestId, question } = request;
  if (question.kind === "tick_expirations") {
    return tick(context, asker, requestId, question.currentSlot);
  }
  if (question.kind === "checkpoint") return checkpoint(context, asker, requestId);
  asker.reply(requestId, (out) => writeAnswer(context, out, requestId, question));
}

function writeAnswer(
  context: ServerContext,
  out: WireWriter,
  requestId: bigint,
  question: Exclude<Question, { kind: "tick_expirations" | "checkpoint" }>,
): void {
  const { node } = context;
  switch (question.kind) {
    case "get_resource": {
      const { resourceId, requiredLsn } = question;
      return writeResourceReply(out, requestId, node.getResource(resourceId, requiredLsn));
    }
    case "get_reservation": {
      const { reservationId, requiredLsn, currentSlot } = question;
      const read = node.getReservation(reservationId, requiredLsn, currentSlot);
      return writeReservationReply(out, requestId, read);
    }
    case "get_metrics":
      return writeMetricsReply(out, requestId, node.metrics(question.currentSlot));
    case "status":
      return writeStatusReply(out, requestId, context.status());
    default:
      return unreachable(question);
  }
}

function tick(
  context: ServerContext,
  asker: Asker,
  requestId: bigint,
  currentSlot: bigint | undefined,
): void {
  if (context.isDraining) {
    const reply = { kind: "rejected", rejection: SHUTTING_DOWN } as const;
    return asker.reply(requestId, (out) => writeTickReply(out, requestId, reply));
  }
  asker.began();
  context.node.tickExpirations(currentSlot, (reply) => {
    asker.reply(requestId, (out) => writeTickReply(out, requestId, reply));
    asker.answered(1);
  });
}

function checkpoint(context: ServerContext, asker: Asker, requestId: bigint): void {
  if (context.isDraining) {
    return asker.reply(requestId, (out) => {
      writeError(out, requestId, "shutting_down", "the server is stopping");
    });
  }
  asker.began();
  context.node.checkpoint((result) => {
    asker.reply(requestId, (out) => writeCheckpointReply(out, requestId, result));
    asker.answered(1);
  });
}
