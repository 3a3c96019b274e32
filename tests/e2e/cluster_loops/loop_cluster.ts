/** Three real replicas in a workspace of their own, and everything that can be done to them. */
import { join } from "@std/path";
import { controlPorts } from "../../../cluster/runner/control.ts";
import { crashReplica, pauseReplica } from "../../../cluster/runner/processes.ts";
import { type Outside, restartReplica, startCluster } from "../../../cluster/runner/start.ts";
import { sleep, waitFor } from "../../../cluster/runner/waiting.ts";
import { changeWeather, type WeatherRequest } from "../../../cluster/runner/weather.ts";
import type { ClusterLayout } from "../../../cluster/workspace/layout.ts";
import { readPidFile } from "../../../cluster/workspace/pid_file.ts";
import { isPaused, isRunning, signalProcess } from "../../../cluster/workspace/processes.ts";
import { LAYOUT_FILE, readLayout } from "../../../cluster/workspace/workspace_files.ts";
import { controlCall, ControlFailure } from "../../../node/control/client.ts";
import type { ControlReplies, ControlStatus } from "../../../node/control/messages.ts";
import type { Program } from "../../../node/process_self.ts";
import { bigintText } from "./history.ts";
import type { StateAt } from "./judge.ts";
import { readReplicaLog, type ReplicaLog } from "./replica_log.ts";

/** How long a replica may take to start or to answer, and the cluster to settle: only a broken one takes as long. */
const START_MS_MAX = 60_000;
const CALL_MS_MAX = 5_000;
const SETTLE_MS_MAX = 60_000;
/** How long a replica may be faulted with nothing wrong any more until its operator starts it again. */
const FAULTED_MS_MAX = 5_000;
const LOOK_MS = 50;
/** Readings of a log that checkpoints may spoil. */
const READINGS_MAX = 3;

/** Everything that is remembered of operations outlives a round by far; tables never run over. */
const BOUNDS = [
  "core.max_resources=1000",
  "core.max_bundle_size=4",
  "core.max_reservations=20000",
  "core.max_expiration_bucket_len=20000",
  "core.max_operations=100000",
  "core.max_ttl_slots=500",
  "core.reservation_history_window_slots=500",
  "core.max_client_retry_window_slots=6000",
];

/** The request of a fault, without what the cluster knows itself. */
export type Weather = WeatherRequest extends infer Request
  ? Request extends WeatherRequest ? Omit<Request, "workspace" | "json"> : never
  : never;

/** See the top of this file. */
export class LoopCluster {
  readonly workspace: string;
  /** Replicas that had to be started again although nothing was wrong any more. */
  restartsByOperator = 0;
  readonly #outside: Outside;
  #layout: ClusterLayout | undefined;

  /**
   * @param directory An empty directory for the workspace and whatever else is kept.
   * @param program The program under test.
   */
  constructor(directory: string, program: Program) {
    this.workspace = join(directory, "ws");
    this.#outside = { control: controlPorts(), program };
  }

  /** Makes the cluster, or starts what of it does not run. */
  async start(): Promise<void> {
    const isNew = this.#layout === undefined;
    await startCluster({
      ...{ verb: "start", workspace: this.workspace, json: false, manual: [] },
      ...(isNew ? { profile: "small" as const, bounds: BOUNDS } : { bounds: [] }),
      ...{ waitForPrimary: true, timeoutMs: START_MS_MAX },
    }, this.#outside);
    this.#layout = readLayout(join(this.workspace, LAYOUT_FILE))!;
  }

  get layout(): ClusterLayout {
    return this.#layout!;
  }

  get members(): readonly bigint[] {
    return this.layout.members;
  }

  get addresses(): readonly string[] {
    return this.layout.replicas.map(({ clientAddr }) => clientAddr);
  }

  /** The replica that serves, once there is one. */
  async primary(): Promise<bigint> {
    return await this.#until("a primary that serves", (statuses) => {
      const serving = statuses.filter((status) => status !== undefined && isServing(status));
      return serving.sort((a, b) => a!.current_view < b!.current_view ? 1 : -1)[0]?.replica_id;
    });
  }

  async kill(id: bigint): Promise<void> {
    await crashReplica(this.workspace, id, this.#outside.control);
  }

  async restart(id: bigint): Promise<void> {
    await restartReplica(this.workspace, id, START_MS_MAX, this.#outside);
  }

  async pause(id: bigint, verb: "pause" | "resume"): Promise<void> {
    await pauseReplica(this.workspace, id, verb, this.#outside.control);
  }

  /** The directory of a replica that does not run goes, with all there is in it. */
  async wipe(id: bigint): Promise<void> {
    const { directory } = this.layout.replicas.find((replica) => replica.id === id)!;
    await Deno.remove(directory, { recursive: true });
  }

  async change(weather: Weather): Promise<void> {
    const request = { ...weather, workspace: this.workspace, json: false } as WeatherRequest;
    await changeWeather(request, this.#outside.control);
  }

  /** Asks a replica for a checkpoint; one that cannot make it now does not. */
  async checkpoint(id: bigint): Promise<void> {
    await this.#call(id, "checkpoint");
  }

  /** What every replica says of itself; nothing from one that does not answer. */
  async statuses(): Promise<readonly (ControlStatus | undefined)[]> {
    return await Promise.all(this.members.map((id) => this.#call(id, "status")));
  }

  /**
   * Waits until one replica serves and all hold and have applied the same, and starts those again that stay
   * faulted although nothing is wrong any more.
   *
   * @returns The states, all at one op.
   * @throws {Error} When that does not come to be in time.
   */
  async settle(): Promise<readonly StateAt[]> {
    for (const id of this.members) await this.#bringBack(id);
    const faultedSince = new Map<bigint, number>();
    return await this.#until("one state on all replicas", async (statuses) => {
      await this.#help(statuses, faultedSince);
      return isSettled(statuses) ? await this.#states() : undefined;
    });
  }

  /** The logs of all replicas from an op on; nothing may be added to any of them meanwhile. */
  async logs(fromOp: number): Promise<readonly ReplicaLog[]> {
    const logs: ReplicaLog[] = [];
    for (const replica of this.layout.replicas) {
      for (let reading = 1;; reading++) {
        try {
          logs.push(readReplicaLog(this.layout, replica, fromOp));
          break;
        } catch (error) {
          if (reading === READINGS_MAX) throw error;
          await sleep(LOOK_MS);
        }
      }
    }
    return logs;
  }

  /** Kills what runs, and waits until it is gone. */
  async end(): Promise<void> {
    for (const { pidPath } of this.#layout?.replicas ?? []) {
      const file = readPidFile(pidPath);
      if (file.kind !== "running") continue;
      signalProcess(file.mark, "SIGKILL");
      await waitFor(CALL_MS_MAX, () => isRunning(file.mark) ? undefined : true);
    }
  }

  async #bringBack(id: bigint): Promise<void> {
    const { pidPath } = this.layout.replicas.find((replica) => replica.id === id)!;
    const file = readPidFile(pidPath);
    if (file.kind !== "running") await this.restart(id);
    else if (isPaused(file.mark)) await this.pause(id, "resume");
  }

  async #help(
    statuses: readonly (ControlStatus | undefined)[],
    faultedSince: Map<bigint, number>,
  ): Promise<void> {
    for (const [i, status] of statuses.entries()) {
      const id = this.members[i]!;
      if (status?.state !== "faulted") {
        faultedSince.delete(id);
        continue;
      }
      const since = faultedSince.get(id) ?? performance.now();
      faultedSince.set(id, since);
      if (performance.now() - since < FAULTED_MS_MAX) continue;
      faultedSince.delete(id);
      this.restartsByOperator++;
      await this.kill(id);
      await this.restart(id);
    }
  }

  async #states(): Promise<readonly StateAt[] | undefined> {
    const digests = await Promise.all(this.members.map((id) => this.#call(id, "digest")));
    const states = digests.flatMap((said, i) =>
      said === undefined ? [] : [{ replicaId: this.members[i]!, op: said.op, digest: said.digest }]
    );
    const isOne = states.every(({ op }) => op === states[0]!.op);
    return isOne && states.length === this.members.length ? states : undefined;
  }

  /** Nothing when the replica does not answer, or says no. */
  async #call<Verb extends "status" | "digest" | "checkpoint">(
    id: bigint,
    request: Verb,
  ): Promise<ControlReplies[Verb] | undefined> {
    const { controlAddr } = this.layout.replicas.find((replica) => replica.id === id)!;
    try {
      const reply = await controlCall(controlAddr, { request }, { timeoutMs: CALL_MS_MAX });
      return reply as ControlReplies[Verb];
    } catch (error) {
      if (error instanceof ControlFailure) return undefined;
      throw error;
    }
  }

  async #until<T>(
    what: string,
    look: (
      statuses: readonly (ControlStatus | undefined)[],
    ) => T | undefined | Promise<T | undefined>,
  ): Promise<T> {
    const end = performance.now() + SETTLE_MS_MAX;
    for (;;) {
      const statuses = await this.statuses();
      const found = await look(statuses);
      if (found !== undefined) return found;
      if (performance.now() > end) {
        throw new Error(`never ${what}: ${JSON.stringify(statuses.map(brief), bigintText)}`);
      }
      await sleep(LOOK_MS);
    }
  }
}

/** Also a backup that could be primary says that it accepts writes. */
function isServing({ state, role, accepting_writes }: ControlStatus): boolean {
  return state === "active" && role === "primary" && accepting_writes === true;
}

function isSettled(statuses: readonly (ControlStatus | undefined)[]): boolean {
  const [first] = statuses;
  if (first === undefined) return false;
  return statuses.some((status) => status !== undefined && isServing(status)) &&
    statuses.every((status) =>
      status?.state === "active" && (status.role === "primary" || status.role === "backup") &&
      status.current_view === first.current_view && status.tip_op === first.tip_op &&
      status.commit_op === status.tip_op && status.applied_op === status.tip_op
    );
}

function brief(status: ControlStatus | undefined): unknown {
  if (status === undefined) return "no answer";
  const { replica_id, state, role, current_view, commit_op, applied_op, tip_op } = status;
  const { accepting_writes, fault_reason } = status;
  return {
    ...{ replica_id, state, role, current_view, commit_op, applied_op, tip_op },
    ...{ accepting_writes, fault_reason },
  };
}
