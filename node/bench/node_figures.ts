/** The figures of a node that the reference scenarios report, as of a slot. */
import type { Node } from "../node.ts";
import type { Figures } from "./scenario.ts";

/** One look at a node. */
export interface NodeFigures {
  readonly queueDepth: number;
  readonly logicalSlotLag: bigint;
  readonly expirationBacklog: number;
  readonly operationTableUsed: number;
  readonly operationTableCapacity: number;
  readonly operationTableUtilizationPct: number;
  readonly walBytes: number;
  readonly syncCount: number;
}

/** Looks at a node as of `slot`. */
export function nodeFigures(node: Node, slot: bigint): NodeFigures {
  const { queueDepth, core, wal } = node.metrics(slot);
  return {
    queueDepth,
    logicalSlotLag: core.logicalSlotLag,
    expirationBacklog: core.expirationBacklog,
    operationTableUsed: core.operationTableUsed,
    operationTableCapacity: core.operationTableCapacity,
    operationTableUtilizationPct: core.operationTableUtilizationPct,
    walBytes: wal.bytes,
    syncCount: wal.syncCount,
  };
}

/** The group of report keys that start with `prefix`. */
export function metricGroup(prefix: string, figures: NodeFigures): Figures {
  return {
    [`${prefix}_queue_depth`]: figures.queueDepth,
    [`${prefix}_logical_slot_lag`]: figures.logicalSlotLag,
    [`${prefix}_expiration_backlog`]: figures.expirationBacklog,
    [`${prefix}_operation_table_used`]: figures.operationTableUsed,
    [`${prefix}_operation_table_utilization_pct`]: figures.operationTableUtilizationPct,
  };
}
