// What another process prints is input: taken when it is whole, refused when it is not.
import { assertEquals, assertThrows } from "@std/assert";
import { findAddress, parseReport } from "./allocdb.ts";

const REPORT = {
  workload: "cycle",
  commands: 300_000,
  commands_per_second: 60_000,
  latency_us: { p50: 150, p90: 200, p95: 300, p99: 900 },
  results: { ok: 299_700, resource_busy: 300 },
};

Deno.test("parseReport() takes what it needs from the last line", () => {
  assertEquals(parseReport(`warming up\n${JSON.stringify(REPORT)}\n`), {
    opsPerSecond: 60_000,
    latencyUs: { p50: 150, p95: 300, p99: 900 },
    effective: 0.999,
  });
});

Deno.test("parseReport() throws and names what is missing, cut or out of range", () => {
  const refused = (stdout: string, place: string): Error =>
    assertThrows(() => parseReport(stdout), Error, `no report (${place})`);
  refused("", "no JSON");
  refused(JSON.stringify(REPORT).slice(0, -1), "no JSON");
  refused(JSON.stringify({ ...REPORT, commands: 0 }), "commands");
  refused(JSON.stringify({ ...REPORT, results: {} }), "results.ok");
  refused(JSON.stringify({ ...REPORT, latency_us: { p50: 1, p99: 2 } }), "latency_us.p95");
});

Deno.test("findAddress() waits for an address with a port", () => {
  assertEquals(findAddress("starting on 127.0.0.1:0\n"), undefined);
  assertEquals(findAddress("allocdb listening on 127.0.0.1:40213\n"), "127.0.0.1:40213");
});
