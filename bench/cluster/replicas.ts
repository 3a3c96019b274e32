/** A cluster of AllocDB as its users run it: `allocdb cluster`, three processes, one workspace. */
import * as v from "valibot";
import { allocdbCommand } from "../peers/allocdb.ts";
import { runTool, sleep } from "../peers/process.ts";
import { loadBoundFlags } from "../../node/bench/load_bounds.ts";

/** How long a verb may try, and how long it may run. */
const VERB_SECONDS = 60;
const VERB_MS_MAX = (VERB_SECONDS + 30) * 1_000;
/** Between two looks at a cluster, in milliseconds. A look is a process of its own. */
const LOOK_MS = 250;

const REPLICA = v.object({
  replica: v.string(),
  state: v.string(),
  pid: v.nullable(v.number()),
  role: v.nullable(v.string()),
  applied_lsn: v.nullable(v.string()),
  commit_lsn: v.nullable(v.string()),
  client: v.string(),
  control: v.string(),
  wal: v.string(),
});

const STATUS = v.object({
  primary: v.nullable(v.string()),
  replicas: v.pipe(v.array(REPLICA), v.minLength(1)),
});

/** One replica, as `allocdb cluster status --json` tells it. */
export type ReplicaLook = v.InferOutput<typeof REPLICA>;

/** All of them. */
export type ClusterLook = v.InferOutput<typeof STATUS>;

/**
 * Reads what `allocdb cluster status --json` prints.
 *
 * @throws {Error} when it is something else; the message says what is missing.
 */
export function parseLook(json: string): ClusterLook {
  const { success, output, issues } = v.safeParse(STATUS, JSON.parse(json));
  if (success) return output;
  throw new Error(`allocdb cluster status gave no ${v.getDotPath(issues[0]) ?? "object"}`);
}

/** The replica that takes writes, if there is one. */
export function primaryIn({ primary, replicas }: ClusterLook): ReplicaLook | undefined {
  return replicas.find(({ replica }) => replica === primary);
}

/** Whether all replicas serve, one as primary and the others behind it. */
export function isWhole(look: ClusterLook): boolean {
  return primaryIn(look) !== undefined &&
    look.replicas.every(({ state, role, replica }) =>
      state === "active" && role === (replica === look.primary ? "primary" : "backup")
    );
}

/** Who runs the cluster, where, and until when. */
export interface ReplicasOptions {
  /** A compiled `allocdb`; the sources when absent. */
  readonly binary: string | undefined;
  /** A directory that does not exist yet. */
  readonly workspace: string;
  readonly signal: AbortSignal;
  /** Arguments of `cluster start`; unless told, bounds that no load fills up. */
  readonly start?: readonly string[];
}

/** A running cluster; stopped and gone when it is disposed of. */
export class Replicas implements AsyncDisposable {
  readonly #options: ReplicasOptions;
  readonly #pids = new Set<number>();

  private constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** Starts three replicas and waits until they serve. */
  static async start(options: ReplicasOptions): Promise<Replicas> {
    const replicas = new Replicas(options);
    try {
      const flags = options.start ?? loadBoundFlags();
      await replicas.#verb("start", [...flags, "--timeout", `${VERB_SECONDS}s`]);
      await replicas.untilWhole();
      return replicas;
    } catch (error) {
      await replicas[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #verb(
    verb: string,
    args: readonly string[],
    signal: AbortSignal = this.#options.signal,
  ): Promise<string> {
    const { binary, workspace } = this.#options;
    const [program, leading] = allocdbCommand(binary);
    const words = ["cluster", verb, "--workspace", workspace, "--json", ...args];
    return await runTool(program, [...leading, ...words], { signal, timeoutMs: VERB_MS_MAX });
  }

  /** The cluster as it is now. */
  async look(): Promise<ClusterLook> {
    const look = parseLook(await this.#verb("status", []));
    for (const { pid } of look.replicas) if (pid !== null) this.#pids.add(pid);
    return look;
  }

  /**
   * Looks again and again until all replicas serve.
   *
   * @throws {Error} when they do not in a minute.
   */
  async untilWhole(): Promise<ClusterLook> {
    const endMs = performance.now() + VERB_SECONDS * 1_000;
    let look = await this.look();
    while (!isWhole(look)) {
      if (performance.now() > endMs) throw new Error(`Not all replicas serve: ${summary(look)}`);
      await sleep(LOOK_MS, this.#options.signal);
      look = await this.look();
    }
    return look;
  }

  /** The primary of a cluster that serves. */
  async primary(): Promise<ReplicaLook> {
    const found = primaryIn(await this.look());
    if (found === undefined) throw new Error("The cluster has no primary");
    return found;
  }

  /** Starts a replica again that was killed. */
  async restart({ replica }: ReplicaLook): Promise<void> {
    await this.#verb("restart", ["--replica-id", replica, "--timeout", `${VERB_SECONDS}s`]);
  }

  /** Stops all replicas; what does not stop is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { signal } = new AbortController(); // The run may have been called off already.
    try {
      await this.#verb("stop", ["--timeout", "15s"], signal);
    } catch {
      for (const pid of this.#pids) killIfAllocdb(pid);
    }
  }
}

function summary({ replicas }: ClusterLook): string {
  return replicas.map(({ replica, state, role }) => `${replica} ${state} ${role ?? "-"}`).join(
    ", ",
  );
}

/** Kills a replica that we have seen running; never a process that got its number since. */
function killIfAllocdb(pid: number): void {
  try {
    const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    if (command.includes("replica") && command.includes("run")) Deno.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}
