/** A node with snapshots of two generations and a log that no longer goes back to its beginning. */
import { assertEquals } from "@std/assert";
import { NodeHarness } from "./node_harness.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";

/** Bounds of {@linkcode checkpointedTwice}, for whoever opens its disk again. */
export const CHECKPOINTED_CORE = { maxOperations: 200, maxResources: 500 };

/** Checkpointed at 40 and 80, with a long log behind that. */
export function checkpointedTwice(): NodeHarness {
  const harness = NodeHarness.start({ core: CHECKPOINTED_CORE });
  for (let round = 0; round < 2; round++) {
    writeMuch(harness, round * 100);
    assertEquals(harness.checkpoint().kind, "done");
  }
  writeMuch(harness, 200);
  harness.commit(reserve(1n));
  return harness;
}

/** So much that the log rotates. */
function writeMuch(harness: NodeHarness, from: number): void {
  for (let i = 0; i < 40; i++) harness.do(create(BigInt(from + i)));
}
