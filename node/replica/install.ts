/** A received snapshot takes the place of the newest one. The next recovery loads it and goes on behind it. */
import { TipWord } from "../../core/log_tip.ts";
import { readU64 } from "../../core/words.ts";
import { type Disk, DiskFault } from "../disk.ts";
import type { Node } from "../node.ts";
import { configFingerprint } from "../config/text.ts";
import { proveSnapshot } from "../snapshot/reader.ts";
import { SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE, snapshotBytesMax } from "../snapshot/store.ts";
import type { SnapshotFacts } from "../vsr/log_port.ts";
import { TRANSFER_FILE } from "./transfer.ts";

/**
 * Proves a received file and makes it the newest snapshot, durably. What of the log was never committed and would
 * contradict it is cut first.
 *
 * @param disk The data directory.
 * @param node Whose state it will replace; nothing of its log is being written.
 * @param facts What was offered.
 * @returns Why it was not installed, or `undefined`: the node must then be recovered anew.
 */
export function installSnapshot(disk: Disk, node: Node, facts: SnapshotFacts): string | undefined {
  const { core, clusterId } = node.identity;
  const identity = { clusterId, shardId: core.shardId, fingerprint: configFingerprint(core) };
  try {
    const header = proveSnapshot(disk, TRANSFER_FILE, identity, snapshotBytesMax(core));
    if (typeof header === "string") return header;
    if (header.op !== facts.op || header.chainHash !== facts.hash) return "it is another one";
    const { commitOp } = node.driver.state;
    if (facts.op <= commitOp) return "the replica has caught up without it";
    if (readU64(node.writer.tip, TipWord.op) > commitOp) {
      const fault = node.writer.cutAfter(commitOp);
      if (fault !== undefined) return fault.message;
    }
    if (disk.size(SNAPSHOT_FILE) !== undefined) disk.rename(SNAPSHOT_FILE, SNAPSHOT_PREVIOUS_FILE);
    disk.rename(TRANSFER_FILE, SNAPSHOT_FILE);
    disk.syncDirectory();
    return undefined;
  } catch (error) {
    if (error instanceof DiskFault) return error.message;
    throw error;
  }
}
