/** What a node, or the way to it, answered instead of the result: as an error of the contract. */
import { unreachable } from "../../core/assert.ts";
import type { NotPrimary, ReadRefusal, Rejection } from "../api.ts";
import type { NotSent, TransportError, TransportErrorCode } from "../client/types.ts";
import { CliError } from "../errors.ts";
import type { ErrorCode } from "../error_catalogue.ts";

/** A refusal before anything happened. */
type DefiniteRejection = Extract<Rejection, { readonly category: "definite" }>;

/**
 * A call that got no answer. Only for calls that change nothing, or that were not sent.
 *
 * @param error What the client threw.
 * @param phase Whether a connection had been made.
 */
export function transportFailure(error: TransportError, phase: "connecting" | "asked"): CliError {
  return new CliError(transportErrorCode(error.code, phase), error.message, {
    context: { reason: error.code },
    cause: error,
  });
}

function transportErrorCode(code: TransportErrorCode, phase: "connecting" | "asked"): ErrorCode {
  switch (code) {
    case "unreachable":
      return "E_UNREACHABLE";
    case "no_primary":
      return "E_NOT_PRIMARY";
    case "connection_lost":
    case "timeout":
    case "closed":
      return phase === "connecting" ? "E_UNREACHABLE" : "E_NO_ANSWER";
    case "wrong_cluster":
      return "E_WRONG_CLUSTER";
    case "unauthenticated":
      return "E_UNAUTHENTICATED";
    case "forbidden":
      return "E_FORBIDDEN";
    case "wrong_version":
    case "protocol_error":
      return "E_PROTOCOL";
    case "refused":
      return "E_REFUSED";
    default:
      return unreachable(code);
  }
}

/** A command that certainly did not happen. */
export function rejectionFailure(rejection: DefiniteRejection | NotSent): CliError {
  switch (rejection.code) {
    case "not_sent":
      return new CliError(transportErrorCode(rejection.reason, "connecting"), rejection.message, {
        context: { reason: rejection.reason },
      });
    case "invalid_request":
      return new CliError("E_INVALID_REQUEST", `the node could not read it: ${rejection.reason}`);
    case "command_too_large":
      return tooLarge(rejection.encodedLen, rejection.maxCommandBytes);
    case "lsn_exhausted":
      return new CliError("E_LSN_EXHAUSTED", "the log has used its last position", {
        context: { last_applied_lsn: rejection.lastAppliedLsn },
      });
    case "overloaded":
      return overloaded(rejection.queueDepth, rejection.queueCapacity);
    case "shutting_down":
      return new CliError("E_SHUTTING_DOWN", "the node is stopping and takes nothing new");
    case "not_primary":
      return notPrimary(rejection);
    case "slot_overflow":
    case "slot_rewound":
    case "slot_too_far":
      return slotFailure(rejection);
    default:
      return unreachable(rejection);
  }
}

function tooLarge(bytes: number, bytesMax: number): CliError {
  return new CliError(
    "E_COMMAND_TOO_LARGE",
    `the command is ${bytes} bytes long, the node takes ${bytesMax}`,
    { context: { encoded_len: bytes, max_command_bytes: bytesMax } },
  );
}

function overloaded(depth: number, capacity: number): CliError {
  return new CliError("E_OVERLOADED", `the node's queue is full: ${depth} of ${capacity}`, {
    context: { queue_depth: depth, queue_capacity: capacity },
  });
}

type SlotRejection = Extract<
  DefiniteRejection,
  { readonly code: "slot_overflow" | "slot_rewound" | "slot_too_far" }
>;

function slotFailure(rejection: SlotRejection): CliError {
  const slot = rejection.requestSlot;
  switch (rejection.code) {
    case "slot_overflow":
      return new CliError(
        "E_SLOT_OVERFLOW",
        `slot ${slot} plus ${rejection.delta} leaves 64 bits`,
        {
          context: { request_slot: slot, delta: rejection.delta },
        },
      );
    case "slot_rewound":
      return new CliError(
        "E_SLOT_REWOUND",
        `slot ${slot} lies before ${rejection.lastRequestSlot}, the last applied one`,
        { context: { request_slot: slot, last_request_slot: rejection.lastRequestSlot } },
      );
    case "slot_too_far":
      return new CliError(
        "E_SLOT_TOO_FAR",
        `slot ${slot} lies beyond ${rejection.slotMax}, the furthest that is taken now`,
        { context: { request_slot: slot, slot_max: rejection.slotMax } },
      );
    default:
      return unreachable(rejection);
  }
}

/** A strict read that may not be answered with data. */
export function readFailure(refusal: ReadRefusal): CliError {
  switch (refusal.kind) {
    case "engine_halted":
      return new CliError("E_ENGINE_HALTED", "the node has stopped itself and answers no reads");
    case "not_primary":
      return notPrimary(refusal);
    case "fence_not_applied": {
      const { requiredLsn, lastAppliedLsn } = refusal;
      return new CliError(
        "E_FENCE_NOT_APPLIED",
        `the node has applied ${lastAppliedLsn ?? "nothing"}, not ${requiredLsn}`,
        { context: { required_lsn: requiredLsn, last_applied_lsn: lastAppliedLsn } },
      );
    }
    default:
      return unreachable(refusal);
  }
}

function notPrimary({ view, primary }: NotPrimary): CliError {
  const says = primary === undefined
    ? `no replica is primary in view ${view}`
    : `replica ${primary} is primary in view ${view}`;
  return new CliError("E_NOT_PRIMARY", `the replica is not primary: ${says}`, {
    context: { view, primary },
  });
}
