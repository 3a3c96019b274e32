/** Snapshots for tests: content is a list of blocks. */
import type { Disk, DiskFault } from "../../node/disk.ts";
import type { SnapshotHeader } from "../../node/snapshot/format.ts";
import { type BlockSink, loadSnapshot, type SnapshotLoad } from "../../node/snapshot/reader.ts";
import { type BlockSource, SnapshotWriter } from "../../node/snapshot/store.ts";

/** A header whose every field is different; `op` tells generations apart. */
export function snapshotHeader(op: bigint): SnapshotHeader {
  return {
    clusterId: Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i),
    shardId: 0x0102_0304_0506_0708n,
    fingerprint: Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i),
    op,
    lsn: op + 1n,
    requestSlot: op + 2n,
    view: 3n,
    chainHash: 0xfedc_ba98_7654_3210n,
  };
}

/** Blocks of the given lengths, filled with what depends on seed and place. */
export function blocksOf(seed: number, lengths: readonly number[]): Uint8Array[] {
  return lengths.map((length, ordinal) => {
    const block = new Uint8Array(length);
    for (let i = 0; i < length; i++) block[i] = seed * 31 + ordinal * 7 + i * 3 + 1;
    return block;
  });
}

/** Gives out the blocks in order. */
export function sourceOf(blocks: readonly Uint8Array[]): BlockSource {
  let ordinal = 0;
  return {
    next(into: Uint8Array): number {
      const block = blocks[ordinal++];
      if (block === undefined) return 0;
      into.set(block);
      return block.length;
    },
  };
}

/** Keeps a copy of every block. */
export class CollectingSink implements BlockSink {
  readonly blocks: Uint8Array[] = [];

  accept(block: Uint8Array): string | undefined {
    this.blocks.push(block.slice());
    return undefined;
  }

  finish(): string | undefined {
    return undefined;
  }
}

/** Writes one whole snapshot; `done` as for {@linkcode SnapshotWriter.finish}. */
export function writeSnapshot(
  disk: Disk,
  header: SnapshotHeader,
  blocks: readonly Uint8Array[],
  done: (fault: DiskFault | undefined) => void = throwFault,
  keepPrevious = false,
): void {
  const writer = SnapshotWriter.start(disk, header, keepPrevious);
  const source = sourceOf(blocks);
  while (writer.step(source) === "more");
  writer.finish(done);
}

/** Loads with the identity of {@linkcode snapshotHeader}. */
export function loadAny(disk: Disk, fileBytesMax = 1 << 26): SnapshotLoad<CollectingSink> {
  return loadSnapshot(disk, snapshotHeader(0n), fileBytesMax, () => new CollectingSink());
}

function throwFault(fault: DiskFault | undefined): void {
  if (fault !== undefined) throw fault;
}
