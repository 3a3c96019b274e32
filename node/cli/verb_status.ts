/** `status`: one look at a node, a look every second, or a wait until it is ready. */
import type { ServerStatus } from "../wire/status.ts";
import { CliError } from "../errors.ts";
import { type VerbContext, withClient } from "./context.ts";
import { formatMilliseconds } from "./durations.ts";
import { dataOf, hexOf } from "./fields.ts";
import { type Data, renderReport, type Report, show } from "./output.ts";

/** Flags of status, as typed. */
export interface StatusFlags {
  readonly watch: boolean;
  /** What to wait for; there is one thing so far. */
  readonly wait?: "ready" | undefined;
}

/** Between two looks of `--watch`, in milliseconds. */
const WATCH_EVERY_MS = 1_000;
/** Between two looks of `--wait`, in milliseconds. */
const WAIT_EVERY_MS = 100;
/** How long `--wait` waits unless told, in milliseconds. */
const WAIT_MS_DEFAULT = 30_000;
/** Most that one look of `--wait` may take, in milliseconds: a port that swallows must not eat the time. */
const LOOK_MS_MAX = 2_000;

/** Cursor to the upper left corner, and everything from there on cleared. */
const CLEAR = "\x1b[H\x1b[J";

/** `status` in all its forms. */
export async function status(context: VerbContext, flags: StatusFlags): Promise<void> {
  if (flags.watch && flags.wait !== undefined) {
    throw new CliError("E_USAGE", "--watch and --wait contradict each other");
  }
  if (flags.wait !== undefined) return await waitUntilReady(context);
  if (flags.watch) return await watch(context);
  await show(context.io, statusReport(await look(context), context), context.style);
}

/** A status and the address that gave it. */
interface Look {
  readonly server: string;
  readonly status: ServerStatus;
}

function look(context: VerbContext): Promise<Look> {
  return withClient(context, undefined, async (client) => {
    return { server: client.server.address, status: await client.status() };
  });
}

/** Looks until interrupted, or until the reader of the output has gone. A node that is away is shown as such. */
async function watch(context: VerbContext): Promise<void> {
  const { io, style } = context;
  const signal = io.interruption();
  const redraws = style.format === "table" && io.out.isTerminal;
  for (let looks = 0; !signal.aborted; looks++) {
    const report = await lookForWatch(context);
    const text = await renderReport(report, style);
    const gap = looks > 0 && style.format === "kv" && !style.quiet ? "\n" : "";
    io.out.write(redraws ? CLEAR + text : gap + text);
    await io.sleep(WATCH_EVERY_MS, signal);
  }
}

async function lookForWatch(context: VerbContext): Promise<Report> {
  try {
    return statusReport(await look(context), context);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const server = context.servers.join(",");
    return { data: { server, state: "unreachable", error: error.message }, quiet: "unreachable" };
  }
}

async function waitUntilReady(context: VerbContext): Promise<void> {
  const { io, style } = context;
  const signal = io.interruption();
  const waitMs = context.timeoutMs ?? WAIT_MS_DEFAULT;
  const start = io.nowMs();
  let reason = "nothing answered";
  while (!signal.aborted) {
    const leftMs = waitMs - (io.nowMs() - start);
    if (leftMs <= 0) throw waitedTooLong(waitMs, reason);
    const seen = await lookBriefly(context, Math.min(Math.max(leftMs, 1), LOOK_MS_MAX));
    if (typeof seen !== "string") {
      if (isReady(seen.status)) return await show(io, statusReport(seen, context), style);
      reason = `the node is ${stateOf(seen.status)}`;
    } else {
      reason = seen;
    }
    await io.sleep(Math.min(WAIT_EVERY_MS, Math.max(leftMs, 1)), signal);
  }
  throw new CliError("E_INTERRUPTED", `interrupted while waiting: ${reason}`);
}

/** A status, or why there is none. */
async function lookBriefly(context: VerbContext, timeoutMs: number): Promise<Look | string> {
  try {
    return await look({ ...context, timeoutMs: Math.ceil(timeoutMs) });
  } catch (error) {
    if (error instanceof CliError && error.exitCode === 4) return error.message;
    throw error;
  }
}

function waitedTooLong(waitMs: number, reason: string): CliError {
  const waited = formatMilliseconds(BigInt(Math.ceil(waitMs)));
  return new CliError("E_WAIT_TIMEOUT", `not ready after ${waited}: ${reason}`);
}

/** `ready`, or what else the node is; a replica that takes no writes is what its role says. */
function stateOf({ metrics, replication }: ServerStatus): string {
  if (metrics.acceptingWrites) return "ready";
  if (metrics.haltReason !== undefined) return "halted";
  if (replication === undefined || replication.role === "primary") return "not_accepting_writes";
  return replication.role;
}

/** Whether a client that is sent here can write: here, or where a backup sends it on. */
function isReady({ metrics, replication }: ServerStatus): boolean {
  const isFollower = replication?.role === "backup" && replication.primary !== undefined;
  return metrics.acceptingWrites || isFollower;
}

function statusReport(seen: Look, context: VerbContext): Report {
  const data = context.style.format === "table" ? shortStatus(seen) : fullStatus(seen);
  return { data, quiet: stateOf(seen.status) };
}

function fullStatus(seen: Look): Data {
  const { metrics, core, engine, limits, traffic, memory } = seen.status;
  return {
    ...headOf(seen),
    recovery: dataOf(metrics.recovery),
    core: dataOf(core),
    engine: dataOf(engine),
    limits: dataOf(limits),
    traffic: dataOf(traffic),
    memory: dataOf(memory),
    ...replicationOf(seen.status),
  };
}

/** Peers under their ids: every value keeps its name when a replica is added. */
function replicationOf({ replication }: ServerStatus): Data {
  if (replication === undefined) return {};
  const { peers, ...standing } = replication;
  const byId = peers.map(({ replicaId, ...peer }) => [`${replicaId}`, dataOf(peer)]);
  return { replication: { ...dataOf(standing), peers: Object.fromEntries(byId) } };
}

/** What a person wants to know first; everything is in the other formats and in `metrics`. */
function shortStatus(seen: Look): Data {
  const { metrics, core, engine, traffic, memory, uptimeMs } = seen.status;
  const used = metrics.core;
  return {
    ...headOf(seen),
    ...shortReplication(seen.status),
    uptime: formatMilliseconds(BigInt(Math.floor(uptimeMs / 1_000) * 1_000)),
    startup_kind: metrics.recovery.startupKind,
    active_snapshot_lsn: metrics.recovery.activeSnapshotLsn,
    resources: `${used.resourceTableUsed} of ${used.resourceTableCapacity}`,
    reservations: `${used.reservationTableUsed} of ${used.reservationTableCapacity}`,
    operations: `${used.operationTableUsed} of ${used.operationTableCapacity}`,
    queue: `${metrics.queueDepth} of ${engine.maxSubmissionQueue}`,
    expiration_backlog: used.expirationBacklog,
    last_sync_ms: metrics.wal.lastSyncMs,
    connections: traffic.connectionsOpen,
    memory: `${Math.round(memory.rssBytes / 1_048_576)} MiB`,
    longest_ttl: formatMilliseconds(core.maxTtlSlots * BigInt(core.slotDurationMs)),
  };
}

function shortReplication({ replication }: ServerStatus): Data {
  if (replication === undefined) return {};
  const { role, view, primary, commitOp, tipOp, peers } = replication;
  const others = peers.map(({ replicaId, connected, lag }) =>
    `${replicaId} ${connected ? `lag ${lag}` : "not connected"}`
  );
  return { role, view, primary, commit_op: commitOp, tip_op: tipOp, peers: others.join(", ") };
}

function headOf({ server, status }: Look): Data {
  const { metrics } = status;
  return {
    server,
    state: stateOf(status),
    accepting_writes: metrics.acceptingWrites,
    halt_reason: metrics.haltReason,
    version: status.version,
    cluster_id: hexOf(status.clusterId),
    replica_id: status.replicaId,
    uptime_ms: Math.round(status.uptimeMs),
    current_slot: status.currentSlot,
    last_applied_lsn: metrics.core.lastAppliedLsn,
  };
}
