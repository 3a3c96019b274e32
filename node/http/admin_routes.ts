/** Routes for whoever runs the node: maintenance, figures, probes. */
import { U64_MAX } from "../../core/config.ts";
import type { Metrics, ReplicationView } from "../api.ts";
import { checkpointReply, deadlineReply, tickReply, whoIsPrimary } from "./answers.ts";
import type { Code } from "./codes.ts";
import type { Gateway } from "./gateway.ts";
import { metricsToJson, toTree, type Tree } from "./metrics_json.ts";
import { ok, problem, type Reply, text } from "./reply.ts";
import { checkpoint, checkpointRunning, health, metrics, status, tick } from "./reply_schemas.ts";
import { defineRoute, orDeadline, type Route } from "./route.ts";
import { BATCH_COMMANDS_MAX, emptyBody, nothing, slotQuery, tickBody } from "./schemas.ts";

const tickExpirations = defineRoute({
  method: "POST",
  template: "/v1/expirations/tick",
  name: "tickExpirations",
  group: "Maintenance",
  summary: "Expire what is due now, up to the bound of one tick",
  path: nothing,
  query: nothing,
  body: tickBody,
  success: [{ status: 200, description: "What was expired", schema: tick }],
  codes: [
    "slot_overflow",
    "slot_rewound",
    "slot_too_far",
    "lsn_exhausted",
    "overloaded",
    "shutting_down",
    "not_primary",
    "engine_halted",
    "storage_failure",
    "view_changed",
    "deadline_exceeded",
  ],
  run: ({ gateway, body, deadline }) =>
    orDeadline(
      deadline,
      (done) =>
        gateway.node.tickExpirations(body.current_slot, (result) => done(tickReply(result))),
      () => deadlineReply({}),
    ),
});

const takeCheckpoint = defineRoute({
  method: "POST",
  template: "/v1/checkpoint",
  name: "checkpoint",
  group: "Maintenance",
  summary: "Write a snapshot and drop the log that it covers",
  path: nothing,
  query: nothing,
  body: emptyBody,
  success: [
    { status: 200, description: "It was written", schema: checkpoint },
    { status: 202, description: "It is still being written", schema: checkpointRunning },
  ],
  codes: ["already_running", "snapshot_file_error", "engine_halted"],
  run: ({ gateway, deadline }) =>
    orDeadline(
      deadline,
      (done) => gateway.node.checkpoint((result) => done(checkpointReply(result))),
      () => ok(202, { kind: "running" }),
    ),
});

const getMetrics = defineRoute({
  method: "GET",
  template: "/v1/metrics",
  name: "getMetrics",
  group: "Operation",
  summary: "The node's figures, under the runbook's names",
  path: nothing,
  query: slotQuery,
  success: [{ status: 200, description: "The figures", schema: metrics }],
  codes: [],
  run: ({ gateway, query }) => ok(200, metricsToJson(gateway.node.metrics(query.current_slot))),
});

const getStatus = defineRoute({
  method: "GET",
  template: "/v1/status",
  name: "getStatus",
  group: "Operation",
  summary: "Who the node is, how it is bounded and how it does",
  path: nothing,
  query: nothing,
  success: [{ status: 200, description: "The status", schema: status }],
  codes: [],
  run: ({ gateway }) => ok(200, statusOf(gateway)),
});

function statusOf({ node, version, startedMs, limits }: Gateway): Tree {
  const { clusterId, replicaId, core, engine } = node.identity;
  return toTree({
    name: "allocdb",
    version,
    clusterId,
    replicaId,
    uptimeMs: Math.round(performance.now() - startedMs),
    currentSlot: node.currentSlot(),
    core,
    engine,
    limits: { ...limits, maxBatchCommands: BATCH_COMMANDS_MAX },
    metrics: node.metrics(),
    replication: node.replication?.(),
  });
}

const scrape = defineRoute({
  method: "GET",
  template: "/metrics",
  name: "scrape",
  group: "Operation",
  summary: "The node's and the gateway's figures for Prometheus",
  path: nothing,
  query: nothing,
  probe: true,
  success: [{
    status: 200,
    description: "Prometheus text format 0.0.4",
    contentType: "text/plain; version=0.0.4; charset=utf-8",
  }],
  codes: ["bug"],
  run: async ({ gateway: { exposition } }) =>
    text(exposition.contentType, await exposition.render()),
});

const healthz = defineRoute({
  method: "GET",
  template: "/healthz",
  name: "healthz",
  group: "Operation",
  summary: "Whether the process is alive",
  path: nothing,
  query: nothing,
  probe: true,
  success: [{ status: 200, description: "It is", schema: health }],
  codes: [],
  run: () => ok(200, { status: "ok" }),
});

const readyz = defineRoute({
  method: "GET",
  template: "/readyz",
  name: "readyz",
  group: "Operation",
  summary: "Whether the node takes writes",
  path: nothing,
  query: nothing,
  probe: true,
  success: [{ status: 200, description: "It does", schema: health }],
  codes: [
    "engine_halted",
    "lsn_exhausted",
    "shutting_down",
    "not_primary",
    "not_accepting_writes",
    "bug",
  ],
  run({ gateway }): Reply {
    const figures = gateway.node.metrics();
    if (figures.acceptingWrites && !gateway.draining) return ok(200, { status: "ready" });
    const standing = gateway.node.replication?.();
    const code = whyNot(figures, gateway.draining, standing);
    return problem(code, {
      kind: "not_ready",
      retry: "after_ms",
      halt_reason: figures.haltReason ?? null,
      ...(standing === undefined ? {} : whoIsPrimary(standing)),
    });
  },
});

function whyNot(
  figures: Metrics,
  draining: boolean,
  standing: ReplicationView | undefined,
): Code {
  if (figures.haltReason !== undefined) return "engine_halted";
  if (figures.core.lastAppliedLsn === U64_MAX) return "lsn_exhausted";
  if (draining) return "shutting_down";
  const isElsewhere = standing !== undefined && standing.role !== "primary";
  return isElsewhere ? "not_primary" : "not_accepting_writes";
}

/** Routes for whoever runs the node. */
export const ADMIN_ROUTES: readonly Route[] = [
  tickExpirations,
  takeCheckpoint,
  getMetrics,
  getStatus,
  scrape,
  healthz,
  readyz,
];
