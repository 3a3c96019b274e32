// Why one operation must come before or after another, as far as the answers say.
import { assert, assertEquals } from "@std/assert";
import { explainPlace } from "../../testbed/jepsen/analysis/reservation/explain_order.ts";
import { Script } from "./script.ts";

const LIMITS = { stepsMax: 10_000 };

Deno.test("explainPlace() says what answers force, what time says, and what is free", () => {
  const { history } = new Script().create(1n).create(2n, "ok", [-4, -3])
    .reserve(1n, 7n, [0, 9], 5n).reserve(1n, 8n, [1, 8], "resource_busy")
    .resource(1n, [2, 7], "available").resource(1n, [10, 11], "reserved", 5n)
    .reserve(2n, 7n, [0, 9], 6n).reserve(1n, 9n, [3, 6], "ttl_out_of_range", { ttl: 0n });
  const explained = explainPlace(history, history[2]!, LIMITS);
  assert(explained !== undefined);
  assertEquals(explained.resourceIds, [1n]);
  assertEquals([explained.earlier, explained.later], [1, 1]);
  assertEquals(explained.relations.map(({ other, relation }) => [other.process, relation]), [
    [3, "before"],
    [4, "after"],
    [7, "free"],
  ]);
  assertEquals(
    explained.relations[0]!.sentence,
    "the reserve of resource 1 for holder 7 by process 2 comes before the reserve of resource 1 for " +
      "holder 8 by process 3: else the answer resource_busy to the reserve of resource 1 for holder 8 " +
      "fits no order",
  );
});

Deno.test("explainPlace() knows the other direction, and what has no place", () => {
  const { history } = new Script().create(1n)
    .reserve(1n, 7n, [0, 1], 5n).holder("confirm", 5n, 7n, [2, 9], "ok")
    .resource(1n, [3, 8], "reserved", 5n).holder("release", 5n, 7n, [20], "ok");
  const read = explainPlace(history, history[3]!, LIMITS)!;
  assertEquals(read.relations.map(({ relation }) => relation), ["before"]);
  const confirm = explainPlace(history, history[2]!, LIMITS)!;
  assertEquals(confirm.relations.map(({ relation }) => relation), ["after"]);
  assertEquals(explainPlace(history, history[4]!, LIMITS), undefined);
});

Deno.test("explainPlace() says that no order explains both, and that a limit was met", () => {
  const { history } = new Script().create(1n)
    .reserve(1n, 7n, [0, 9], 5n).reserve(1n, 8n, [1, 8], "resource_not_found");
  const wrong = explainPlace(history, history[1]!, LIMITS)!;
  assertEquals(wrong.relations.map(({ relation }) => relation), ["neither"]);
  const late = explainPlace(history, history[1]!, { stepsMax: 0 })!;
  assertEquals(late.relations.map(({ relation }) => relation), ["unknown"]);
});
