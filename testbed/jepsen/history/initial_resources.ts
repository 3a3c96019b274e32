/** Resources of a history that nobody in it creates. */
import type { HistoryOperation } from "./operation.ts";

/** Those that are named before, or without, their creation; ascending. */
export function initialResources(operations: readonly HistoryOperation[]): readonly bigint[] {
  const created = new Set<bigint>();
  const named = new Set<bigint>();
  for (const { request } of operations) {
    if (request.kind === "create_resource") created.add(request.resourceId);
    else if ("resourceId" in request) named.add(request.resourceId);
    else if ("resourceIds" in request) { for (const id of request.resourceIds) named.add(id); }
  }
  return [...named.difference(created)].sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}
