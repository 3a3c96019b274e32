/** A real node over a disk in memory, run by the real event loop, with a clock that the test moves. */
import { PROFILES } from "../../node/config/profiles.ts";
import { SILENT_LOG } from "../../node/log_lines.ts";
import { Node } from "../../node/node.ts";
import { openNode } from "../../node/open_node.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";

/** See the top of this file. */
export interface LiveNode {
  readonly node: Node;
  readonly disk: MemoryDisk;
  readonly clock: { ms: number };
}

/** Opens a node on an empty disk, with the bounds of the profile `small`. */
export function openLiveNode(): LiveNode {
  const disk = new MemoryDisk();
  const clock = { ms: 0 };
  const node = openNode({
    ...PROFILES.small,
    disk,
    clusterId: Uint8Array.from({ length: 16 }, (_, i) => i),
    replicaId: 1n,
    clock: { nowMs: () => clock.ms },
    later: (task) => void setTimeout(task, 0),
    atEndOfTurn: queueMicrotask,
    log: SILENT_LOG,
    hashSeed: 1,
    expectFresh: true,
    segmentBytes: 1 << 20,
  });
  if (!(node instanceof Node)) throw new Error(`An empty disk was refused: ${node.error}`);
  return { node, disk, clock };
}
