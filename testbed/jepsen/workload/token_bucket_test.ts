// The rate is what makes runs comparable: never above it for long, and nobody waits for ever.
import { assert, assertEquals } from "@std/assert";
import { VirtualPace } from "../../../tests/jepsen/model_cluster.ts";
import { TokenBucket } from "./token_bucket.ts";

Deno.test("TokenBucket.take() lets as many through as the rate says, and each in turn", async () => {
  const pace = new VirtualPace();
  const bucket = new TokenBucket(50, pace);
  const stop = new AbortController();
  const taken: number[] = [];
  const taker = async (number: number): Promise<void> => {
    while (await bucket.take(stop.signal)) taken.push(number);
  };
  pace.wait(10_000).then(() => stop.abort());
  await pace.drive(Promise.all([0, 1, 2, 3].map(taker)));
  assert(Math.abs(taken.length - 500) <= 5, `${taken.length} in 10 s at 50 a second`);
  const [first] = taken;
  assertEquals(taken.slice(0, 400), Array.from({ length: 400 }, (_, i) => (first! + i) % 4));
});

Deno.test("TokenBucket.take() saves up no more than a quarter of a second", async () => {
  const pace = new VirtualPace();
  const bucket = new TokenBucket(100, pace);
  const stop = new AbortController();
  let atOnce = 0;
  const work = async (): Promise<void> => {
    await pace.wait(60_000);
    const sinceMs = pace.nowMs();
    while (await bucket.take(stop.signal) && pace.nowMs() === sinceMs) atOnce++;
  };
  await pace.drive(work());
  assertEquals(atOnce, 26);
});

Deno.test("TokenBucket.take() is false once the signal is raised", async () => {
  const pace = new VirtualPace();
  const bucket = new TokenBucket(0.001, pace);
  const stop = new AbortController();
  assertEquals(await bucket.take(stop.signal), true);
  const waiting = bucket.take(stop.signal);
  stop.abort();
  assertEquals(await waiting, false);
  assertEquals(await bucket.take(stop.signal), false);
});
