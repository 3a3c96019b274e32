// Whole stories on one node, with crashes in them: who gets the resource, what a retry learns, what survives.
import { assertEquals, assertNotEquals } from "@std/assert";
import { Node } from "../../node/node.ts";
import { diskImage } from "../../testbed/sim/disk/data_directory.ts";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import type { ClientCommand } from "../../testbed/model/words.ts";
import { codeOf, NodeHarness } from "../support/node_harness.ts";
import {
  bundle,
  confirm,
  create,
  reclaim,
  release,
  reserve,
  revoke,
} from "../../testbed/sim/workload/requests.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

/** Numbers 1 to n in an order that the seed decides. */
function shuffled(count: number, seed: number): bigint[] {
  const random = new SeededRandom(seed);
  const ids = Array.from({ length: count }, (_, i) => BigInt(i + 1));
  for (let i = ids.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [ids[i], ids[j]] = [ids[j]!, ids[i]!];
  }
  return ids;
}

Deno.test("one seed gives one history to the byte, another seed another", () => {
  const historyOf = (seed: number): Record<string, string> => {
    const harness = NodeHarness.start();
    const ids = shuffled(5, seed);
    const tickets = ids.map((id) => harness.submit(create(id)));
    harness.run();
    assertEquals(tickets.map(codeOf), Array(5).fill("ok"));
    assertEquals(harness.metrics.core.lastAppliedLsn, 5n);
    return diskImage(harness.disk);
  };
  assertEquals(historyOf(1), historyOf(1));
  assertNotEquals(historyOf(1), historyOf(2));
});

Deno.test("of the holders that contend in one slot the first to be sequenced wins, alone", () => {
  for (let seed = 0; seed < 16; seed++) {
    const harness = NodeHarness.start();
    harness.commit(create(1n));
    const holders = shuffled(4, seed);
    const tickets = holders.map((holder) => harness.submit(reserve(1n, 5n, holder)));
    harness.run();
    assertEquals(tickets.map(codeOf), ["ok", "resource_busy", "resource_busy", "resource_busy"]);
    const read = harness.node.getReservation(2n);
    assertEquals(read.kind === "found" && read.holderId, holders[0]);
  }
});

Deno.test("a retry is answered from memory inside its window and runs afresh behind it", () => {
  const command: ClientCommand = {
    kind: "reserve",
    resourceId: 1n,
    holderId: 5n,
    ttlSlots: 2n,
    operationId: 9n,
    clientId: 1n,
  };
  const start = () => {
    const harness = NodeHarness.start({ core: { maxTtlSlots: 16n } });
    harness.commit(create(1n));
    harness.commit(command);
    harness.commit(release(2n, 1n, 5n));
    return harness;
  };
  const window = 16 + 8;
  const inside = start();
  inside.advanceSlots(window);
  const cached = inside.commit(command);
  assertEquals([cached.code, cached.appliedLsn, cached.fromRetryCache], ["ok", 2n, true]);
  const behind = start();
  behind.advanceSlots(window + 1);
  const fresh = behind.commit(command);
  assertEquals([fresh.code, fresh.appliedLsn, fresh.fromRetryCache], ["ok", 4n, false]);
});

Deno.test("a retry is answered from memory after a restart too, from log and from snapshot", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.commit(create(2n));
  const command = {
    ...bundle([1n, 2n]),
    operationId: 9n,
    clientId: 1n,
  } as ClientCommand;
  const outcome = harness.commit(command);
  for (const [i, prepare] of [() => {}, () => void harness.checkpoint()].entries()) {
    prepare();
    harness.crash();
    harness.reopen();
    assertEquals(harness.commit(command), { ...outcome, fromRetryCache: true });
    const stranger = { ...command, clientId: BigInt(10 + i) };
    assertEquals(harness.commit(stranger).fromRetryCache, false, "another client is another key");
  }
});

Deno.test("a power failure after the sync and before the answer: the retry learns what happened", () => {
  const harness = NodeHarness.start({ disk: new MemoryDisk({ deferred: true }) });
  harness.commit(create(1n));
  const command = { ...reserve(1n), operationId: 9n, clientId: 1n } as ClientCommand;
  const ticket = harness.submit(command);
  harness.turn();
  harness.crash("keep");
  harness.reopen();
  assertEquals(codeOf(ticket), "nothing");
  const again = harness.commit(command);
  assertEquals([again.code, again.appliedLsn, again.fromRetryCache], ["ok", 2n, true]);
});

Deno.test("a power failure before the sync: the write is gone and happens at the same place again", () => {
  const harness = NodeHarness.start({ disk: new MemoryDisk({ deferred: true }) });
  harness.commit(create(1n));
  harness.checkpoint();
  const command = { ...reserve(1n), operationId: 9n, clientId: 1n } as ClientCommand;
  harness.submit(command);
  harness.turn();
  harness.crash("lose");
  assertEquals(harness.reopen().startup.startupKind, "snapshot_only");
  const again = harness.commit(command);
  assertEquals([again.code, again.appliedLsn, again.fromRetryCache], ["ok", 2n, false]);
});

Deno.test("one bit of the last entry is flipped: that is damage and no torn tail", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.commit(create(2n));
  harness.crash();
  const LAST_PAYLOAD_AT = 512 + 120 + 64 + 10;
  harness.disk.contents("state.wal")[LAST_PAYLOAD_AT]! ^= 1;
  const before = diskImage(harness.disk);
  const opened = harness.open();
  assertEquals(opened instanceof Node, false);
  assertEquals(diskImage(harness.disk), before);
});

Deno.test("revoking survives a restart: nobody gets the resource before it is reclaimed", () => {
  const harness = NodeHarness.start();
  harness.commit(create(1n));
  harness.commit(reserve(1n));
  harness.commit(confirm(2n));
  assertEquals(harness.commit(revoke(2n)).code, "ok");
  harness.crash();
  harness.reopen();
  assertEquals(harness.commit(release(2n)).code, "stale_epoch", "its holder has lost it");
  assertEquals(harness.commit(reserve(1n)).code, "resource_busy");
  harness.advanceSlots(100);
  assertEquals(harness.tick().kind, "applied");
  assertEquals(harness.commit(reserve(1n)).code, "resource_busy", "time frees nothing confirmed");
  harness.crash();
  harness.reopen();
  assertEquals(harness.commit(reclaim(2n)).code, "ok");
  const regrant = harness.commit(reserve(1n));
  assertEquals([regrant.code, regrant.reserved?.epoch], ["ok", 1n]);
  assertNotEquals(regrant.reserved?.reservationId, 2n);
});

Deno.test("a full operation table keeps nobody from giving back what he holds (W29)", () => {
  const harness = NodeHarness.start({ core: { maxOperations: 4 } });
  harness.commit(create(1n));
  harness.commit(reserve(1n));
  harness.commit(confirm(2n));
  harness.commit(create(2n));
  assertEquals(harness.commit(create(3n)).code, "operation_table_full");
  assertEquals(harness.commit(revoke(2n)).code, "ok");
  assertEquals(harness.commit(reclaim(2n)).code, "ok");
  harness.crash();
  harness.reopen();
  const read = harness.node.getResource(1n);
  assertEquals(read.kind === "found" && read.currentReservationId, undefined);
});
