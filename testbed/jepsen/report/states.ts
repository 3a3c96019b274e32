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
 * @returns By position of the attempt; only successful writes are in it.
 */
export function changesOf(operations: readonly HistoryOperation[]): Map<number, Change> {
  const changes = new Map<number, Change>();
  const states = new Map<bigint, string>();
  const members = new Map<bigint, readonly bigint[]>();
  for (const operation of operations.toSorted((a, b) => orderOf(a) - orderOf(b))) {
    const { request, outcome, invokedAt } = operation;
    if (outcome.kind !== "ok" || outcome.answer.kind !== "applied") continue;
    if (outcome.answer.code !== "ok") continue;
    const { reserved } = outcome.answer;
    const resourceIds = resourcesOf(request, members);
    if (reserved !== undefined) members.set(reserved.reservationId, resourceIds);
    const after = stateAfter(operation);
    const tell = (state: (id: bigint) => string): string =>
      resourceIds.slice(0, 4).map((id) => `resource ${id} ${state(id)}`).join("; ");
    const before = tell((id) => states.get(id) ?? "available");
    for (const id of resourceIds) states.set(id, after);
    if (resourceIds.length > 0) changes.set(invokedAt, { before, after: tell(() => after) });
  }
  return changes;
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
