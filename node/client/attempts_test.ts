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

Deno.test("firstOf() begins nothing anew when an attempt ends in the very turn in which it is late", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using far = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using near = await listener.accept();
  for (let round = 0; round < 40; round++) {
    const outcome = round % 2 === 0 ? undefined : "first";
    const begun: string[] = [];
    let hasEnded = false;
    const first = async (): Promise<string | undefined> => {
      await near.read(new Uint8Array(1));
      hasEnded = true;
      return outcome;
    };
    const second = (): Promise<string> => {
      begun.push(hasEnded ? `after ${outcome}` : "in time");
      return Promise.resolve("second");
    };
    const found = firstOf([first, second], 3, () => {});
    await turns();
    await far.write(new Uint8Array(1));
    const busyUntil = performance.now() + 5;
    while (performance.now() < busyUntil); // What was read and the timer are ready before either is looked at.
    await found;
    await turns();
    assertEquals([begun.length <= 1, begun.includes("after first")], [true, false]);
  }
});
