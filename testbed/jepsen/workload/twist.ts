/** Another command that is about the same things: what somebody sends by mistake under a key that is taken. */
import type { WriteRequest } from "../history/operation.ts";

/** About the same resources and reservations, so that what it came to can be judged beside the first one. */
export function twisted(request: WriteRequest): WriteRequest {
  switch (request.kind) {
    case "create_resource":
      return { kind: "reserve", resourceId: request.resourceId, holderId: 1n, ttlSlots: 20n };
    case "reserve":
      return { ...request, ttlSlots: request.ttlSlots + 1n };
    case "reserve_bundle":
      return { ...request, resourceIds: request.resourceIds.toReversed(), holderId: 0n };
    case "confirm":
      return { ...request, kind: "release" };
    case "release":
      return { ...request, epoch: request.epoch + 1n };
    case "revoke":
      return { ...request, kind: "reclaim" };
    case "reclaim":
      return { ...request, kind: "revoke" };
  }
}
