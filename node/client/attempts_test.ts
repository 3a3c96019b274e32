// Finding a server must not wait for dead ones: attempts overlap when they are slow, and only then.
import { assertEquals, assertRejects } from "@std/assert";
import { firstOf } from "./attempts.ts";

/** Attempts that end when they are told to. */
function attempts(count: number): {
  readonly begun: number[];
  readonly end: ((value: string | undefined) => void)[];
  readonly list: (() => Promise<string | undefined>)[];
} {
  const begun: number[] = [];
  const endings = Array.from({ length: count }, () => Promise.withResolvers<string | undefined>());
  const list = endings.map(({ promise }, i) => () => {
    begun.push(i);
    return promise;
  });
  return { begun, list, end: endings.map(({ resolve }) => resolve) };
}

const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("firstOf() makes the next attempt when one has failed, and none after a success", async () => {
  const { begun, end, list } = attempts(3);
  const found = firstOf(list, 60_000, () => {});
  assertEquals(begun, [0]);
  end[0]!(undefined);
  await turns();
  assertEquals(begun, [0, 1]);
  end[1]!("second");
  assertEquals([await found, begun], ["second", [0, 1]]);
});

Deno.test("firstOf() does not wait for a late attempt, and hands back what it comes to after all", async () => {
  const { begun, end, list } = attempts(2);
  const late: string[] = [];
  const found = firstOf(list, 1, (value) => late.push(value));
  for (let i = 0; i < 1_000 && begun.length < 2; i++) await turns();
  end[1]!("second");
  assertEquals(await found, "second");
  end[0]!("first");
  await turns();
  assertEquals(late, ["first"]);
});

Deno.test("firstOf() comes to nothing when every attempt has failed, in whatever order", async () => {
  const { begun, end, list } = attempts(2);
  const found = firstOf(list, 1, () => {});
  for (let i = 0; i < 1_000 && begun.length < 2; i++) await turns();
  end[1]!(undefined);
  await turns();
  end[0]!(undefined);
  assertEquals(await found, undefined);
  assertEquals(await firstOf([], 1, () => {}), undefined);
});

Deno.test("firstOf() passes on what an attempt throws", async () => {
  await assertRejects(
    () => firstOf([() => Promise.reject(new RangeError("odd"))], 1, () => {}),
    RangeError,
  );
});
