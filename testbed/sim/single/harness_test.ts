// The harness of a single node: a seed decides everything, and what makes no sense is refused in words.
import { assertEquals, assertThrows } from "@std/assert";
import { create, reserve } from "../workload/requests.ts";
import { SingleNode } from "./harness.ts";
import { codeOf, outcomeOf } from "./ticket.ts";

Deno.test("a node is driven slot by slot, and a judge looks on", () => {
  const single = SingleNode.start();
  assertEquals(codeOf(single.submit(create(1n))), "ok");
  assertEquals(outcomeOf(single.submit(reserve(1n, 3n))).appliedLsn, 2n);
  single.advanceTo(5n);
  assertEquals(single.metrics().core.expirationBacklog, 1);
  assertEquals(single.tick().expired, [
    { reservationId: 2n, deadlineSlot: 4n, lsn: 3n, code: "ok" },
  ]);
  assertEquals(single.checkpoint()?.kind, "done");
  assertEquals(single.restart("lose").kind, "started");
  assertEquals(single.judge.judged.decided, 3);
});

Deno.test("what a process has said in the turn in which it ends, nobody has heard", () => {
  const single = SingleNode.start();
  single.armNextEngineCrash(1, ["client_after_apply"]);
  const ticket = single.submit(create(1n));
  assertEquals([ticket.told?.kind, ticket.answer], ["committed", undefined]);
  single.restart("lose");
  const { command } = ticket;
  assertEquals(outcomeOf(single.submit(command)).fromRetryCache, true);
});

Deno.test("misuse is an error in words", () => {
  const single = SingleNode.start();
  single.advanceTo(9n);
  assertThrows(() => single.advanceTo(8n), Error, "Slot 8 is in the past: it is 9");
  assertThrows(() => single.submitReadyBatch(9n, []), Error, "Nothing is ready");
  assertThrows(() => single.submitReadyBatch(3n, [create(1n)]), Error, "in the past");
  assertThrows(() => single.armNextEngineCrash(1, []), Error, "No crash point");
  assertThrows(() => single.armNextRecoveryCrash(1, []), Error, "No crash point");
  const torn = { kind: "torn_tail", truncateBytes: 0 } as const;
  assertThrows(() => single.injectStorageFault(torn), Error, "at least one byte");
  single.end();
  assertThrows(() => single.submit(create(1n)), Error, "restart it first");
  const damage = () => single.injectStorageFault({ kind: "corrupt_last_frame" });
  assertThrows(damage, Error, "no frame to damage");
});
