// A misread summary would be a wrong figure that looks right; a wrong script would measure another
// thing. Real output is read to the digit, and the scripts are checked for what they take.
import { assertEquals, assertThrows } from "@std/assert";
import { benchScript, parseLog, parseSummary } from "./pgbench.ts";

const SUMMARY = `pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: one.sql
scaling factor: 1
query mode: prepared
number of clients: 64
number of threads: 2
maximum number of tries: 1
duration: 4 s
number of transactions actually processed: 85617
number of failed transactions: 0 (0.000%)
latency average = 3.054 ms
initial connection time = 122.394 ms
tps = 20958.458351 (without initial connection time)
`;

Deno.test("parseSummary() reads what pgbench 15 prints", () => {
  assertEquals(parseSummary(SUMMARY), {
    transactionsPerSecond: 20958.458351,
    transactions: 85617,
    failed: 0,
  });
});

Deno.test("parseSummary() reads failures and throws when a figure is missing", () => {
  assertEquals(parseSummary(SUMMARY.replace(": 0 (0.000%)", ": 12 (0.014%)")).failed, 12);
  assertThrows(() => parseSummary(SUMMARY.replace("tps", "")), Error, "gave no tps");
  assertThrows(() => parseSummary(""), Error, "gave no tps");
});

/** Client 7's transactions from `first` on, each as many microseconds as its number. */
function log(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => first + index)
    .map((number) => `7 ${number} ${number} 0 1795159641 782451\n`).join("");
}

Deno.test("parseLog() gives percentiles over all logs without each client's first transaction", () => {
  // 1..1000 over two files; the first transaction is absurd and has to go.
  const logs = ["7 1 59000000 0 1795159641 1\n" + log(2, 499), log(501, 500)];
  assertEquals(parseLog(logs), { p50: 501, p95: 951, p99: 991 });
});

Deno.test("parseLog() throws on anything that is not a log, and on nothing", () => {
  assertThrows(() => parseLog(["7 2 skipped 0 1 1\n"]), Error, "Not a line");
  assertThrows(() => parseLog([log(1, 1)]), Error, "no transaction");
  assertThrows(() => parseLog([]), Error, "no transaction");
});

Deno.test("benchScript() takes one random seat at depth 1, and only a free one", () => {
  assertEquals(benchScript(1000, 1).split("\n").slice(0, 3), [
    "\\set id random(1, 1000)",
    "\\set holder random(1, 1000000000)",
    "UPDATE seats SET state = 'reserved', holder = :holder, " +
    "expires_at = now() + interval '10 minutes' WHERE id = :id AND state = 'available';",
  ]);
});

Deno.test("benchScript() takes every seat of a block once at depth 64, and no seat that is not there", () => {
  const script = benchScript(1000, 64);
  const [, step, blockMax] = /^\\set base (\d+) \* random\(0, (\d+)\)$/m.exec(script)!;
  const offsets = [...script.matchAll(/:base \+ (\d+)/g)].map((match) => Number(match[1]));
  assertEquals(offsets, Array.from({ length: 64 }, (_, index) => index + 1));
  const lastSeat = Number(step) * Number(blockMax) + 64;
  assertEquals([Number(step), lastSeat <= 1000, lastSeat + 64 > 1000], [64, true, true]);
  assertEquals(script.split("\n").filter((line) => line.startsWith("\\")).slice(2), [
    "\\startpipeline",
    "\\endpipeline",
  ]);
});
