/** What a read saw, as keys of a runbook history. */
import type { RecordedRequest } from "../../history/event.ts";
import type { ReservationSeen, ResourceSeen } from "../../history/operation.ts";
import type { Holds } from "./holds.ts";
import type { Pairs } from "./tokens.ts";

/** The keys that say what was seen; undefined when the format wants more than anybody was told. */
export function readTokens(
  request: RecordedRequest,
  seen: ResourceSeen | ReservationSeen,
  holds: Holds,
): Pairs | undefined {
  if (seen.kind === "resource") return resourceTokens(seen, holds);
  return request.kind === "get_reservation"
    ? reservationTokens(seen, request.reservationId, holds)
    : undefined;
}

function resourceTokens(
  { state, reservationId, version }: ResourceSeen,
  holds: Holds,
): Pairs | undefined {
  if (reservationId === undefined) {
    return state === "available"
      ? [["resource_state", "available"], ["seen_version", version]]
      : undefined;
  }
  const hold = holds.of(reservationId);
  if (hold === undefined) return undefined;
  const text = state === "reserved"
    ? `reserved:${hold.holderId}:${reservationId}:${hold.deadlineSlot}`
    : `confirmed:${hold.holderId}:${reservationId}`;
  return [["resource_state", text], ["seen_state", state], ["seen_version", version]];
}

function reservationTokens(
  seen: ReservationSeen,
  reservationId: bigint,
  holds: Holds,
): Pairs | undefined {
  const hold = holds.of(reservationId);
  const resource = seen.memberResourceIds?.[0] ?? hold?.resourceIds[0];
  const holder = seen.holderId ?? hold?.holderId;
  const deadline = seen.deadlineSlot ?? hold?.deadlineSlot;
  if (resource === undefined || holder === undefined) return undefined;
  const exact = ["seen_state", seen.state] as const;
  switch (seen.state) {
    case "released":
    case "expired":
    case "revoked":
      return [
        ["reservation_state", `released:${resource}:${holder}:${seen.releasedLsn ?? "none"}`],
        exact,
      ];
    default: {
      if (deadline === undefined) return undefined;
      const isConfirmed = seen.state !== "reserved";
      const text = `active:${resource}:${holder}:${deadline}:${isConfirmed}`;
      return [["reservation_state", text], exact];
    }
  }
}
