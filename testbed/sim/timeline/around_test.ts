// Of more than fits what is near stays: against sorting everything by distance.
import { assertEquals } from "@std/assert";
import { Around } from "./around.ts";

function kept(max: number, count: number, atMs?: number): number[] {
  const around = new Around<number>(max, atMs);
  for (let i = 0; i < count; i++) around.add(i, i);
  assertEquals(around.seen, count);
  return [...around.items];
}

Deno.test("Around keeps all that fits, the end when nobody names a moment, else both sides of it", () => {
  assertEquals(kept(10, 7), [0, 1, 2, 3, 4, 5, 6]);
  assertEquals(kept(4, 1_000), [996, 997, 998, 999]);
  assertEquals(kept(4, 1_000, 500), [499, 500, 501, 502]);
  assertEquals(kept(4, 1_000, 0), [0, 1, 2, 3]);
  assertEquals(kept(4, 1_000, 5_000), [996, 997, 998, 999]);
  assertEquals(kept(6, 3, 1), [0, 1, 2]);
});
