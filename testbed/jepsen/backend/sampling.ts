/** What replicas say of themselves, written down again and again while a run goes on. */
import type { ReplicaSample } from "../history/event.ts";
import type { Backend, ReplicaStatus } from "./backend.ts";
import { pause } from "./pause.ts";

/** Where samples go; a recorder of histories is one. */
export interface SampleSink {
  sample(event: ReplicaSample): void;
  /** Nanoseconds since the run began. */
  nowNs(): number;
}

/** Between two looks, in milliseconds. */
const SAMPLE_MS = 250;

/**
 * Samples until told to stop.
 *
 * @returns What stops it, and resolves once it has; rejects with what sampling failed with, if it did.
 */
export function startSampling(
  backend: Pick<Backend, "statuses">,
  sink: SampleSink,
  everyMs: number = SAMPLE_MS,
): () => Promise<void> {
  const stop = new AbortController();
  const running = sampleUntil(stop.signal, backend, sink, everyMs);
  running.catch(() => {}); // Whoever stops it is told.
  return async () => {
    stop.abort();
    await running;
  };
}

async function sampleUntil(
  signal: AbortSignal,
  backend: Pick<Backend, "statuses">,
  sink: SampleSink,
  everyMs: number,
): Promise<void> {
  while (!signal.aborted) {
    const since = performance.now();
    const statuses = await backend.statuses();
    if (signal.aborted) return;
    for (const status of statuses) sink.sample(sampleOf(status, sink.nowNs()));
    await pause(everyMs - (performance.now() - since), signal);
  }
}

function sampleOf(status: ReplicaStatus, timeNs: number): ReplicaSample {
  const { id, state, role, view, commitLsn, detail } = status;
  return {
    ...{ type: "replica", timeNs, replicaId: id, state },
    ...(role === undefined ? {} : { role }),
    ...(view === undefined ? {} : { view }),
    ...(commitLsn === undefined ? {} : { commitLsn }),
    ...(detail === undefined ? {} : { detail }),
  };
}
