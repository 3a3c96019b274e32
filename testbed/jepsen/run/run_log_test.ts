// Lines of all sources stand on one clock, and what is grave is not crowded out by what is not.
import { assertEquals } from "@std/assert";
import { replicaLogs, runnerLog } from "./run_log.ts";

const HEADER = {
  model: "reservation",
  startedAtMillis: Date.parse("2026-11-20T16:00:00Z"),
} as const;

Deno.test("runnerLog() begins with the last run of a log, and turns escapes back", () => {
  const at = HEADER.startedAtMillis;
  const text = `time_millis=1 detail=run initialized\ntime_millis=2 detail=old\n` +
    `time_millis=${at - 5} detail=run initialized\ntorn\ntime_millis=${
      at + 2
    } detail=error: a\\nb\n`;
  assertEquals(runnerLog(text, HEADER), [
    { timeNs: -5e6, source: "runner", level: "info", text: "run initialized" },
    { timeNs: 2e6, source: "runner", level: "error", text: "error: a\nb" },
  ]);
  assertEquals(runnerLog(text, { model: "reservation" }), []);
});

Deno.test("replicaLogs() merges replicas by time and passes over what is no line of a log", () => {
  const logs = new Map([
    [1, "2026-11-20T16:00:00.250Z info    replica=1 b\nno line\n"],
    [2, "2026-11-20T15:59:59.000Z warning replica=2 a\n"],
  ]);
  assertEquals(replicaLogs(logs, HEADER), [
    { timeNs: -1e9, source: "replica 2", level: "warning", text: "replica=2 a" },
    { timeNs: 25e7, source: "replica 1", level: "info", text: "replica=1 b" },
  ]);
});

Deno.test("replicaLogs() keeps every warning, and of the rest the latest", () => {
  const line = (i: number): string =>
    `${new Date(HEADER.startedAtMillis + i).toISOString()} ${
      i % 100 === 0 ? "error" : "info"
    } ${i}\n`;
  const text = Array.from({ length: 9_000 }, (_, i) => line(i)).join("");
  const kept = replicaLogs(new Map([[1, text]]), HEADER);
  assertEquals(kept.length, 4_000);
  assertEquals(kept.filter(({ level }) => level === "error").length, 90);
  const infos = kept.filter(({ level }) => level === "info").map(({ text }) => Number(text));
  assertEquals([infos.length, infos.at(-1)], [3_910, 8_999]);
  assertEquals(infos.every((i, at) => at === 0 || i > infos[at - 1]!), true);
});
