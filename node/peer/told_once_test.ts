// A peer that is refused ten times a second for a week must not fill a disk with its log lines.
import { assertEquals } from "@std/assert";
import { ToldOnce } from "./told_once.ts";

Deno.test("ToldOnce.isNews() is true once for each subject and text, and again when all was well", () => {
  const told = new ToldOnce();
  assertEquals(told.isNews("1", "wrong_cluster", 0), true);
  assertEquals(told.isNews("1", "wrong_cluster", 1), false);
  assertEquals(told.isNews("2", "wrong_cluster", 1), true);
  assertEquals(told.isNews("1", "wrong_members", 2), true);
  assertEquals(told.isNews("1", "wrong_cluster", 3), false);
  told.forget("1");
  assertEquals(told.isNews("1", "wrong_cluster", 4), true);
  assertEquals(told.isNews("2", "wrong_cluster", 4), false);
});

Deno.test("ToldOnce.isNews() says it again after an hour, and no more than so many things before", () => {
  const told = new ToldOnce();
  const news = (nowMs: number): number =>
    Array.from({ length: 1_000 }, (_, i) => told.isNews("stranger", `invented ${i}`, nowMs))
      .filter((isNews) => isNews).length;
  assertEquals([news(0), news(3_600_000), news(3_600_001), news(3_600_002)], [16, 0, 16, 0]);
});
