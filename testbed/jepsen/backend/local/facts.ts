/** What a run is told of its cluster. */
import type { Workspace } from "../../../../cluster/runner/workspace.ts";
import type { ClusterFacts } from "../backend.ts";
import type { Before } from "./workspace.ts";

/** See the top of this file. */
export function factsOf(
  { root, layout }: Workspace,
  program: string,
  { isAdopted, running }: Before,
): ClusterFacts {
  const { core, engine } = layout.config;
  const { secretPath } = layout;
  return {
    replicas: layout.replicas.map(({ id, clientAddr }) => ({
      id: Number(id),
      clientAddress: clientAddr,
    })),
    program,
    slotDurationMs: core.slotDurationMs,
    bounds: {
      maxBundleSize: core.maxBundleSize,
      maxTtlSlots: core.maxTtlSlots,
      historyWindowSlots: core.reservationHistoryWindowSlots,
      retryWindowSlots: core.maxClientRetryWindowSlots,
    },
    maxResources: core.maxResources,
    secret: secretPath === undefined ? undefined : Deno.readTextFileSync(secretPath),
    settings: {
      ...{ backend: "local", workspace: root, replicas: `${layout.replicas.length}`, program },
      cluster: isAdopted ? `taken over, ${running.length} replicas ran` : "new",
      max_operations: `${core.maxOperations}`,
      max_reservations: `${core.maxReservations}`,
      max_resources: `${core.maxResources}`,
      max_ttl_slots: `${core.maxTtlSlots}`,
      max_submission_queue: `${engine.maxSubmissionQueue}`,
    },
  };
}
