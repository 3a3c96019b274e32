// A hint that is wrong is worse than none: near names are found, far ones are not made up.
import { assertEquals } from "@std/assert";
import { nearest } from "./nearest.ts";

const NAMES = ["core.max_resources", "core.max_reservations", "core.shard_id", "abc"];

Deno.test("nearest() finds the name behind a typing error, a swap or a missing prefix", () => {
  const cases = {
    "core.max_resource": "core.max_resources",
    "core.maxresources": "core.max_resources",
    "core.max_reservatoins": "core.max_reservations",
    "max_resources": "core.max_resources",
    "shard_id": "core.shard_id",
    "abd": "abc",
    "core.max_resources": "core.max_resources",
  };
  for (const [typed, meant] of Object.entries(cases)) assertEquals(nearest(typed, NAMES), meant);
});

Deno.test("nearest() says nothing when nothing is near", () => {
  for (const typed of ["", "x", "xyz", "port", "core.", "z".repeat(65), "c".repeat(64)]) {
    assertEquals(nearest(typed, NAMES), undefined, typed);
  }
  assertEquals(nearest("abc", []), undefined);
});

Deno.test("nearest() takes the first of equally near names", () => {
  assertEquals(nearest("bat", ["cat", "hat"]), "cat");
});
