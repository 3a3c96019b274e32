// Prints what a long life takes after 200,000 events and after 1,000,000. Run by memory_test.ts, with --expose-gc.
import { ClusterWorld } from "../../testbed/sim/world/world.ts";

/** What is measured. */
export interface Taken {
  readonly events: number;
  /** Bytes, of objects and of what they hold elsewhere. */
  readonly bytes: number;
  /** Entries of what judges keep. */
  readonly kept: number;
  /** Bytes of all files of all disks. */
  readonly diskBytes: number;
  readonly decided: number;
}

if (import.meta.main) {
  // Operations are forgotten after a while and logs cut off, as in clusters that run for long.
  const world = new ClusterWorld({
    seed: 1,
    core: { maxClientRetryWindowSlots: 3_000n },
    checkpoints: { bytes: 1e9, frames: 1_000, ageMs: 1e9 },
  });
  console.log(JSON.stringify([200_000, 1_000_000].map((events) => taken(world, events))));
}

function taken(world: ClusterWorld, events: number): Taken {
  while (world.queue.happened < events) world.run(100);
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  return {
    events: world.queue.happened,
    bytes: heapUsed + external,
    kept: world.judges.kept,
    diskBytes: world.machines.reduce((sum, { disk }) => sum + bytesOf(disk), 0),
    decided: world.judges.truth.op,
  };
}

function bytesOf(disk: ClusterWorld["machines"][number]["disk"]): number {
  return disk.list().reduce((sum, name) => sum + (disk.size(name) ?? 0), 0);
}

function collect(): void {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("--v8-flags=--expose-gc");
  gc();
  gc();
}
