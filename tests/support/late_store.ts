/** A data directory that has come as far as a test wants without anybody writing that much. */
import type { CoreConfig } from "../../core/config.ts";
import type { LogIdentity } from "../../core/log_segment.ts";
import { createTip, type Tip, TipWord } from "../../core/log_tip.ts";
import { createEngine, Progress } from "../../core/state.ts";
import { writeU64 } from "../../core/words.ts";
import { configFingerprint } from "../../node/config/text.ts";
import { initDataDirectory } from "../../node/data_dir.ts";
import { installSegment } from "../../node/log/files.ts";
import { snapshotBlocks } from "./core_builders.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { u64Words } from "../../testbed/sim/workload/requests.ts";
import { writeSnapshot } from "./snapshots.ts";

const CHAIN_HASH = 0x1234_5678_9abc_def0n;
const SEGMENT_BYTES = 4_096;

/**
 * Makes a data directory without resources whose snapshot and log both stand at a position.
 *
 * @param core Its bounds.
 * @param lsn The last position; op and lsn are equal.
 * @param slot The last slot.
 */
export function storeAt(core: CoreConfig, lsn: bigint, slot: bigint): MemoryDisk {
  const disk = new MemoryDisk();
  initDataDirectory(disk, {
    replicaId: 1n,
    core,
    createdAt: "2026-01-01T00:00:00.000Z",
    fillClusterId: (into) => into.fill(9),
    createLog: ({ clusterId }) => {
      const identity = {
        clusterId,
        shardId: u64Words(core.shardId),
        configFingerprint: configFingerprint(core),
      };
      installAt(disk, identity, tipAt(lsn, slot));
      snapshotAt(disk, core, clusterId, lsn, slot);
    },
  });
  return disk;
}

function installAt(disk: MemoryDisk, identity: LogIdentity, base: Tip): void {
  const header = { identity, generation: 1n, base, bytes: SEGMENT_BYTES };
  installSegment(disk, header, new Uint8Array(), undefined).close();
}

function snapshotAt(
  disk: MemoryDisk,
  core: CoreConfig,
  clusterId: Uint8Array,
  lsn: bigint,
  requestSlot: bigint,
): void {
  const engine = createEngine(core);
  writeU64(engine.progress, Progress.lastLsn, lsn);
  writeU64(engine.progress, Progress.lastSlot, requestSlot);
  const identity = { clusterId, shardId: core.shardId, fingerprint: configFingerprint(core) };
  const header = { ...identity, op: lsn, lsn, requestSlot, view: 1n, chainHash: CHAIN_HASH };
  writeSnapshot(disk, header, snapshotBlocks(engine));
}

function tipAt(lsn: bigint, slot: bigint): Tip {
  const tip = createTip();
  writeU64(tip, TipWord.op, lsn);
  writeU64(tip, TipWord.lsn, lsn);
  writeU64(tip, TipWord.slot, slot);
  writeU64(tip, TipWord.view, 1n);
  writeU64(tip, TipWord.hash, CHAIN_HASH);
  return tip;
}
