/** No replica ever holds more than it was configured for: tables, the queue in front of them, what is under way. */
import type { CoreConfig, EngineConfig } from "../../../core/config.ts";
import { operationRows } from "../../../core/config.ts";
import type { Metrics } from "../../../node/api.ts";

/** What may not be exceeded. */
export interface Bounds {
  readonly core: CoreConfig;
  readonly engine: EngineConfig;
}

/**
 * The first bound that a replica exceeds.
 *
 * @param metrics What it holds.
 * @param bounds What it was made with.
 * @returns What is exceeded, or nothing.
 */
export function exceededBound(metrics: Metrics, { core, engine }: Bounds): string | undefined {
  const { maxResources, maxReservations, maxBundleSize } = core;
  const { maxSubmissionQueue, maxExpirationsPerTick } = engine;
  const { queueDepth, wal } = metrics;
  const held = metrics.core;
  const rows: readonly (readonly [string, number, number])[] = [
    ["resources", held.resourceTableUsed, maxResources],
    ["reservations", held.reservationTableUsed, maxReservations],
    ["members", held.reservationMemberTableUsed, maxReservations * maxBundleSize],
    ["operations", held.operationTableUsed, operationRows(core)],
    ["overdue holds", held.expirationBacklog, maxReservations],
    ["commands that wait", queueDepth, maxSubmissionQueue],
    ["entries that wait", wal.applyGap, maxSubmissionQueue + maxExpirationsPerTick],
  ];
  const exceeded = rows.find(([, used, max]) => !(used <= max));
  return exceeded && `${exceeded[1]} ${exceeded[0]} of ${exceeded[2]}`;
}
