// Resources are for ever: an id is taken once, and what was there stays as it was.
import { assertEquals } from "@std/assert";
import { apply, createBench, ownershipText } from "../../tests/support/core_builders.ts";
import { viewResource } from "../query.ts";

const MAX = 2n ** 128n - 1n;

Deno.test("create_resource adds an available resource of version 0 under any u128", () => {
  const bench = createBench();
  for (const resourceId of [0n, 1n, 1n << 32n, 1n << 64n, 1n << 96n, MAX]) {
    assertEquals(viewResource(bench.engine, resourceId), undefined);
    assertEquals(apply(bench, { kind: "create_resource", resourceId }).code, "ok");
    const fresh = { resourceId, state: 1, currentReservationId: undefined, version: 0n } as const;
    assertEquals(viewResource(bench.engine, resourceId), fresh);
  }
});

Deno.test("create_resource asks whether the id is taken before it asks for room", () => {
  const bench = createBench({ maxResources: 1, maxBundleSize: 1 });
  apply(bench, { kind: "create_resource", resourceId: 1n });
  apply(bench, { kind: "reserve", resourceId: 1n, holderId: 7n, ttlSlots: 3n });
  const before = ownershipText(bench.engine);
  assertEquals(apply(bench, { kind: "create_resource", resourceId: 1n }).code, "already_exists");
  assertEquals(
    apply(bench, { kind: "create_resource", resourceId: 2n }).code,
    "resource_table_full",
  );
  assertEquals(ownershipText(bench.engine), before);
});
