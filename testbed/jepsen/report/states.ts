/** What a resource was before and after an operation, as far as clients were told: for whoever points at a bar. */
import type { HistoryOperation, HistoryRequest } from "../history/operation.ts";
import { orderOf } from "./holds.ts";

/** State before and after, one text each. */
export interface Change {
  readonly before: string;
  readonly after: string;
}

/**
 * Follows every resource through the log.
 *
 * @param wanted Positions of the attempts that are asked for.
 * @returns By position; only successful writes are in it.
 */
export function changesOf(
  operations: readonly HistoryOperation[],
  wanted: ReadonlySet<number>,
): Map<number, Change> {
  const changes = new Map<number, Change>();
  const latest = new Map<bigint, HistoryOperation>();
  const members = new Map<bigint, readonly bigint[]>();
  const before = (id: bigint): string => {
    const operation = latest.get(id);
    return operation === undefined ? "available" : stateAfter(operation);
  };
  for (const operation of operations.toSorted((a, b) => orderOf(a) - orderOf(b))) {
    const { request, outcome, invokedAt } = operation;
    if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") continue;
    if (outcome.answer.code !== "ok") continue;
    const { reserved } = outcome.answer;
    const resourceIds = resourcesOf(request, members);
    if (reserved !== undefined) members.set(reserved.reservationId, resourceIds);
    if (wanted.has(invokedAt) && resourceIds.length > 0) {
      const after = stateAfter(operation);
      changes.set(invokedAt, {
        before: tell(resourceIds, before),
        after: tell(resourceIds, () => after),
      });
    }
    for (const id of resourceIds) latest.set(id, operation);
  }
  return changes;
}

function tell(resourceIds: readonly bigint[], state: (id: bigint) => string): string {
  return resourceIds.slice(0, 4).map((id) => `resource ${id} ${state(id)}`).join("; ");
}

function resourcesOf(
  request: HistoryRequest,
  members: ReadonlyMap<bigint, readonly bigint[]>,
): readonly bigint[] {
  if ("resourceIds" in request) return request.resourceIds;
  if ("resourceId" in request) return [request.resourceId];
  return members.get(request.reservationId) ?? [];
}

function stateAfter({ request, outcome }: HistoryOperation): string {
  switch (request.kind) {
    case "reserve":
    case "reserve_bundle": {
      const answer = outcome.kind === "ok" ? outcome.answer : undefined;
      const slot = answer?.kind === "applied" ? answer.reserved?.deadlineSlot : undefined;
      return `reserved by holder ${request.holderId}${
        slot === undefined ? "" : ` until slot ${slot}`
      }`;
    }
    case "confirm":
      return `confirmed by holder ${request.holderId}`;
    case "revoke":
      return "revoking";
    default:
      return "available";
  }
}
