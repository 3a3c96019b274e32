/** Replicas of a small workspace inside the test's own process: real files, real sockets, no processes. */
import { join } from "@std/path";
import { foundOrFind } from "../../cluster/runner/founding.ts";
import { findReplica } from "../../cluster/daemon/locate.ts";
import { LeveledLog, type LogSink } from "../../cluster/daemon/leveled_log.ts";
import { ReplicaProcess } from "../../cluster/daemon/replica_process.ts";
import { type Faults, NO_FAULTS } from "../../cluster/workspace/faults.ts";
import { formatFaults } from "../../cluster/workspace/faults_text.ts";
import { replaceText } from "../../cluster/workspace/files.ts";
import type { ClusterLayout, ReplicaLayout } from "../../cluster/workspace/layout.ts";
import { faultsPath, LAYOUT_FILE } from "../../cluster/workspace/workspace_files.ts";
import type { ReplicaRunOptions } from "../../node/cli/options.ts";
import { controlCall } from "../../node/control/client.ts";
import type { ControlReplies, ControlRequest } from "../../node/control/messages.ts";
import { openReplica } from "../../node/replica/replica.ts";

/** Longest wait for anything, in milliseconds. */
const WAIT_MS_MAX = 20_000;

/** One replica that runs. */
export interface RunningReplica {
  readonly process: ReplicaProcess;
  readonly replica: ReplicaLayout;
  readonly log: LeveledLog;
  /** `level text`. */
  readonly lines: string[];
  /** How long clients may take, for each time that somebody asked it to stop. */
  readonly stops: number[];
  /** What it could not go on after. */
  readonly bugs: unknown[];
}

/** A workspace that is removed in the end, and whatever runs in it. */
export class ReplicaRoom implements AsyncDisposable {
  readonly root: string;
  readonly layout: ClusterLayout;
  readonly #running = new Set<RunningReplica>();

  private constructor(root: string, layout: ClusterLayout) {
    this.root = root;
    this.layout = layout;
  }

  /** Makes a workspace with the data directories of founders. */
  static async make(replicas: 1 | 3 | 5): Promise<ReplicaRoom> {
    const root = Deno.makeTempDirSync({ prefix: "allocdb-room-" });
    const { workspace } = await foundOrFind(root, {
      verb: "start",
      workspace: root,
      replicas,
      profile: "small",
      bounds: [],
      manual: [],
      waitForPrimary: false,
      json: false,
      timeoutMs: WAIT_MS_MAX,
    });
    return new ReplicaRoom(root, workspace.layout);
  }

  get layoutPath(): string {
    return join(this.root, LAYOUT_FILE);
  }

  /** Starts a replica as `replica run` does, by the layout as it is now. */
  async start(
    id: bigint,
    http?: string,
    open: typeof openReplica = openReplica,
    flags: Partial<ReplicaRunOptions> = {},
  ): Promise<RunningReplica> {
    const lines: string[] = [];
    const stops: number[] = [];
    const bugs: unknown[] = [];
    const { layout, replica } = findReplica(this.layoutPath, id);
    const log = new LeveledLog(collect(lines), id);
    const process = await ReplicaProcess.start({
      run: {
        layout: this.layoutPath,
        replicaId: id,
        ...(http === undefined ? {} : { http }),
        ...{ manualFailover: false, manualExpiration: false, manualCheckpoint: true },
        logFormat: "text",
        ...flags,
      },
      layout,
      replica,
      log,
      open,
      onStop: (drainMs) => stops.push(drainMs),
      onFatal: (error) => bugs.push(error),
    });
    const running = { process, replica, log, lines, stops, bugs };
    this.#running.add(running);
    return running;
  }

  /** Stops a replica. */
  async stop(running: RunningReplica, drainMs = 0): Promise<void> {
    this.#running.delete(running);
    await running.process.stop(drainMs);
  }

  /** Writes the faults file. */
  setFaults(changes: Partial<Faults>): void {
    const text = formatFaults({ ...NO_FAULTS, ...changes }, this.layout.members);
    replaceText(faultsPath(this.layout), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) await running.process.stop(0);
    Deno.removeSync(this.root, { recursive: true });
  }
}

/** Puts one request to a replica's control port. */
export function ask<Request extends ControlRequest>(
  { replica }: { readonly replica: ReplicaLayout },
  request: Request,
): Promise<ControlReplies[Request["request"]]> {
  return controlCall(replica.controlAddr, request, { timeoutMs: WAIT_MS_MAX });
}

/** Looks until it is so; what is missing in the end is the caller's word for it. */
export async function eventually(
  what: string,
  look: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!await look()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function collect(lines: string[]): LogSink {
  const line = (level: string) => (text: string): void => void lines.push(`${level} ${text}`);
  return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
}
