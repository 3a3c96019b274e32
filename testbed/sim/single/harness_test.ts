// The harness of a single node: what it refuses, and that a seed decides everything.
import { assertEquals } from "@std/assert";
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
