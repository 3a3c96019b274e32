/** Collects the logs of all replicas for as long as a run lasts. */
import type { ClusterLayout } from "../../../../cluster/workspace/layout.ts";
import type { LogIdentity } from "../../../../core/log_segment.ts";
import { writeU64 } from "../../../../core/words.ts";
import { configFingerprint } from "../../../../node/config/text.ts";
import { ReadDisk } from "../../../../node/offline/read_disk.ts";
import type { ClusterEvidence } from "../../evidence/evidence.ts";
import type { ReplicaDigest, ReplicaStatus } from "../backend.ts";
import { pause } from "../pause.ts";
import { EntryPool, LogCollector } from "./log_collector.ts";

/** Between two looks at the files, in milliseconds: far more often than checkpoints delete any. */
const LOOK_MS = 500;

/** See the top of this file. */
export class EvidenceCollector {
  readonly #layout: ClusterLayout;
  readonly #statuses: () => Promise<readonly ReplicaStatus[]>;
  readonly #logs: ReadonlyMap<number, LogCollector>;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(layout: ClusterLayout, statuses: () => Promise<readonly ReplicaStatus[]>) {
    const pool = new EntryPool();
    const identity = identityOf(layout);
    this.#layout = layout;
    this.#statuses = statuses;
    this.#logs = new Map(
      layout.replicas.map(({ id, directory }) => {
        const disk = new ReadDisk(directory);
        return [Number(id), new LogCollector(Number(id), disk, identity, pool)];
      }),
    );
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

  /** All that was collected, with what is there now. */
  async evidence(digests: readonly ReplicaDigest[]): Promise<ClusterEvidence> {
    for (const { id, commitOp } of await this.#statuses()) {
      if (commitOp !== undefined) this.#logs.get(id)!.complete(commitOp);
    }
    const { config, replicas } = this.#layout;
    return {
      ...{ core: config.core, replicaCount: replicas.length },
      logs: [...this.#logs.values()].flatMap((log) => log.pieces()),
      states: digests.map(({ id, op, digest }) => ({ replicaId: id, op: Number(op), digest })),
    };
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

function identityOf({ clusterId, config }: ClusterLayout): LogIdentity {
  const shardId = new Uint32Array(2);
  writeU64(shardId, 0, config.core.shardId);
  return { clusterId, shardId, configFingerprint: configFingerprint(config.core) };
}
