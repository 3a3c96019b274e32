/** Verbs that only change the faults file: isolate, heal, link, partition, disk-fault, clock. */
import type { ClusterRequest, LinkEnd } from "../../node/cli/cluster_options.ts";
import { unreachable } from "../../core/assert.ts";
import { CliError } from "../../node/errors.ts";
import type { LinkFault } from "../../node/peer/line.ts";
import {
  type Endpoint,
  type Faults,
  NO_FAULTS,
  withClockFault,
  withDiskFault,
  withIsolation,
  withLink,
  withPartition,
} from "../workspace/faults.ts";
import { SLOW_MS_DEFAULT } from "../workspace/faults_for.ts";
import { formatFaults } from "../workspace/faults_text.ts";
import { readPidFile } from "../workspace/pid_file.ts";
import { isPaused } from "../workspace/processes.ts";
import type { Intent } from "../workspace/timeline.ts";
import type { Control } from "./control.ts";
import { waitFor } from "./waiting.ts";
import {
  faultsIn,
  inWorkspace,
  recorded,
  replicaIn,
  type Workspace,
  writeFaults,
} from "./workspace.ts";

/** The verbs of this file. */
export type WeatherRequest = Extract<
  ClusterRequest,
  { readonly verb: "isolate" | "heal" | "link" | "partition" | "disk-fault" | "clock" }
>;

/** How long replicas may take to notice, in milliseconds. */
const NOTICE_MS_MAX = 1_000;

/** What is wrong from now on. */
export interface Changed {
  readonly workspace: Workspace;
  readonly faults: Faults;
  /** Replicas that run and had not noticed after a second. */
  readonly unaware: readonly bigint[];
}

/** One change of the weather. */
interface Change {
  readonly intent: Intent;
  /** From what is wrong now to what shall be. */
  readonly apply: (faults: Faults) => Faults;
}

/**
 * Changes what is wrong on purpose, whether or not replicas run.
 *
 * @param request A checked verb.
 * @param control For telling that replicas have noticed.
 * @throws {CliError} When a replica that is named does not exist, or a file cannot be read or written.
 */
export async function changeWeather(
  request: WeatherRequest,
  control: Control,
): Promise<Changed> {
  return await inWorkspace(request.workspace, async (workspace) => {
    const { intent, apply } = changeOf(workspace, request);
    // What cannot be read may be healed all the same: nothing of it stays.
    const isFresh = request.verb === "heal" && request.replicaId === undefined;
    const faults = apply(isFresh ? NO_FAULTS : faultsIn(workspace));
    return await recorded(workspace, intent, async () => {
      writeFaults(workspace, faults);
      return { workspace, faults, unaware: await unawareOf(workspace, faults, control) };
    });
  });
}

/**
 * Waits until every replica that answers has taken note.
 *
 * @returns Those that have not in time.
 */
async function unawareOf(
  { layout }: Workspace,
  faults: Faults,
  control: Control,
): Promise<readonly bigint[]> {
  const wanted = formatFaults(faults, layout.members).trim().split("\n").slice(1).join("\n");
  const unaware = await Promise.all(layout.replicas.map(async ({ id, pidPath, controlAddr }) => {
    const file = readPidFile(pidPath);
    if (file.kind !== "running" || isPaused(file.mark)) return undefined;
    const isAware = await waitFor(NOTICE_MS_MAX, async () => {
      const answer = await control.faults(controlAddr);
      if (answer.kind !== "answer") return true; // It will read the file when it is there.
      return answer.reply.faults.join("\n") === wanted ? true : undefined;
    });
    return isAware ? undefined : id;
  }));
  return unaware.filter((id) => id !== undefined);
}

function changeOf(workspace: Workspace, request: WeatherRequest): Change {
  switch (request.verb) {
    case "isolate":
      return isolation(workspace, request.replicaId, true);
    case "heal":
      if (request.replicaId !== undefined) return isolation(workspace, request.replicaId, false);
      return { intent: intentOf("cluster_heal", undefined, "scope=all"), apply: () => NO_FAULTS };
    case "link":
      return linkChange(workspace, request);
    case "partition":
      return partitionChange(workspace, request.groups);
    case "disk-fault":
      return diskChange(workspace, request);
    case "clock":
      return clockChange(workspace, request);
    default:
      return unreachable(request);
  }
}

function isolation(workspace: Workspace, id: bigint, isolated: boolean): Change {
  replicaIn(workspace, id);
  const kind = isolated ? "replica_isolate" : "replica_heal";
  return {
    intent: intentOf(kind, id, "scope=client+protocol"),
    apply: (faults) => withIsolation(faults, id, isolated),
  };
}

function linkChange(
  workspace: Workspace,
  { ends, fault }: Extract<WeatherRequest, { readonly verb: "link" }>,
): Change {
  if (ends === undefined) {
    return {
      intent: intentOf("link_fault", undefined, "clear"),
      apply: (faults) => ({ ...faults, links: [] }),
    };
  }
  const froms = endpoints(workspace, ends.from);
  const tos = endpoints(workspace, ends.to);
  const pairs = froms.flatMap((from) =>
    tos.filter((to) => to !== from).map((to) => ({ from, to }))
  );
  if (pairs.length === 0) {
    throw new CliError("E_USAGE", "there is no other replica for this link", {
      hint: "a cluster of one has links to its clients only",
    });
  }
  const detail = `from=${ends.from} to=${ends.to} ${describeLink(fault)}`;
  return {
    intent: intentOf("link_fault", undefined, detail),
    apply: (faults) => pairs.reduce((sofar, pair) => withLink(sofar, { ...pair, fault }), faults),
  };
}

function endpoints(workspace: Workspace, end: LinkEnd): readonly Endpoint[] {
  if (end === "client") return ["client"];
  if (end === "all") return workspace.layout.members;
  return [replicaIn(workspace, end).id];
}

function partitionChange(workspace: Workspace, groups: readonly (readonly bigint[])[]): Change {
  const { members } = workspace.layout;
  const ids = groups.flat();
  const isWhole = ids.length === members.length && members.every((id) => ids.includes(id));
  if (groups.length > 0 && !isWhole) {
    const stranger = ids.find((id) => !members.includes(id));
    if (stranger !== undefined) replicaIn(workspace, stranger);
    throw new CliError("E_USAGE", "--groups must name every replica exactly once", {
      hint: `the replicas are ${members.join(", ")}`,
    });
  }
  const detail = groups.length === 0
    ? "clear"
    : `groups=${groups.map((group) => group.join(",")).join("/")}`;
  return {
    intent: intentOf("cluster_partition", undefined, detail),
    apply: (faults) => withPartition(faults, groups),
  };
}

function diskChange(
  workspace: Workspace,
  { replicaId, fault }: Extract<WeatherRequest, { readonly verb: "disk-fault" }>,
): Change {
  replicaIn(workspace, replicaId);
  if (fault === undefined) {
    return {
      intent: intentOf("disk_fault", replicaId, "clear"),
      apply: (faults) => withDiskFault(faults, replicaId, undefined),
    };
  }
  const { kind, after, forSeconds } = fault;
  const delayMs = kind === "slow" ? fault.delayMs ?? SLOW_MS_DEFAULT : undefined;
  const setAtMillis = Date.now();
  const details = [
    `kind=${kind}`,
    `after=${after}`,
    ...(forSeconds === undefined ? [] : [`for_seconds=${forSeconds}`]),
    ...(delayMs === undefined ? [] : [`delay_ms=${delayMs}`]),
  ];
  return {
    intent: intentOf("disk_fault", replicaId, details.join(" ")),
    apply: (faults) =>
      withDiskFault(faults, replicaId, {
        kind,
        after,
        ...(forSeconds === undefined ? {} : { untilMillis: setAtMillis + forSeconds * 1_000 }),
        ...(delayMs === undefined ? {} : { delayMs }),
        setAtMillis,
      }),
  };
}

function clockChange(
  workspace: Workspace,
  { replicaId, skewMs, rate }: Extract<WeatherRequest, { readonly verb: "clock" }>,
): Change {
  replicaIn(workspace, replicaId);
  const isRight = skewMs === 0 && rate === 1;
  const detail = isRight ? "clear" : `skew_ms=${skewMs} rate=${rate}`;
  return {
    intent: intentOf("clock_fault", replicaId, detail),
    apply: (faults) => withClockFault(faults, replicaId, isRight ? undefined : { skewMs, rate }),
  };
}

function intentOf(kind: Intent["kind"], replicaId: bigint | undefined, detail: string): Intent {
  return { kind, replicaId, detail };
}

/** A link's fault in one line: `cut`, `drop=0.1 delay_ms=50`, or `clear`. */
export function describeLink(fault: LinkFault): string {
  const { cut, drop, delayMs, jitterMs, duplicate, reorder, bytesPerSecond } = fault;
  const values = { drop, delay_ms: delayMs, jitter_ms: jitterMs, duplicate, reorder };
  const parts = Object.entries({ ...values, throttle_bytes: bytesPerSecond })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  return [...(cut ? ["cut"] : []), ...parts].join(" ") || "clear";
}
