/** Collects the logs of all replicas for as long as a run lasts. */
import type { ClusterLayout } from "../../../../cluster/workspace/layout.ts";
import type { CoreConfig } from "../../../../core/config.ts";
import type { LogIdentity } from "../../../../core/log_segment.ts";
import { writeU64 } from "../../../../core/words.ts";
import { configFingerprint } from "../../../../node/config/text.ts";
import { ReadDisk } from "../../../../node/offline/read_disk.ts";
import type { ClusterEvidence } from "../../evidence/evidence.ts";
import { CliError } from "../../../../node/errors.ts";
import { primaryOf, type ReplicaDigest, type ReplicaStatus } from "../backend.ts";
import { pause } from "../pause.ts";
import { EntryPool } from "./entry_pool.ts";
import { LogCollector } from "./log_collector.ts";

/** Between two looks at the files, in milliseconds: far more often than checkpoints delete any. */
const LOOK_MS = 500;

/** How long a majority may take to hear of a commit, in milliseconds, and between two looks. */
const HEARD_MS_MAX = 10_000;
const HEARD_LOOK_MS = 50;

/** See the top of this file. */
export class EvidenceCollector {
  readonly #core: CoreConfig;
  readonly #logs: ReadonlyMap<number, LogCollector>;
  readonly #statuses: () => Promise<readonly ReplicaStatus[]>;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** What was committed before the cluster was last brought to rest. */
  #floorOp = 0;

  /**
   * @param core Bounds of the cluster.
   * @param logs One of each replica, by its id.
   * @param statuses What replicas say now.
   */
  constructor(
    core: CoreConfig,
    logs: ReadonlyMap<number, LogCollector>,
    statuses: () => Promise<readonly ReplicaStatus[]>,
  ) {
    this.#core = core;
    this.#logs = logs;
    this.#statuses = statuses;
  }

  /** Looks from now on. */
  start(): void {
    this.#running ??= this.#run();
    this.#running.catch(() => {}); // Whoever stops it is told.
  }

  /** Looks no more; throws what looking failed with, if it did. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** A replica's data is about to be gone. */
  startOver(id: number): void {
    this.#logs.get(id)!.startOver();
  }

  /** The cluster is about to be brought to rest: what was committed until now may not be missing then. */
  settling(): void {
    const logs = [...this.#logs.values()];
    this.#floorOp = Math.max(...logs.map(({ commitOp }) => commitOp));
  }

  /**
   * All that was collected, with what is there now, up to one op: that of the digests, or else one that a majority knows to
   * be committed. Behind it the cluster may decide something by itself at any time, of which some have not heard yet.
   *
   * @param digests Of all replicas at one op; none when they never came to rest.
   * @throws {CliError} E_WAIT_TIMEOUT when there is no primary, or no majority hears what it calls committed.
   */
  async evidence(digests: readonly ReplicaDigest[]): Promise<ClusterEvidence> {
    const [settled] = digests;
    const told = settled === undefined
      ? await this.#heard()
      : { op: settled.op, by: digests.map(({ id }) => ({ id, commitOp: settled.op })) };
    for (const { id, commitOp } of told.by) this.#logs.get(id)!.complete(commitOp);
    // Had more been committed before everybody came to rest than they hold now, it would be lost: a judge has to see it.
    const upTo = Math.max(Number(told.op), this.#floorOp);
    return {
      ...{ core: this.#core, replicaCount: this.#logs.size },
      logs: [...this.#logs.values()].flatMap((log) => log.pieces(upTo)),
      states: digests.map(({ id, op, digest }) => ({ replicaId: id, op: Number(op), digest })),
    };
  }

  /** Waits until a majority has heard of whatever the primary calls committed now; what clients were told is not behind it. */
  async #heard(): Promise<{ readonly op: bigint; readonly by: readonly Told[] }> {
    const statuses = await this.#statuses();
    const primary = statuses.find(({ id }) => id === primaryOf(statuses));
    if (primary === undefined) throw new CliError("E_WAIT_TIMEOUT", "no replica serves");
    const op = primary.commitOp ?? 0n;
    const deadline = performance.now() + HEARD_MS_MAX;
    for (;;) {
      const by = (await this.#statuses()).flatMap(({ id, commitOp }) =>
        commitOp === undefined ? [] : [{ id, commitOp: commitOp < op ? commitOp : op }]
      );
      const heard = by.filter(({ commitOp }) => commitOp === op).length;
      if (2 * heard > this.#logs.size) return { op, by };
      if (performance.now() > deadline) {
        throw new CliError("E_WAIT_TIMEOUT", `no majority knows that op ${op} is committed`);
      }
      await pause(HEARD_LOOK_MS);
    }
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const { id, commitOp } of await this.#statuses()) {
        if (commitOp !== undefined) this.#logs.get(id)!.collect(commitOp);
      }
      await pause(LOOK_MS, this.#stop.signal);
    }
  }
}

/** How far a replica says that its log is committed. */
interface Told {
  readonly id: number;
  readonly commitOp: bigint;
}

/** What reads the logs of a cluster that runs here, by replica. */
export function logsOf(layout: ClusterLayout): ReadonlyMap<number, LogCollector> {
  const pool = new EntryPool();
  const identity = identityOf(layout);
  return new Map(
    layout.replicas.map(({ id, directory }) => {
      const disk = new ReadDisk(directory);
      return [Number(id), new LogCollector(Number(id), disk, identity, pool)];
    }),
  );
}

function identityOf({ clusterId, config }: ClusterLayout): LogIdentity {
  const shardId = new Uint32Array(2);
  writeU64(shardId, 0, config.core.shardId);
  return { clusterId, shardId, configFingerprint: configFingerprint(config.core) };
}
