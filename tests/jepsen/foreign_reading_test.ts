// What foreign operations mean: keys, models, faults, failures. A guess that is wrong is a wrong verdict, so where two readings
// are possible the history has to be refused.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EDN, KV } from "../../testbed/jepsen/codec/foreign/edn_format.ts";
import { HELD_MAX } from "../../testbed/jepsen/codec/foreign/foreign_history.ts";
import { JSON_HISTORY } from "../../testbed/jepsen/codec/foreign/json_format.ts";
import { LOG } from "../../testbed/jepsen/codec/foreign/log_format.ts";
import type { Format } from "../../testbed/jepsen/codec/format.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import { collect } from "./collected.ts";

const request = (f: string, value: unknown, key?: unknown): unknown => ({
  kind: "model",
  f,
  ...(key === undefined ? {} : { key }),
  value,
});
const answer = (value: unknown): unknown => ({ kind: "model", value });

/** A read that was answered, in each way of writing it. */
const READ_OF_BIG: readonly (readonly [string, Format, string])[] = [
  [
    "maps",
    EDN,
    "{:process 3 :type :invoke :f :read :value nil}{:process 3,:type :ok,:f :read,:value 9007199254740993}",
  ],
  [
    "a vector of maps",
    EDN,
    "[{:process 3 :type :invoke :f :read}\n{:value 9007199254740993 :process 3 :type :ok :f :read}]",
  ],
  ["a list of tuples", EDN, "([3 :invoke :read nil] [3 :ok :read 9007199254740993])"],
  ["tuples", EDN, "[3 :invoke :read nil]\r\n[3 :ok :read 9007199254740993N]"],
  [
    "records",
    EDN,
    "#jepsen.history.Op{:index 0 :process 3 :type :invoke :f :read :value nil} #jepsen.history.Op{:index 1 :process 3 :type :ok :f :read :value 9007199254740993}",
  ],
  [
    "log with tabs",
    LOG,
    "INFO  jepsen.util - 3\t:invoke\t:read\tnil\nINFO  jepsen.util - 3\t:ok\t:read\t9007199254740993\n",
  ],
  [
    "log with blanks",
    LOG,
    "INFO jepsen.util -  3  :invoke :read nil\r\nINFO  jepsen.util - 3 :ok  :read  9007199254740993\r\n",
  ],
  [
    "a later log",
    LOG,
    "2019-10-14 12:07:20,246{GMT}\tINFO\t[jepsen worker 3] jepsen.util: 3\t:invoke\t:read\tnil\n2019-10-14 12:07:20,300{GMT}\tINFO\t[jepsen worker 3] jepsen.util: 3\t:ok\t:read\t9007199254740993\n",
  ],
  [
    "JSON in lines",
    JSON_HISTORY,
    '{"process":3,"type":"invoke","f":"read","value":null}\n{"process":3,"type":"ok","f":"read","value":9007199254740993}',
  ],
  [
    "JSON in an array",
    JSON_HISTORY,
    '[{"process":3,"type":"invoke","f":"read"},\n{"type":"ok","process":3,"f":"read","value":9007199254740993}]',
  ],
];

Deno.test("every foreign format tells the same of the same operation", () => {
  for (const [name, format, text] of READ_OF_BIG) {
    const { headers, events, names, skipped } = collect(format, text);
    assertEquals(headers, [{ model: "register" }], name);
    assertEquals(events, [
      { type: "invoke", process: 3, timeNs: NaN, request: request("read", null) },
      { type: "ok", process: 3, timeNs: NaN, answer: answer(9007199254740993n) },
    ] as unknown, name);
    assertEquals([names.size, skipped.length], [0, 0], name);
    assert(format.sniff(new TextEncoder().encode(text)), name);
  }
});

/** Operations as tuples; what comes of keys and values. */
function tuples(...operations: readonly string[]): string {
  return operations.map((operation) => `[${operation}]`).join("\n");
}

Deno.test("a read of [key nil] shows that values are keyed, also those before it", () => {
  const text = tuples(
    "0 :invoke :write [7 3]",
    "0 :ok :write [7 3]",
    "1 :invoke :cas [7 [3 4]]",
    "2 :invoke :read [7 nil]",
    "2 :ok :read [7 3]",
    "1 :fail :cas [7 [3 4]]",
    "3 :invoke :write [8 [1 2]]",
    "3 :info :write nil",
  );
  const { events, claims, notes, headers } = collect(EDN, text);
  assertEquals(headers, [{ model: "cas-register" }]);
  assertEquals(
    events.map((event) =>
      event.type === "invoke" ? event.request : "answer" in event ? event.answer : null
    ),
    [
      request("write", 3n, 7n),
      answer(3n),
      request("cas", [3n, 4n], 7n),
      request("read", null, 7n),
      answer(3n),
      answer([3n, 4n]),
      request("write", [1n, 2n], 8n),
      null,
    ] as unknown,
  );
  assertEquals(claims.map(({ key }) => key), [7n, 7n, 7n, 7n, 7n, 7n, 8n, undefined]);
  assert(notes.some((note) => note.includes("[key value] pairs, as line 3 shows")), notes.join());
});

Deno.test("a cas of [1 2] and a read of nil show that values are not keyed", () => {
  for (const sign of ["1 :invoke :cas [1 2]", "1 :invoke :read nil", "1 :invoke :write 5"]) {
    const { events } = collect(EDN, tuples("0 :invoke :write [7 3]", sign));
    assertEquals(
      events[0]!.type === "invoke" && events[0]!.request,
      request("write", [7n, 3n]) as false,
      sign,
    );
  }
});

Deno.test("pairs that may be keys or not are refused, and read as one is told", () => {
  const text = tuples("0 :invoke :write [7 3]", "0 :ok :write [7 3]");
  const error = assertThrows(() => collect(EDN, text), HistoryError);
  assertEquals(error.place, { line: 1 });
  assertStringIncludes(error.message, "to be told which");
  const completed = tuples("0 :invoke :read [7 3]", "0 :ok :read [7 3]");
  assertThrows(() => collect(EDN, completed), HistoryError, "to be told which");
  const both = [true, false].map((keyed) => collect(EDN, text, { keyed }).events[0]);
  assertEquals(both.map((event) => event?.type === "invoke" && event.request), [
    request("write", 3n, 7n),
    request("write", [7n, 3n]),
  ] as unknown as false[]);
});

Deno.test("a history that is longer than what is held back is read the same", () => {
  const writes = Array.from({ length: HELD_MAX }, (_, i) => `[${i} :invoke :write ${i}]`);
  const { headers, events } = collect(EDN, [...writes, "[1 :ok :write 1]"].join("\n"));
  assertEquals(headers, [{ model: "cas-register" }]);
  assertEquals(events.length, HELD_MAX + 1);
  const doubtful = Array.from({ length: HELD_MAX }, (_, i) => `[${i} :invoke :write [${i} 1]]`);
  assertThrows(
    () => collect(EDN, [...doubtful, "[a"].join("\n")),
    HistoryError,
    "to be told which",
  );
});

const MODELS: readonly (readonly [string, string])[] = [
  [tuples("0 :invoke :write 1"), "register"],
  [tuples("0 :invoke :read nil"), "register"],
  [tuples("0 :invoke :read nil", "0 :ok :read nil", "0 :invoke :cas [1 2]"), "cas-register"],
  [tuples("0 :invoke :acquire nil", "0 :ok :acquire 5"), "mutex"],
  [tuples("0 :invoke :add 1", "1 :invoke :read nil", "1 :ok :read #{3 1 2}"), "set"],
  ['{:process 0 :type :invoke :f :append :key 1 :value "x"}', "kv"],
  [tuples("0 :invoke :txn [[:read :x nil] [:write :y 1]]"), "multi-register"],
  ["", "register"],
  ["; nothing\n", "register"],
];

Deno.test("the model is guessed from all the operations, and said", () => {
  for (const [text, model] of MODELS) {
    const { headers, notes } = collect(EDN, text);
    assertEquals(headers, [{ model }] as unknown as typeof headers, text);
    assert(notes.includes(`model guessed from the operations: ${model}`), text);
  }
  assertEquals(collect(EDN, tuples("0 :invoke :read nil"), { model: "set" }).headers, [{
    model: "set",
  }]);
});

Deno.test("a set that was read is a list in one order", () => {
  const { events } = collect(
    EDN,
    tuples("0 :invoke :add 1", "1 :invoke :read nil", '1 :ok :read #{"b" 10 9 -1 "a" nil}'),
  );
  assertEquals(
    events[2]!.type === "ok" && events[2]!.answer,
    answer([9n, 10n, "a", "b", -1n, null]) as false,
  );
});

Deno.test("a failure keeps its value, and a word in its place is a reason", () => {
  const { events } = collect(
    EDN,
    `
    [0 :invoke :cas [1 2]] [0 :fail :cas [1 2]] [0 :invoke :read nil] [0 :fail :read :timed-out]
    {:process 1 :type :invoke :f :read} {:process 1 :type :fail :f :read :error [:no "way"]}
    {:process 1 :type :invoke :f :read} {:process 1 :type :info :f :read :value {:odd 1} :error "broken\u001b[2J"}
    {:process 2 :type :invoke :f :cas :value [1 2]} {:process 2 :type :fail :f :cas :value {:odd 1}}`,
  );
  const ends = events.filter(({ type }) => type === "fail" || type === "info");
  assertEquals(
    ends.map((
      event,
    ) => [event.type, "answer" in event && event.answer, "reason" in event && event.reason]),
    [
      ["fail", answer([1n, 2n]), false],
      ["fail", false, "timed-out"],
      ["fail", false, '[:no "way"]'],
      ["info", false, "broken\\u001b[2J"],
      ["fail", false, false],
    ] as unknown as [string, false, false][],
  );
});

Deno.test("processes with names are clients with numbers of their own", () => {
  const { events, names } = collect(
    EDN,
    tuples(":w1 :invoke :write 1", "0 :invoke :read nil", ":w1 :ok :write 1"),
  );
  assertEquals([...names], [[2 ** 40, "w1"]]);
  assertEquals(events.map((event) => "process" in event && event.process), [2 ** 40, 0, 2 ** 40]);
});

Deno.test("a nemesis breaks and mends, and what else it does is counted", () => {
  const { events, skipped } = collect(
    EDN,
    [
      "{:process :nemesis :type :info :f :start :value nil :time 5}",
      '{:process :nemesis :type :info :f :start :value "Cut off n1" :time 6}',
      "{:process :nemesis :type :info :f :stop :time 7} {:process :nemesis :type :info :f :stop :value :healed :time 8}",
      "{:process :nemesis :type :info :f :kill :value [:n1] :time 9} {:process :nemesis :type :info :f :kill :time 9}",
      "{:process :nemesis :type :info :f :start :time 10} {:process :nemesis :type :info :f :start :time 11}",
      "{:process :nemesis :type :info :f :start-partition :value :majority :time 12} {:process :nemesis :type :info :f :bump-clock :time 13}",
      "{:process :nemesis :type :info :f :bump-clock :time 13} {:process :nemesis :type :info :f :stop-partition :time 14}",
    ].join("\n"),
  );
  assertEquals(events as unknown, [
    { type: "fault", timeNs: 5, phase: "start", name: "fault", id: 1 },
    { type: "fault", timeNs: 7, phase: "stop", name: "fault", id: 1 },
    { type: "fault", timeNs: 9, phase: "start", name: "kill", id: 2, detail: "[:n1]" },
    { type: "fault", timeNs: 10, phase: "stop", name: "kill", id: 2 },
    { type: "fault", timeNs: 12, phase: "start", name: "partition", id: 3, detail: ":majority" },
    { type: "fault", timeNs: 14, phase: "stop", name: "partition", id: 3 },
  ]);
  assertEquals(skipped, ["nemesis bump-clock"]);
});

Deno.test("lines of a log that are no operations are counted", () => {
  const log =
    "INFO  jepsen.core - Running test\n\nWARN jepsen.util - 1 :invoke :read nil\nsomething else\n" +
    "INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - :nemesis\t:info\t:start\tnil\n";
  const { events, skipped, notes } = collect(LOG, log);
  assertEquals(events.map(({ type }) => type), ["invoke", "fault"]);
  assertEquals(skipped.length, 3);
  assertEquals(notes.some((note) => note.includes("no newline")), false);
  assert(collect(LOG, log.trimEnd()).notes.some((note) => note.includes("no newline")));
});

Deno.test("a log may have the text of an error after the value", () => {
  const log =
    "INFO jepsen.util - 1\t:invoke\t:cas\t[1 2]\nINFO jepsen.util - 1\t:fail\t:cas\t[1 2]\t:not-found (oh) {\n";
  assertEquals(collect(LOG, log).events[1] as unknown, {
    type: "fail",
    process: 1,
    timeNs: NaN,
    answer: answer([1n, 2n]),
    reason: ":not-found (oh) {",
  });
});

Deno.test("what a failure says is left out where it is no value", () => {
  const ends = ["{:odd 1}", "#odd 1", "[{:odd 1}]", "#{1}"].map((value) =>
    collect(EDN, `[0 :invoke :write 1] [0 :fail :write ${value}]`).events[1]
  );
  assertEquals(ends as unknown, ends.map(() => ({ type: "fail", process: 0, timeNs: NaN })));
});

Deno.test("a byte order mark and times that are odd are told", () => {
  const text = "\ufeff[{:process 0 :type :invoke :f :read :time 1.5}]";
  const { notes, events } = collect(EDN, text);
  assertEquals(events.length, 1);
  assert(notes.includes("begins with a byte order mark"));
  assert(notes.includes("times that are no whole nanoseconds were left out"));
});

Deno.test("formats know their own beginnings and no others", () => {
  const heads: readonly (readonly [string, string])[] = [
    ["edn", "{:type :invoke"],
    ["edn", "; comment\n\n[[0 :invoke :read nil]]"],
    ["edn", "[\n {:process 0}]"],
    ["edn", "#jepsen.history.Op{:index 0"],
    ["edn", "[:nemesis :info :start nil]"],
    ["edn", "()"],
    ["edn", "; nothing but a comment"],
    ["kv", '{:process 0, :type :invoke, :f :get, :key "7", :value nil}'],
    ["log", "INFO  jepsen.util - 0\t:invoke"],
    ["log", "something\nINFO  jepsen.core - starting"],
    ["json", '[{"type":"invoke","f":"read","value":null,"process":0}]'],
    ["json", ' {"index":0,"type":"invoke","process":0,"f":"txn"}'],
    ["", '{"format":"x","version":1}'],
    ["", "version=1\n"],
    ["", "hello"],
    ["", ""],
    ["", "\u0000\u0001"],
  ];
  for (const [name, head] of heads) {
    const bytes = new TextEncoder().encode(head);
    const first = [KV, EDN, LOG, JSON_HISTORY].find((format) => format.sniff(bytes));
    assertEquals(first?.name ?? "", name, head);
  }
});
