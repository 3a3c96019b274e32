/** What the client was told, in the words of a history. Nothing is said here that was not said by somebody. */
import { RESERVATION_STATE_NAMES, RESOURCE_STATE_NAMES } from "../../../core/tables.ts";
import type {
  ReservationRead,
  ReservationView,
  ResourceRead,
  ResourceView,
} from "../../../node/api.ts";
import type { TickReply } from "../../../node/client/client.ts";
import { type Committed, type SubmitResult, TransportError } from "../../../node/client/types.ts";
import type {
  AppliedAnswer,
  ReservationSeen,
  ResourceSeen,
  ServedBy,
} from "../history/operation.ts";
import type { Ending } from "./voice.ts";

/** A write: whatever was applied is `ok`, what was refused before that never happens. */
export function endingOfWrite(result: SubmitResult): Ending {
  switch (result.kind) {
    case "committed":
      return { type: "ok", answer: appliedAnswer(result) };
    case "rejected": {
      const { rejection } = result;
      const reason = rejection.code === "not_sent"
        ? `not_sent ${rejection.reason}`
        : rejection.code;
      return { type: "fail", reason };
    }
    case "unknown":
      return { type: "info", reason: result.reason };
  }
}

/** A read; `servedBy` is who answered, where that is known. */
export function endingOfRead(
  read: ResourceRead | ReservationRead,
  servedBy: Partial<ServedBy> = {},
): Ending {
  const by = servedByOf(read, servedBy);
  switch (read.kind) {
    case "found": {
      const answer = "resourceId" in read ? resourceSeen(read) : reservationSeen(read);
      return { type: "ok", answer, ...by };
    }
    case "not_found":
    case "retired":
      return { type: "ok", answer: { kind: read.kind }, ...by };
    case "fence_not_applied":
    case "engine_halted":
    case "not_primary":
      return { type: "fail", reason: read.kind, ...by };
  }
}

/** Expirations that were asked for. The reply does not say which reservations they freed, nor where in the log. */
export function endingOfTick(reply: TickReply): Ending {
  return reply.kind === "applied" ? { type: "ok", answer: { kind: "ticked" } } : {
    type: reply.rejection.category === "definite" ? "fail" : "info",
    reason: reply.rejection.code,
  };
}

/** A read or a tick that got no answer; `no_primary` is one: everybody said that it is not for them. */
export function endingOfError(error: unknown): Ending {
  if (!(error instanceof TransportError)) throw error;
  return { type: error.code === "no_primary" ? "fail" : "info", reason: error.code };
}

/** A reservation as it was seen. */
export function reservationSeen(view: ReservationView): ReservationSeen {
  return {
    kind: "reservation",
    state: stateName(RESERVATION_STATE_NAMES, view.state) as ReservationSeen["state"],
    holderId: view.holderId,
    epoch: view.epoch,
    deadlineSlot: view.deadlineSlot,
    memberResourceIds: view.memberResourceIds,
    createdLsn: view.createdLsn,
    releasedLsn: view.releasedLsn,
    retireAfterSlot: view.retireAfterSlot,
  };
}

function resourceSeen({ state, currentReservationId, version }: ResourceView): ResourceSeen {
  const name = stateName(RESOURCE_STATE_NAMES, state) as ResourceSeen["state"];
  return { kind: "resource", state: name, reservationId: currentReservationId, version };
}

function stateName(names: readonly (string | undefined)[], state: number): string {
  const name = names[state];
  if (name === undefined) throw new Error(`a server told a state ${state}, which there is not`);
  return name;
}

function appliedAnswer(result: Committed): AppliedAnswer {
  const { code, appliedLsn: lsn, reservationId, epoch, deadlineSlot } = result;
  if (reservationId === undefined || epoch === undefined || deadlineSlot === undefined) {
    return { kind: "applied", code, lsn };
  }
  return { kind: "applied", code, lsn, reserved: { reservationId, epoch, deadlineSlot } };
}

/** What the answer itself says of who gave it stands above what is known of the connection. */
function servedByOf(
  read: ResourceRead | ReservationRead,
  known: Partial<ServedBy>,
): { readonly servedBy?: ServedBy } {
  const { replicaId } = known;
  if (replicaId === undefined) return {};
  const view = "view" in read ? read.view : known.view;
  const observedLsn = "observedLsn" in read ? read.observedLsn : undefined;
  return {
    servedBy: {
      ...known,
      replicaId,
      ...(view === undefined ? {} : { view }),
      ...(observedLsn === undefined ? {} : { observedLsn }),
    },
  };
}
