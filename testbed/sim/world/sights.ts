/** Tells an observer what becomes of replicas: each change once. */
import type { ClusterMachine } from "./machine.ts";
import type { ProcessChange, ReplicaSight, WorldObserver } from "./observer.ts";

/** See the top of this file. */
export class Sights {
  readonly #observer: WorldObserver;
  readonly #nowMs: () => number;
  readonly #seen: ReplicaSight[] = [];

  /**
   * @param observer Who is told.
   * @param nowMs Virtual time in milliseconds.
   */
  constructor(observer: WorldObserver, nowMs: () => number) {
    this.#observer = observer;
    this.#nowMs = nowMs;
  }

  /** Something happened to a process. */
  process({ id, index }: ClusterMachine, change: ProcessChange, detail: string): void {
    delete this.#seen[index];
    this.#observer.process(this.#nowMs(), id, change, detail);
  }

  /** A turn of a replica is over. */
  replica({ id, index, subject }: ClusterMachine): void {
    const status = subject?.status();
    if (status === undefined) return;
    const { role, view, commitOp } = status;
    const seen = this.#seen[index];
    if (seen?.role === role && seen.view === view && seen.commitOp === commitOp) return;
    this.#seen[index] = { role, view, commitOp };
    this.#observer.replica(this.#nowMs(), id, this.#seen[index]);
  }
}
