/** What a server does with every request but submit. */
import { unreachable } from "../../core/assert.ts";
import type { NodeApi, ReadRefusal, Rejection } from "../api.ts";
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
  switch (question.kind) {
    case "get_resource":
    case "get_reservation":
      return read(context, asker, requestId, question);
    case "get_metrics":
      return asker.reply(requestId, (out) => {
        writeMetricsReply(out, requestId, context.node.metrics(question.currentSlot));
      });
    case "tick_expirations":
      return tick(context, asker, requestId, question.currentSlot);
    case "checkpoint":
      return checkpoint(context, asker, requestId);
    case "status":
      return asker.reply(requestId, (out) => writeStatusReply(out, requestId, context.status()));
    default:
      return unreachable(question);
  }
}

type ReadQuestion = Extract<Question, { readonly kind: "get_resource" | "get_reservation" }>;

/** Reads when the node may: authority is confirmed for the turn in which `done` runs, and not a turn longer. */
function read(
  { node }: ServerContext,
  asker: Asker,
  requestId: bigint,
  question: ReadQuestion,
): void {
  asker.began();
  node.confirmAuthority((refusal) => {
    asker.reply(requestId, (out) => writeRead(node, out, requestId, question, refusal));
    asker.answered(1);
  });
}

function writeRead(
  node: NodeApi,
  out: WireWriter,
  requestId: bigint,
  question: ReadQuestion,
  refusal: ReadRefusal | undefined,
): void {
  const { requiredLsn } = question;
  if (question.kind === "get_resource") {
    const found = refusal ?? node.getResource(question.resourceId, requiredLsn);
    return writeResourceReply(out, requestId, found);
  }
  const { reservationId, currentSlot } = question;
  const found = refusal ?? node.getReservation(reservationId, requiredLsn, currentSlot);
  writeReservationReply(out, requestId, found);
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
