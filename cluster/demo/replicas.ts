/** The three replicas of the demo: processes in a temporary workspace, run by the functions behind `allocdb cluster`. */
import { AllocDbClient } from "../../node/client/client.ts";
import { controlCall, ControlFailure } from "../../node/control/client.ts";
import type { ControlStatus } from "../../node/control/messages.ts";
import type { Copy } from "../../node/demo/ending.ts";
import { CliError } from "../../node/errors.ts";
import type { Program } from "../../node/process_self.ts";
import { type Control, controlPorts } from "../runner/control.ts";
import { observeAll, type Observed, servingPrimary } from "../runner/observe.ts";
import { crashReplica, stopCluster } from "../runner/processes.ts";
import { type Outside, restartReplica, startCluster } from "../runner/start.ts";
import { waitFor } from "../runner/waiting.ts";
import { changeWeather } from "../runner/weather.ts";
import { findWorkspace, replicaIn, type Workspace } from "../runner/workspace.ts";

/** Bounds on top of profile `small`: no command of a demo is forgotten before it ends. */
const BOUNDS = [
  "core.max_reservations=16384",
  "core.max_operations=65536",
  "core.max_expiration_bucket_len=16384",
  "core.reservation_history_window_slots=60000",
  "core.max_client_retry_window_slots=60000",
];

/** How long replicas may take for anything, in milliseconds: only broken ones take as long. */
export const PATIENCE_MS = 20_000;
/** How long a command may take through every outage, in milliseconds. */
const REQUEST_MS_MAX = 60_000;
/** How long replicas may take to stop before they are killed, in milliseconds. */
const STOP_MS_MAX = 8_000;
/** How long a replica may take to count what it has, in milliseconds. */
const DIGEST_MS_MAX = 5_000;

/** Replicas that run. */
export class DemoReplicas {
  readonly #workspace: Workspace;
  readonly #outside: Outside;
  readonly #hasLeft: AbortSignal;
  readonly #onLook: (all: readonly Observed[]) => void;

  private constructor(
    workspace: Workspace,
    outside: Outside,
    hasLeft: AbortSignal,
    onLook: (all: readonly Observed[]) => void,
  ) {
    this.#workspace = workspace;
    this.#outside = outside;
    this.#hasLeft = hasLeft;
    this.#onLook = onLook;
  }

  /**
   * Makes a cluster and waits until it serves. {@linkcode endReplicas} ends it, also when this throws.
   *
   * @param path A new or empty directory.
   * @param program This program.
   * @param hasLeft Ends every waiting.
   * @param onLook Told how the replicas are whenever they are looked at.
   * @throws {CliError} When it does not start.
   */
  static async start(
    path: string,
    program: Program,
    hasLeft: AbortSignal,
    onLook: (all: readonly Observed[]) => void,
  ): Promise<DemoReplicas> {
    const outside = { control: controlPorts(), program };
    const { workspace, replicas } = await startCluster({
      verb: "start",
      workspace: path,
      json: false,
      replicas: 3,
      profile: "small",
      bounds: BOUNDS,
      manual: [],
      waitForPrimary: true,
      timeoutMs: PATIENCE_MS,
    }, outside);
    hasLeft.throwIfAborted();
    onLook(replicas);
    return new DemoReplicas(workspace, outside, hasLeft, onLook);
  }

  /** Ids, ascending. */
  get members(): readonly bigint[] {
    return this.#workspace.layout.members;
  }

  /** Where a replica listens for clients. */
  addressOf(id: bigint): string {
    return replicaIn(this.#workspace, id).clientAddr;
  }

  /** Which replica listens for clients there. */
  idAt(address: string): bigint {
    return this.#workspace.layout.replicas.find(({ clientAddr }) => clientAddr === address)!.id;
  }

  /** A connection that follows the primary. */
  readonly connect = (): Promise<AllocDbClient> =>
    AllocDbClient.connect({
      addresses: this.#workspace.layout.replicas.map(({ clientAddr }) => clientAddr),
      clientName: "allocdb demo",
      requestTimeoutMs: REQUEST_MS_MAX,
      connectTimeoutMs: PATIENCE_MS,
      reconnectBackoffMsMax: 40,
    });

  /** The replica that leads and serves, once there is one. */
  async primary(): Promise<ControlStatus> {
    return await this.#until("a replica leads", servingPrimary);
  }

  /** kill -9. Answers the process that it was. */
  async kill(id: bigint): Promise<number> {
    const { pid } = await crashReplica(this.#workspace.root, id, this.#outside.control);
    await this.#look();
    return pid;
  }

  /** Starts it again; answers what it found on its own disk. */
  async restart(id: bigint): Promise<ControlStatus> {
    const { observed } = await restartReplica(
      this.#workspace.root,
      id,
      PATIENCE_MS,
      this.#outside,
    );
    if (observed.kind === "answering" && observed.status.state === "active") return observed.status;
    throw new CliError("E_REPLICA_FAILED", `replica ${id} did not come back`);
  }

  /** Lets this replica and the others not hear each other. Clients reach them all. */
  async partitionOff(id: bigint): Promise<void> {
    await this.#partition([[id], this.members.filter((other) => other !== id)]);
  }

  /** Ends that. */
  async heal(): Promise<void> {
    await this.#partition([]);
  }

  /** Waits until this replica follows and has everything that the primary has committed by now. */
  async caughtUp(id: bigint): Promise<ControlStatus> {
    const { commit_op: target } = await this.primary();
    return await this.#until(`replica ${id} has caught up`, (all) => {
      const found = all.find(({ replica }) => replica.id === id)!;
      if (found.kind !== "answering" || found.status.state !== "active") return undefined;
      const { role, applied_op } = found.status;
      const isMember = role === "backup" || role === "primary";
      return isMember && (applied_op ?? 0n) >= (target ?? 0n) ? found.status : undefined;
    });
  }

  /**
   * What each replica has, once all have equally much.
   *
   * @returns The same position for each, unless they had not got there when patience ended.
   */
  async copies(): Promise<readonly Copy[]> {
    let latest: readonly Copy[] = [];
    const isEven = (all: readonly Copy[]): boolean =>
      all.length === this.members.length && all.every(({ op }) => op === all[0]!.op);
    await waitFor(PATIENCE_MS, async () => {
      this.#hasLeft.throwIfAborted();
      const found = await Promise.all(this.#workspace.layout.replicas.map(copyOf));
      latest = found.filter((copy) => copy !== undefined);
      return isEven(latest) ? true : undefined;
    });
    return latest;
  }

  async #partition(groups: readonly (readonly bigint[])[]): Promise<void> {
    const request = { verb: "partition", workspace: this.#workspace.root, json: false } as const;
    const { unaware } = await changeWeather({ ...request, groups }, this.#outside.control);
    if (unaware.length === 0) return;
    throw new CliError("E_WAIT_TIMEOUT", `replica ${unaware[0]} has not noticed the partition`);
  }

  async #until<T>(
    what: string,
    find: (all: readonly Observed[]) => T | undefined,
  ): Promise<T> {
    const found = await waitFor(PATIENCE_MS, async () => {
      this.#hasLeft.throwIfAborted();
      return find(await this.#look());
    });
    if (found !== undefined) return found;
    throw new CliError("E_WAIT_TIMEOUT", `it took more than ${PATIENCE_MS} ms until ${what}`);
  }

  async #look(): Promise<readonly Observed[]> {
    const all = await observeAll(this.#workspace, this.#outside.control);
    this.#onLook(all);
    return all;
  }
}

async function copyOf(
  { id, controlAddr }: Workspace["layout"]["replicas"][number],
): Promise<Copy | undefined> {
  try {
    const request = { request: "digest" } as const;
    const found = await controlCall(controlAddr, request, { timeoutMs: DIGEST_MS_MAX });
    const digest = found.digest.toString(16).padStart(16, "0");
    return { replicaId: id, op: found.op, lsn: found.lsn, digest };
  } catch (error) {
    if (error instanceof ControlFailure) return undefined;
    throw error;
  }
}

/**
 * Ends whatever runs in a workspace: politely, or with kill -9 when that takes too long.
 *
 * @param path The workspace; it may be half made, or none.
 * @param control For asking politely.
 * @param stopMs How long they may take to stop before they are killed, in milliseconds.
 * @throws {CliError} When something runs all the same.
 */
export async function endReplicas(
  path: string,
  control: Control = controlPorts(),
  stopMs: number = STOP_MS_MAX,
): Promise<void> {
  try {
    await stopCluster(path, stopMs, control);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (error.code === "E_NO_WORKSPACE") return; // It never became one: nothing runs in it.
    await killAll(path, control);
  }
}

async function killAll(path: string, control: Control): Promise<void> {
  let failure: CliError | undefined;
  for (const { id } of findWorkspace(path).layout.replicas) {
    try {
      await crashReplica(path, id, control);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      if (error.code !== "E_NOT_RUNNING") failure = error;
    }
  }
  if (failure !== undefined) throw failure;
}
