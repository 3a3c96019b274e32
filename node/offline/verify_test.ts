// verify decides whether two replicas have diverged, the one thing that must never happen. It must find a divergence
// at its op, must not cry over tails that only one replica saw, and must not pass damaged data.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { digest } from "../../core/digest.ts";
import { CHECKPOINTED_CORE, checkpointedTwice } from "../../tests/support/checkpointed.ts";
import type { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { NodeHarness } from "../../tests/support/node_harness.ts";
import { create, reserve } from "../../testbed/sim/workload/requests.ts";
import { changeMetadata, metadataOf } from "../../tests/support/stored_replica.ts";
import { DamagedData, readHistory, replayTo } from "./replay.ts";
import { compareDirectories, verifyDirectory } from "./verify.ts";

/** The same commands give the same log; the cluster id is the same, too. */
function history(...resources: readonly bigint[]): NodeHarness {
  const harness = NodeHarness.start({ core: CHECKPOINTED_CORE });
  for (const id of resources) harness.commit(create(id));
  return harness;
}

async function stopped(harness: NodeHarness): Promise<MemoryDisk> {
  await harness.stop();
  return harness.disk;
}

function side(disk: MemoryDisk): { disk: MemoryDisk; metadata: ReturnType<typeof metadataOf> } {
  return { disk, metadata: metadataOf(disk) };
}

Deno.test("verifyDirectory() leads to the state that the node had", async () => {
  const harness = checkpointedTwice();
  const expected = digest(harness.node.executor.engine);
  const disk = await stopped(harness);
  const verified = verifyDirectory(disk, metadataOf(disk));
  assertEquals([verified.tipOp, verified.state.lsn], [121n, 121n]);
  assertEquals(verified.state.digest, expected);
  assertEquals(verified.state.hash, verified.tipHash);
});

Deno.test("replayTo() gives at every op the state that a node had there, with snapshots and without", async () => {
  const expected = new Map<bigint, bigint>();
  const harness = history();
  for (let i = 1n; i <= 60n; i++) {
    harness.commit(create(i));
    expected.set(i, digest(harness.node.executor.engine));
    if (i === 25n || i === 40n) harness.checkpoint();
  }
  const disk = await stopped(harness);
  const metadata = metadataOf(disk);
  for (const op of [25n, 26n, 39n, 40n, 41n, 60n]) {
    assertEquals(replayTo(disk, metadata, op)?.digest, expected.get(op), `op ${op}`);
  }
  assertEquals(replayTo(disk, metadata, 10n), undefined);
  assertThrows(() => replayTo(disk, metadata, 61n), DamagedData, "not to op 61");
});

Deno.test("readHistory() agrees with replayTo() about chain hashes", async () => {
  const disk = await stopped(checkpointedTwice());
  const metadata = metadataOf(disk);
  const { baseOp, tipOp, hashAt } = readHistory(disk, metadata);
  for (const op of [40n, 79n, 80n, 81n, 121n]) {
    assertEquals(hashAt(op), replayTo(disk, metadata, op)?.hash, `op ${op}`);
  }
  assertEquals([hashAt(baseOp - 1n), hashAt(tipOp + 1n)], [undefined, undefined]);
});

Deno.test("verifyDirectory() refuses a flipped bit in any frame or snapshot that it needs", async () => {
  const disk = await stopped(history(1n, 2n, 3n, 4n));
  const segment = disk.list().find((name) => name === "state.wal")!;
  for (const at of [530, 560, 600, 640]) {
    disk.contents(segment)[at]! ^= 4;
    assertThrows(() => verifyDirectory(disk, metadataOf(disk)), DamagedData, segment);
    disk.contents(segment)[at]! ^= 4;
  }
  assertEquals(verifyDirectory(disk, metadataOf(disk)).tipOp, 4n);
});

Deno.test("compareDirectories() finds one history in two replicas of different lengths", async () => {
  const short = await stopped(history(1n, 2n));
  const long = await stopped(history(1n, 2n, 3n));
  const comparison = compareDirectories(side(short), side(long));
  assertEquals(comparison.verdict, "same_history");
  assertEquals([comparison.commonOp, comparison.differsAtOp], [2n, undefined]);
  assertEquals(comparison.digests?.[0], replayTo(short, metadataOf(short), 2n)?.digest);
});

Deno.test("compareDirectories() forgives tails behind every known commit and nothing before", async () => {
  const a = await stopped(history(1n, 2n, 3n, 4n));
  const b = await stopped(history(1n, 2n, 33n, 44n));
  const tails = compareDirectories(side(a), side(b));
  assertEquals([tails.verdict, tails.commonOp, tails.differsAtOp], ["different_tails", 2n, 3n]);
  changeMetadata(a, { commitOpHint: 2n });
  assertEquals(compareDirectories(side(a), side(b)).verdict, "different_tails");
  changeMetadata(a, { commitOpHint: 3n });
  for (const pair of [[a, b], [b, a]] as const) {
    const diverged = compareDirectories(side(pair[0]), side(pair[1]));
    assertEquals([diverged.verdict, diverged.differsAtOp], ["diverged", 3n]);
  }
});

Deno.test("compareDirectories() sees histories that differ from the first op that both have", async () => {
  const harness = checkpointedTwice();
  const a = await stopped(harness);
  const other = history();
  for (let i = 0n; i < 80n; i++) other.commit(create(1_000n + i));
  other.checkpoint();
  const b = await stopped(other);
  const { verdict, commonOp, differsAtOp } = compareDirectories(side(a), side(b));
  const first = [a, b].map((disk) => readHistory(disk, metadataOf(disk)).baseOp);
  const from = first[0]! > first[1]! ? first[0] : first[1];
  assertEquals([verdict, commonOp, differsAtOp], ["diverged", undefined, from]);
});

Deno.test("compareDirectories() compares nothing where logs have nothing in common", async () => {
  const late = await stopped(checkpointedTwice());
  const early = await stopped(history(0n, 1n, 2n));
  const comparison = compareDirectories(side(late), side(early));
  assertEquals([comparison.verdict, comparison.commonOp], ["nothing_in_common", undefined]);
});

Deno.test("compareDirectories() leaves digests out where a snapshot lies behind the common op", async () => {
  const late = await stopped(checkpointedTwice());
  const { baseOp } = readHistory(late, metadataOf(late));
  late.uninstall("state.snapshot.previous");
  const early = history();
  for (let i = 0n; i < baseOp + 2n; i++) early.commit(create(i < 40n ? i : i + 60n));
  const comparison = compareDirectories(side(late), side(await stopped(early)));
  assertEquals([comparison.verdict, comparison.digests], ["same_history", undefined]);
});

Deno.test("verifyDirectory() counts a reservation that was not replayed as another state", async () => {
  const plain = history(1n);
  const reserved = history(1n);
  reserved.commit(reserve(1n));
  const a = await stopped(plain);
  const b = await stopped(reserved);
  const digests = [a, b].map((disk) => verifyDirectory(disk, metadataOf(disk)).state.digest);
  assert(digests[0] !== digests[1]);
});
