// The engine's blocks and the container meet only in files: a state that is written out in slices while the
// engine goes on, and read back, must be the state at the moment it was frozen, bit for bit.
import { assert, assertEquals } from "@std/assert";
import type { CoreConfig } from "../core/config.ts";
import { digest } from "../core/digest.ts";
import {
  acceptBlock,
  beginRestore,
  beginSnapshot,
  BLOCK_BYTES_MAX,
  endSnapshot,
  finishRestore,
  nextBlock,
} from "../core/snapshot.ts";
import type { Engine } from "../core/state.ts";
import { BLOCK_BYTES_MAX as CONTAINER_BLOCK_BYTES_MAX } from "../node/snapshot/format.ts";
import { type BlockSink, loadSnapshot } from "../node/snapshot/reader.ts";
import {
  type BlockSource,
  SNAPSHOT_FILE,
  snapshotBytesMax,
  SnapshotWriter,
} from "../node/snapshot/store.ts";
import { apply, type Bench, createBench, TINY_CONFIG } from "./support/core_builders.ts";
import { MemoryDisk } from "../testbed/sim/disk/memory_disk.ts";
import { snapshotHeader } from "./support/snapshots.ts";

Deno.test("a snapshot file gives back the state at which it was begun, while the engine goes on", () => {
  const bench = filledBench({
    maxResources: 30_000,
    maxReservations: 30_000,
    maxOperations: 60_000,
  });
  const frozen = digest(bench.engine);
  const disk = new MemoryDisk();
  const source = beginSnapshot(bench.engine);
  const writer = SnapshotWriter.start(disk, snapshotHeader(1n));
  let slices = 1;
  for (; writer.step(sourceOf(source)) === "more"; slices++) {
    for (let i = 0; i < 50; i++) {
      apply(bench, { kind: "create_resource", resourceId: 1_000_000n + bench.lsn });
      apply(bench, { kind: "revoke", reservationId: 2n * bench.lsn });
    }
  }
  endSnapshot(source);
  writer.finish((fault) => assertEquals(fault, undefined));
  assert(slices > 3);
  assert(digest(bench.engine) !== frozen);
  const restored = restore(disk, bench.engine.config);
  assertEquals(digest(restored), frozen);
});

Deno.test("snapshotBytesMax() is no less than the file of a full engine, and not much more", () => {
  const shapes: readonly Partial<CoreConfig>[] = [
    {},
    { maxResources: 1, maxReservations: 1, maxOperations: 1, maxBundleSize: 1 },
    { maxResources: 2_000, maxReservations: 2_000, maxOperations: 8_000, maxBundleSize: 4 },
    { maxResources: 400, maxReservations: 400, maxOperations: 900, maxBundleSize: 400 },
  ];
  for (const shape of shapes) {
    const bench = filledBench(shape);
    const disk = new MemoryDisk();
    const source = beginSnapshot(bench.engine);
    const writer = SnapshotWriter.start(disk, snapshotHeader(1n));
    while (writer.step(sourceOf(source)) === "more");
    endSnapshot(source);
    writer.finish((fault) => assertEquals(fault, undefined));
    const bytes = disk.size(SNAPSHOT_FILE)!;
    const bound = snapshotBytesMax(bench.engine.config);
    assert(bytes <= bound && bound < 4 * bytes + 4_096, `${bytes} of ${bound}`);
    restore(disk, bench.engine.config);
  }
});

Deno.test("the engine's blocks and the container agree on the largest block", () => {
  assertEquals(CONTAINER_BLOCK_BYTES_MAX, BLOCK_BYTES_MAX);
});

/** Every resource made and reserved, and the operations full. */
function filledBench(changes: Partial<CoreConfig>): Bench {
  const merged = { ...TINY_CONFIG, ...changes };
  const bench = createBench({ ...changes, maxExpirationBucketLen: merged.maxReservations });
  for (let i = 1n; i <= BigInt(merged.maxResources); i++) {
    apply(bench, { kind: "create_resource", resourceId: i });
  }
  for (let i = 1n; i <= BigInt(merged.maxReservations); i++) {
    apply(bench, { kind: "reserve", resourceId: i, holderId: 7n, ttlSlots: 8n });
  }
  const rows = merged.maxOperations + 2 * merged.maxReservations;
  for (let i = 0; i < rows; i++) apply(bench, { kind: "create_resource", resourceId: 1n });
  return bench;
}

function sourceOf(source: Parameters<typeof nextBlock>[0]): BlockSource {
  return { next: (into) => nextBlock(source, into) };
}

function restore(disk: MemoryDisk, config: CoreConfig): Engine {
  const loaded = loadSnapshot(
    disk,
    snapshotHeader(0n),
    snapshotBytesMax(config),
    () => new EngineSink(config),
  );
  assert(loaded.kind === "loaded", loaded.kind);
  assert(loaded.sink.engine !== undefined);
  return loaded.sink.engine;
}

class EngineSink implements BlockSink {
  engine: Engine | undefined;
  readonly #sink: ReturnType<typeof beginRestore>;

  constructor(config: CoreConfig) {
    this.#sink = beginRestore(config);
  }

  accept(block: Uint8Array): string | undefined {
    return acceptBlock(this.#sink, block);
  }

  finish(): string | undefined {
    const engine = finishRestore(this.#sink);
    if (typeof engine === "string") return engine;
    this.engine = engine;
    return undefined;
  }
}
