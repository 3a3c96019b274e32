// One flipped bit, anywhere in a data directory that holds a log of two segments, two snapshots and metadata. A
// node must come up with exactly what was there, or refuse and leave every byte alone: never anything between.
//
// ALLOCDB_FLIPS=all flips every bit of every file; without it a seeded sample of them.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { Node } from "../../node/node.ts";
import { diskImage, fileNames } from "../../testbed/sim/disk/data_directory.ts";
import type { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { NodeHarness } from "../support/node_harness.ts";
import { bundle, confirm, create, reserve } from "../../testbed/sim/workload/requests.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const SAMPLE = 2_000;
const OPTIONS = { segmentBytes: 2_048, core: { maxResources: 60, maxOperations: 90 } };

/** A directory with everything in it, as a stopped process leaves it. */
function makeDirectory(): MemoryDisk {
  const harness = NodeHarness.start(OPTIONS);
  for (let id = 1n; id <= 20n; id++) harness.commit(create(id));
  harness.checkpoint();
  harness.commit(reserve(1n, 8n));
  harness.commit(bundle([2n, 3n], 8n));
  harness.checkpoint();
  harness.commit(confirm(21n));
  harness.crash();
  harness.reopen();
  harness.commit(create(21n));
  harness.crash();
  return harness.disk;
}

function stateOf({ node }: NodeHarness): unknown {
  return {
    lsn: node.metrics().core.lastAppliedLsn,
    resources: Array.from({ length: 24 }, (_, id) => node.getResource(BigInt(id))),
    reservations: [21n, 22n].map((id) => node.getReservation(id, undefined, 1n)),
  };
}

/** Which bits to flip, as positions over all files in order. */
function* chosenBits(bits: number): Generator<number> {
  if (Deno.env.get("ALLOCDB_FLIPS") === "all") {
    for (let bit = 0; bit < bits; bit++) yield bit;
    return;
  }
  const random = new SeededRandom(1);
  for (let i = 0; i < SAMPLE; i++) yield random.below(bits);
}

/** The file that a position falls into. */
function placeOf(
  chosen: number,
  files: readonly { name: string; bits: number }[],
): { name: string; bit: number } {
  let bit = chosen;
  for (const { name, bits } of files) {
    if (bit < bits) return { name, bit };
    bit -= bits;
  }
  throw new Error("No such bit");
}

/** Flips one bit and starts: answers whether the start was refused. */
function isRefused(disk: MemoryDisk, name: string, bit: number, expected: unknown): boolean {
  const trial = new NodeHarness({ ...OPTIONS, disk });
  disk.contents(name)[bit >> 3]! ^= 1 << (bit & 7);
  const before = diskImage(disk);
  if (startsOrThrows(trial)) {
    assertEquals(stateOf(trial), expected, `bit ${bit} of ${name} was accepted`);
    return false;
  }
  assertEquals(diskImage(disk), before, `bit ${bit} of ${name}: a refusal changed something`);
  return true;
}

/** A directory whose metadata is damaged is refused before the node is opened. */
function startsOrThrows(trial: NodeHarness): boolean {
  try {
    return trial.open() instanceof Node;
  } catch (error) {
    assert(error instanceof Error && error.message.startsWith("Not a data directory"), `${error}`);
    return false;
  }
}

Deno.test("a flipped bit is mended or refused, and never changes what is read", () => {
  const directory = makeDirectory();
  const healthy = new NodeHarness({ ...OPTIONS, disk: directory.crash("keep") });
  healthy.reopen();
  const expected = stateOf(healthy);
  const files = fileNames(directory).map((name) => ({ name, bits: directory.size(name)! * 8 }));
  const refusals = new Map<string, number>();
  for (const chosen of chosenBits(files.reduce((sum, file) => sum + file.bits, 0))) {
    const { name, bit } = placeOf(chosen, files);
    if (!isRefused(directory.crash("keep"), name, bit, expected)) continue;
    refusals.set(name, (refusals.get(name) ?? 0) + 1);
  }
  const names = [...refusals.keys()];
  assertEquals(
    names.filter((name) => !name.startsWith("state.wal")),
    [],
    "only the log has no copy",
  );
  assertGreater(refusals.get("state.wal") ?? 0, 50);
});
