/** `allocdb cluster`: one verb at a time, and what it prints. */
import { unreachable } from "../core/assert.ts";
import type { ClusterRequest } from "../node/cli/cluster_options.ts";
import type { CliIo } from "../node/cli/io.ts";
import { shellCommand } from "../node/cli/text.ts";
import { selfProgram } from "../node/process_self.ts";
import { controlPorts } from "./runner/control.ts";
import { clusterStatus, clusterTimeline, showLogs } from "./runner/looking.ts";
import { crashReplica, pauseReplica, stopCluster } from "./runner/processes.ts";
import { jsonDocument, line, replicaJson, replicaLines, type Said } from "./runner/report.ts";
import { type Outside, restartReplica, startCluster, type StartReport } from "./runner/start.ts";
import {
  type Changed,
  changeWeather,
  describeLink,
  type WeatherRequest,
} from "./runner/weather.ts";
import { faultsIn, findWorkspace } from "./runner/workspace.ts";
import { formatFaults } from "./workspace/faults_text.ts";

/**
 * Runs one verb.
 *
 * @param request What was asked for, checked.
 * @param io Where to print.
 * @param outside Control ports and program; tests bring their own.
 * @throws {CliError} When it was not done.
 */
export async function runCluster(
  request: ClusterRequest,
  io: CliIo,
  outside: Outside = outsideOf(request),
): Promise<void> {
  const notice = (text: string): void => io.err.write(`notice: ${text}\n`);
  if (request.verb === "logs") return await showLogs(request, io);
  const said = await carryOut(request, outside, io, notice);
  io.out.write(
    request.json ? jsonDocument(said.json) : said.lines.map((text) => `${text}\n`).join(""),
  );
}

/** Control ports of a cluster with a secret ask who calls. */
function outsideOf({ workspace }: ClusterRequest): Outside {
  const secretPath = (): string | undefined => findWorkspace(workspace).layout.secretPath;
  return { control: controlPorts(secretPath), program: selfProgram() };
}

async function carryOut(
  request: Exclude<ClusterRequest, { readonly verb: "logs" }>,
  outside: Outside,
  io: CliIo,
  notice: (text: string) => void,
): Promise<Said> {
  const { workspace } = request;
  switch (request.verb) {
    case "start": {
      const report = await startCluster(request, outside);
      report.notices.forEach(notice);
      if (io.err.isTerminal) io.err.write(nextSteps(report));
      return startSaid(report);
    }
    case "stop":
      return await stopSaid(workspace, request.timeoutMs, outside);
    case "status":
      return await clusterStatus(workspace, outside.control, notice);
    case "crash": {
      const { replica, pid } = await crashReplica(workspace, request.replicaId, outside.control);
      const { id, controlAddr: control } = replica;
      return {
        lines: [`replica=${id} crashed pid=${pid} control=${control}`],
        json: { replica: id, outcome: "crashed", pid, control },
      };
    }
    case "pause":
    case "resume":
      return await pauseSaid(request.verb, workspace, request.replicaId, outside);
    case "restart":
      return await restartSaid(request, outside, notice);
    case "timeline": {
      const { said, problems } = clusterTimeline(workspace);
      problems.forEach(notice);
      return said;
    }
    case "isolate":
    case "heal":
    case "link":
    case "partition":
    case "disk-fault":
    case "clock":
      return await weatherSaid(request, outside, notice);
    default:
      return unreachable(request);
  }
}

/** What a person wants to type next, ready to paste. */
function nextSteps({ workspace }: StartReport): string {
  const { replicas, secretPath } = workspace.layout;
  const servers = replicas.map(({ clientAddr }) => clientAddr).join(",");
  const secret = secretPath === undefined
    ? ""
    : ` ${shellCommand([`ALLOCDB_SECRET_FILE=${secretPath}`])}`;
  return `next: export ALLOCDB_SERVER=${servers}${secret}\n`;
}

function startSaid(report: StartReport): Said {
  const { workspace, started, running, replicas, primary, isNew } = report;
  const { layout, root, layoutPath } = workspace;
  const faults = faultsIn(workspace);
  const wasRunning = running.map((id) => `replica=${id} already_running`);
  return {
    lines: [
      started.length === 0 ? "cluster already running" : "cluster started",
      line({ workspace: root }),
      line({ layout: layoutPath }),
      ...wasRunning,
      ...replicas.flatMap((observed) => replicaLines(observed, faults, layout.members)),
    ],
    json: {
      workspace: root,
      layout: layoutPath,
      created: isNew,
      started,
      already_running: running,
      primary,
      notices: report.notices,
      replicas: replicas.map((observed) => replicaJson(observed, faults, layout.members)),
    },
  };
}

async function stopSaid(path: string, timeoutMs: number, { control }: Outside): Promise<Said> {
  const stopped = await stopCluster(path, timeoutMs, control);
  const wasRunning = stopped.some(({ outcome }) => outcome !== "already_stopped");
  return {
    lines: [
      ...stopped.map(({ replica, outcome }) =>
        `replica=${replica.id} ${outcome} control=${replica.controlAddr}`
      ),
      ...(wasRunning ? ["cluster stopped"] : []),
    ],
    json: {
      stopped: wasRunning,
      replicas: stopped.map(({ replica, outcome }) => ({
        replica: replica.id,
        outcome,
        control: replica.controlAddr,
      })),
    },
  };
}

async function pauseSaid(
  verb: "pause" | "resume",
  path: string,
  replicaId: bigint,
  { control }: Outside,
): Promise<Said> {
  const { replica, pid } = await pauseReplica(path, replicaId, verb, control);
  const outcome = `${verb}d`;
  return {
    lines: [`replica=${replica.id} ${outcome} pid=${pid} control=${replica.controlAddr}`],
    json: { replica: replica.id, outcome, pid, control: replica.controlAddr },
  };
}

async function restartSaid(
  request: Extract<ClusterRequest, { readonly verb: "restart" }>,
  outside: Outside,
  notice: (text: string) => void,
): Promise<Said> {
  const { workspace: path, replicaId, timeoutMs } = request;
  const { observed, notices } = await restartReplica(path, replicaId, timeoutMs, outside);
  notices.forEach(notice);
  const workspace = findWorkspace(path);
  const faults = faultsIn(workspace);
  const { members } = workspace.layout;
  return {
    lines: replicaLines(observed, faults, members),
    json: { notices, ...replicaJson(observed, faults, members) },
  };
}

async function weatherSaid(
  request: WeatherRequest,
  { control }: Outside,
  notice: (text: string) => void,
): Promise<Said> {
  const changed = await changeWeather(request, control);
  const { workspace, faults, unaware } = changed;
  for (const id of unaware) notice(`replica ${id} has not taken note yet`);
  const { members } = workspace.layout;
  const state = Object.fromEntries(
    formatFaults(faults, members).trim().split("\n")
      .map((text) => text.split(/=(.*)/s, 2) as [string, string])
      .filter(([key]) => key !== "version"),
  );
  return { lines: weatherLines(request, changed), json: { faults: state, unaware } };
}

function weatherLines(
  request: WeatherRequest,
  { workspace, faults }: Changed,
): readonly string[] {
  const { replicas } = workspace.layout;
  const one = (id: bigint): string => {
    const { clientAddr, protocolAddr } = replicas.find((replica) => replica.id === id)!;
    const network = faults.isolated.includes(id) ? "isolated" : "healthy";
    return line({ replica: id, network, client: clientAddr, protocol: protocolAddr });
  };
  switch (request.verb) {
    case "isolate":
      return [one(request.replicaId)];
    case "heal":
      return request.replicaId === undefined
        ? replicas.map(({ id }) => one(id))
        : [one(request.replicaId)];
    case "link": {
      if (request.ends === undefined) return ["links=clear"];
      const { from, to } = request.ends;
      return [`${line({ link: `${from}>${to}` })} ${describeLink(request.fault)}`];
    }
    case "partition": {
      const groups = faults.partition.map((group) => group.join(","));
      return [line({ partition: groups.join("/") || "none" })];
    }
    case "disk-fault": {
      const kind = faults.disks.get(request.replicaId)?.kind;
      return [line({ replica: request.replicaId, disk_fault: kind })];
    }
    case "clock": {
      const clock = faults.clocks.get(request.replicaId);
      const skew = { clock_skew_ms: clock?.skewMs ?? 0, clock_rate: clock?.rate ?? 1 };
      return [line({ replica: request.replicaId, ...skew })];
    }
    default:
      return unreachable(request);
  }
}
