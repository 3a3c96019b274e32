/** Verbs that only look: status, timeline, logs. They take no lock, so they never wait for another verb. */
import type { CliIo } from "../../node/cli/io.ts";
import { jsonText } from "../../node/cli/output.ts";
import { printable } from "../../node/cli/text.ts";
import { CliError } from "../../node/errors.ts";
import { type Faults, NO_FAULTS } from "../workspace/faults.ts";
import { readTimeline } from "../workspace/timeline.ts";
import type { Timeline } from "../workspace/timeline_text.ts";
import { timelinePath } from "../workspace/workspace_files.ts";
import type { Control } from "./control.ts";
import { LogFollower, logTail } from "./log_tail.ts";
import { observeAll } from "./observe.ts";
import { jsonDocument, line, type Said, statusReport } from "./report.ts";
import { faultsIn, findWorkspace, replicaIn, type Workspace } from "./workspace.ts";

/** How often a followed log is looked at, in milliseconds. */
const FOLLOW_MS = 200;

/**
 * Every replica as it is now.
 *
 * @param path The workspace.
 * @param notice Told when the faults file makes no sense; the replicas are shown all the same.
 */
export async function clusterStatus(
  path: string,
  control: Control,
  notice: (text: string) => void,
): Promise<Said> {
  const workspace = findWorkspace(path);
  const faults = faultsOrNone(workspace, notice);
  const { events } = readTimeline(timelinePath(workspace.layout));
  return statusReport(workspace, await observeAll(workspace, control), faults, events.length);
}

function faultsOrNone(workspace: Workspace, notice: (text: string) => void): Faults {
  try {
    return faultsIn(workspace);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    notice(`${error.message}; replicas go on with what they had read before`);
    return NO_FAULTS;
  }
}

/** Every verb in order, and what in the file made no sense. */
export function clusterTimeline(
  path: string,
): { readonly said: Said; readonly problems: readonly string[] } {
  const { layout } = findWorkspace(path);
  const file = timelinePath(layout);
  const timeline = readTimeline(file);
  const problems = timeline.problems.map((problem) => `${file}: ${problem}`);
  return { said: timelineReport(timeline), problems };
}

function timelineReport({ events }: Timeline): Said {
  const records = events.map((event) => ({
    sequence: event.sequence,
    timestamp_millis: event.timestampMillis,
    kind: event.kind,
    replica_id: event.replicaId,
    outcome: event.outcome,
    duration_ms: event.durationMs,
    detail: event.detail, // Last, as it may hold anything.
  }));
  return { lines: records.map((record) => line(record)), json: { events: records } };
}

/** What logs is asked. */
export interface LogsRequest {
  readonly workspace: string;
  readonly replicaId: bigint | undefined;
  readonly lines: number;
  readonly follow: boolean;
  readonly json: boolean;
}

/**
 * Shows the end of logs, and with `follow` what is added until Ctrl-C.
 *
 * @param request Which.
 * @param io Where to. With JSON there is one document, or one line of JSON for each line of a followed log.
 */
export async function showLogs(request: LogsRequest, io: CliIo): Promise<void> {
  const workspace = findWorkspace(request.workspace);
  const replicas = request.replicaId === undefined
    ? workspace.layout.replicas
    : [replicaIn(workspace, request.replicaId)];
  const followers = replicas.map(({ id, logPath }) => {
    const follower = new LogFollower(logPath);
    follower.skipTo(follower.size());
    return { id, follower };
  });
  const tails = replicas.map(({ id, logPath }) => ({
    replica: id,
    log: logPath,
    lines: logTail(logPath, request.lines),
  }));
  if (request.json && !request.follow) return io.out.write(jsonDocument({ replicas: tails }));
  const show = (id: bigint, text: string): void =>
    io.out.write(
      request.json
        ? jsonText({ replica: String(id), line: text }, 0)
        : `${withReplica(id, text)}\n`,
    );
  for (const { replica, lines } of tails) lines.forEach((text) => show(replica, text));
  if (request.follow) await follow(followers, show, io);
}

async function follow(
  followers: readonly { readonly id: bigint; readonly follower: LogFollower }[],
  show: (id: bigint, text: string) => void,
  io: CliIo,
): Promise<void> {
  const interruption = io.interruption();
  while (!interruption.aborted) {
    for (const { id, follower } of followers) {
      follower.read().forEach((text) => show(id, text));
    }
    await io.sleep(FOLLOW_MS, interruption);
  }
}

/** Most lines of a replica begin with its id already. */
function withReplica(id: bigint, text: string): string {
  const clean = printable(text);
  return text.includes(`replica=${id}`) || text.startsWith("{") ? clean : `replica=${id} ${clean}`;
}
