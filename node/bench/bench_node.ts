/** A node inside this process, over a directory that only it uses. */
import type { NodeConfig } from "../config/text.ts";
import type { Disk } from "../disk.ts";
import { CliError } from "../errors.ts";
import { SILENT_LOG } from "../log_lines.ts";
import { Node } from "../node.ts";
import { openNode } from "../open_node.ts";
import { ANY_SLOT_LEAD } from "../recover.ts";

/** Any cluster will do: the directory is removed after the run. */
const CLUSTER_ID = new Uint8Array(16).fill(0xbe);

/**
 * Opens a node that takes explicit slots however far ahead and expires nothing by itself.
 *
 * @param disk Where its files are; a new log is made if there is none.
 * @param config Its bounds.
 * @returns The node; whoever gets it drains and closes it.
 * @throws {CliError} When the directory cannot be used.
 */
export function openBenchNode(disk: Disk, config: NodeConfig): Node {
  const node = openNode({
    disk,
    clusterId: CLUSTER_ID,
    replicaId: 1n,
    core: config.core,
    engine: config.engine,
    clock: { nowMs: () => performance.now() },
    later: (task) => void setTimeout(task, 0),
    atEndOfTurn: queueMicrotask,
    log: SILENT_LOG,
    hashSeed: 0x5eed,
    expectFresh: true,
    slotLeadMax: ANY_SLOT_LEAD,
  });
  if (node instanceof Node) return node;
  const full = node.fault?.kind === "disk_full";
  throw new CliError(full ? "E_DISK_FULL" : "E_IO", `cannot open a node: ${node.error}`);
}

/** Ends a node in order: everything taken in is answered and the files are closed. */
export async function closeBenchNode(node: Node): Promise<void> {
  await node.drain();
  node.close();
}
