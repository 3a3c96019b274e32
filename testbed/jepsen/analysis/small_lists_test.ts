import { assertEquals } from "@std/assert";
import { added, type Few, listOf } from "./small_lists.ts";

Deno.test("added() makes of any number of items the list that pushing makes", () => {
  const items = Array.from({ length: 40 }, (_, number) => ({ number }));
  let few: Few<{ number: number }>;
  assertEquals(listOf(few), []);
  for (const [i, item] of items.entries()) {
    few = added(few, item);
    assertEquals(listOf(few), items.slice(0, i + 1));
  }
});

Deno.test("added() keeps one item by itself", () => {
  const one = {};
  assertEquals(added(undefined, one) === one, true);
});
