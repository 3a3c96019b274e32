import { assertEquals } from "@std/assert";
import { chosenOf } from "./large_lists.ts";

Deno.test("chosenOf() chooses what filter() does, in its order", () => {
  const items = Array.from({ length: 100 }, (_, i) => (i * 37) % 11);
  for (let limit = 0; limit <= 11; limit++) {
    const isChosen = (item: number): boolean => item < limit;
    assertEquals(chosenOf(items, isChosen), items.filter(isChosen));
  }
});
