/** What a read of a runbook history saw. */
import { quoted } from "../../history/history_error.ts";
import type { ReadAnswer } from "../../history/operation.ts";
import { U128_MAX, U64_MAX } from "../own/fields.ts";
import { RESERVATION_STATES, RESOURCE_STATES } from "../own/read_event.ts";
import type { Tokens } from "./tokens.ts";

/**
 * Reads `resource_state` or `reservation_state`.
 *
 * @param revoked Reservations of which `confirmed` may also be revoking.
 * @returns Undefined when it cannot be said which it is.
 */
export function readSeen(
  tokens: Tokens,
  target: "resource" | "reservation",
  revoked: ReadonlySet<bigint>,
): ReadAnswer | undefined {
  const text = tokens.text(`${target}_state`);
  const parts = text.split(":");
  const seen = target === "resource"
    ? readResource(tokens, parts, revoked)
    : readReservation(tokens, parts, revoked);
  if (seen === "malformed") {
    throw tokens.error(`${target}_state ${quoted(text)}`, "a state with its ids");
  }
  return seen;
}

type Seen = ReadAnswer | undefined | "malformed";

function readResource(
  tokens: Tokens,
  parts: readonly string[],
  revoked: ReadonlySet<bigint>,
): Seen {
  const [state, holder, reservation] = parts;
  const version = tokens.optionalU64("seen_version");
  const more = version === undefined ? {} : { version };
  if (state === "available" && parts.length === 1) {
    return { kind: "resource", state, reservationId: undefined, ...more };
  }
  const isHeld = (state === "reserved" && parts.length === 4) ||
    (state === "confirmed" && parts.length === 3);
  if (!isHeld) return "malformed";
  tokens.integer("holder", holder!, U128_MAX);
  const reservationId = tokens.integer("reservation", reservation!, U128_MAX);
  const exact = exactState(tokens, RESOURCE_STATES);
  if (exact === undefined && state === "confirmed" && revoked.has(reservationId)) return undefined;
  return { kind: "resource", state: exact ?? state, reservationId, ...more };
}

function readReservation(
  tokens: Tokens,
  parts: readonly string[],
  revoked: ReadonlySet<bigint>,
): Seen {
  const [state] = parts;
  if ((state === "not_found" || state === "retired") && parts.length === 1) return { kind: state };
  if (state === "active" && parts.length === 5) return readActive(tokens, parts, revoked);
  if (state === "released" && parts.length === 4) return readReleased(tokens, parts);
  return "malformed";
}

function readActive(
  tokens: Tokens,
  [, resource, holder, deadline, confirmed]: readonly string[],
  revoked: ReadonlySet<bigint>,
): Seen {
  if (confirmed !== "true" && confirmed !== "false") return "malformed";
  const exact = exactState(tokens, RESERVATION_STATES);
  const isConfirmed = confirmed === "true";
  const mayBeRevoking = isConfirmed && revoked.has(tokens.u128("reservation_id"));
  if (exact === undefined && mayBeRevoking) return undefined;
  tokens.integer("resource", resource!, U128_MAX);
  return {
    kind: "reservation",
    state: exact ?? (isConfirmed ? "confirmed" : "reserved"),
    holderId: tokens.integer("holder", holder!, U128_MAX),
    deadlineSlot: tokens.integer("deadline", deadline!, U64_MAX),
  };
}

/** Released, expired or revoked: it has ended. That is all that `retired` says, too. */
function readReleased(
  tokens: Tokens,
  [, resource, holder, lsn]: readonly string[],
): Seen {
  tokens.integer("resource", resource!, U128_MAX);
  const holderId = tokens.integer("holder", holder!, U128_MAX);
  const releasedLsn = lsn === "none" ? undefined : tokens.integer("lsn", lsn!, U64_MAX);
  const state = exactState(tokens, RESERVATION_STATES);
  if (state === undefined) return { kind: "retired" };
  return { kind: "reservation", state, holderId, releasedLsn };
}

function exactState<State extends string>(
  tokens: Tokens,
  states: readonly State[],
): State | undefined {
  return tokens.optional("seen_state") === undefined
    ? undefined
    : tokens.oneOf("seen_state", states);
}
