// A misread column would be a wrong figure that looks right, so real output is read to the digit.
import { assertEquals, assertThrows } from "@std/assert";
import { parseBenchmark } from "./redis.ts";

const HEAD =
  '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"\n';
const ROW =
  '"SET seat:__rand_int__ holder:__rand_int__ NX PX 600000","85494.44","2.476","0.496","2.263","4.215","5.143","8.567"\n';

Deno.test("parseBenchmark() reads what redis-benchmark 7.0.15 prints", () => {
  assertEquals(parseBenchmark(HEAD + ROW), {
    opsPerSecond: 85494.44,
    latencyUs: { p50: 2263, p95: 4215, p99: 5143 },
  });
});

Deno.test("parseBenchmark() takes the last table when warnings stand before it", () => {
  const text = "WARNING: Could not fetch server CONFIG\n" + HEAD + ROW;
  assertEquals(parseBenchmark(text).opsPerSecond, 85494.44);
});

Deno.test("parseBenchmark() throws when a figure is missing", () => {
  assertThrows(() => parseBenchmark(""), Error, "gave no rps");
  assertThrows(() => parseBenchmark(HEAD), Error, "gave no rps");
  assertThrows(() => parseBenchmark(HEAD + ROW.replace("5.143", "-nan")), Error, "p99");
});
