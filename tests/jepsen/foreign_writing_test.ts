// What is written for other tools says the same when it is read again: drawn histories of models through every foreign format
// that is written. What a format has no words for has to be counted.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { EDN, KV } from "../../testbed/jepsen/codec/foreign/edn_format.ts";
import type { ForeignOptions } from "../../testbed/jepsen/codec/foreign/foreign_history.ts";
import { JSON_HISTORY } from "../../testbed/jepsen/codec/foreign/json_format.ts";
import type { Format } from "../../testbed/jepsen/codec/format.ts";
import type { HistoryEvent, HistoryHeader } from "../../testbed/jepsen/history/event.ts";
import type { Value } from "../../testbed/jepsen/history/model.ts";
import { collect, type Collected } from "./collected.ts";

const SCALAR: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, false),
  fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }),
  fc.integer({ min: 0, max: 9 }).map(BigInt),
  fc.string({ unit: "binary" }).filter((text) => text.isWellFormed() && !text.includes("\0")),
);
const VALUE: fc.Arbitrary<Value> = fc.oneof(SCALAR, fc.array(SCALAR, { maxLength: 3 }));

type Step = {
  process: number;
  f: "read" | "write" | "cas";
  key: Value;
  a: Value;
  b: Value;
  end: number;
  reason: string;
};
const STEP: fc.Arbitrary<Step> = fc.record({
  process: fc.nat(3),
  f: fc.constantFrom("read", "write", "cas"),
  key: SCALAR,
  a: VALUE,
  b: VALUE,
  end: fc.nat(4),
  reason: fc.string({ unit: "binary", maxLength: 20 }).map((text) =>
    text.replace(/[\p{C}\p{Z}]/gu, "-") || "x"
  ),
});

/** Each step begins or ends what its process does. */
function eventsOf(steps: readonly Step[], isKeyed: boolean): HistoryEvent[] {
  const open = new Map<number, Step>();
  const closed = new Set<number>();
  return steps.flatMap((step, at): HistoryEvent[] => {
    const { process } = step;
    if (closed.has(process)) return [];
    const begun = open.get(process);
    if (begun === undefined) {
      open.set(process, step);
      return [{ type: "invoke", process, timeNs: at * 3, request: requestOf(step, isKeyed) }];
    }
    open.delete(process);
    if (step.end === 0) closed.add(process);
    return [endOf(begun, step, at * 3)];
  });
}

function requestOf(
  { f, key, a, b }: Step,
  isKeyed: boolean,
): { kind: "model"; f: string; key?: Value; value: Value } {
  const value = f === "read" ? null : f === "write" ? a : [a, b];
  return { kind: "model", f, ...(isKeyed ? { key } : {}), value };
}

function endOf(begun: Step, { end, reason, process }: Step, timeNs: number): HistoryEvent {
  const { value } = requestOf(begun, false);
  const answer = { kind: "model" as const, value: begun.f === "read" ? begun.b : value };
  if (end === 0) return { type: "info", process, timeNs, reason };
  if (end === 1) return { type: "fail", process, timeNs, reason };
  return { type: end === 2 ? "fail" : "ok", process, timeNs, answer };
}

function written(
  format: Format,
  header: HistoryHeader,
  events: readonly HistoryEvent[],
): [string, object] {
  const writer = format.write!();
  writer.header(header);
  for (const event of events) writer.event(event, { line: 1 });
  writer.end();
  return [
    new TextDecoder("utf-8", { fatal: true }).decode(writer.take()),
    Object.fromEntries(writer.losses),
  ];
}

function readAgain(format: Format, text: string, options: Partial<ForeignOptions>): Collected {
  return collect(format, text, { model: "cas-register", ...options });
}

Deno.test("EDN, key-value text and JSON that were written are read as they were, nothing lost", () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 30 }), fc.boolean(), (steps, keyed) => {
      const events = eventsOf(steps, keyed);
      for (const format of keyed ? [EDN, KV, JSON_HISTORY] : [EDN, JSON_HISTORY]) {
        const [text, losses] = written(format, { model: "cas-register" }, events);
        const told = format === KV ? {} : { keyed };
        assertEquals(readAgain(format, text, told).events, events, text);
        assertEquals(losses, {});
        assertEquals(text.split("\n").length, events.length + (format === JSON_HISTORY ? 1 : 2));
      }
    }),
    { seed: 6, numRuns: 500 },
  );
});

const FAULTS: readonly HistoryEvent[] = [
  { type: "fault", timeNs: 1, phase: "start", name: "kill", id: 1, detail: "n1 and n2" },
  { type: "fault", timeNs: 2, phase: "stop", name: "kill", id: 1 },
  { type: "fault", timeNs: 3, phase: "start", name: "kill", id: 2 },
  { type: "fault", timeNs: 4, phase: "start", name: "partition", id: 3 },
];

Deno.test("faults that were written are read as they were", () => {
  for (const format of [EDN, JSON_HISTORY]) {
    const [text, losses] = written(format, { model: "mutex" }, FAULTS);
    assertEquals(collect(format, text).events, FAULTS as HistoryEvent[]);
    assertEquals(losses, {});
  }
});

Deno.test("writers count what their formats have no words for", () => {
  const events: HistoryEvent[] = [
    { ...FAULTS[0]!, replicaIds: [1] } as HistoryEvent,
    { type: "replica", timeNs: 1, replicaId: 1, state: "normal" },
    { type: "invoke", process: 0, timeNs: 1, request: { kind: "get_resource", resourceId: 1n } },
    { type: "info", process: 0, timeNs: 1 },
  ];
  const [text, losses] = written(EDN, { model: "register", seed: 4 }, events);
  assertEquals(text.split("\n").filter((line) => line.startsWith("{")).length, 2);
  assertEquals(losses, {
    "field seed of the header": 1,
    "which replicas a fault was of": 1,
    "samples of replicas": 1,
    "operations that no model of theirs has: get_resource": 1,
    "ends of operations that are not there": 1,
  });
});

Deno.test("transactions on several registers are written so that Knossos knows their parts", () => {
  const text =
    '{:process 0, :type :invoke, :f :txn, :value [[:read "x" nil] [:write "y" 1]], :index 0}\n';
  const { headers, events } = collect(EDN, text);
  assertEquals(headers, [{ model: "multi-register" }]);
  assertEquals(written(EDN, headers[0]!, events), [`; model multi-register\n${text}`, {}]);
});

Deno.test("processes with names keep them", () => {
  const text =
    "{:process :w1, :type :invoke, :f :write, :value 1, :index 0}\n{:process :w1, :type :ok, :f :write, :value 1, :index 1}\n";
  const writer = EDN.write!();
  const { headers, events, names } = collect(EDN, text);
  writer.header(headers[0]!);
  for (const [number, name] of names) writer.processName(number, name);
  for (const event of events) writer.event(event, { line: 1 });
  assertEquals(new TextDecoder().decode(writer.take()), `; model register\n${text}`);
  assertEquals(writer.losses.size, 0);
});
