// Bad foreign histories: each is refused with the place, what was found and what should have been there. None is half read and
// none makes anything but a HistoryError.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EDN, KV } from "../../testbed/jepsen/codec/foreign/edn_format.ts";
import type { ForeignOptions } from "../../testbed/jepsen/codec/foreign/foreign_history.ts";
import { JSON_HISTORY } from "../../testbed/jepsen/codec/foreign/json_format.ts";
import { LOG } from "../../testbed/jepsen/codec/foreign/log_format.ts";
import type { Format } from "../../testbed/jepsen/codec/format.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import { collect } from "./collected.ts";

type Case = readonly [Format, string, string, number | undefined, Partial<ForeignOptions>?];

const INVOKED = "{:process 0 :type :invoke :f :write :value 1}\n";
const LOGGED = "INFO  jepsen.util - 0\t:invoke\t:write\t1\n";

/** What is wrong, in words of the message, and the line. */
const CASES: readonly Case[] = [
  [EDN, "{:process 0 :type :begin :f :read :value nil}", 'type ":begin"', 1],
  [EDN, '{:process 0 :type "invoke" :f :read}', "type", 1],
  [EDN, INVOKED + "{:process 0 :f :write}", "an operation without type", 2],
  [EDN, "{:type :invoke :f :read}", "an operation without process", 1],
  [EDN, "{:process 0 :type :invoke}", "an operation without f", 1],
  [EDN, "{:process 0 :type :invoke :f nil}", "an operation without f", 1],
  [EDN, '{:process 0 :type :invoke :f "read"}', "a string as f", 1],
  [EDN, "{:process -1 :type :invoke :f :read}", 'process "-1"', 1],
  [EDN, "{:process 1.5 :type :invoke :f :read}", "a decimal as process", 1],
  [EDN, "{:process 99999999999999999999 :type :invoke :f :read}", "process", 1],
  [EDN, '{:process "nemesis" :type :info :f :start}', "a string as process", 1],
  [EDN, "{:process 0 :type :invoke :f :write :value 1 :value 2}", "two fields value", 1],
  [EDN, "{:process 0 :type :invoke :f :write :value 1 :index -4}", 'index "-4"', 1],
  [EDN, "{:process 0 :type :invoke :f :write :value 1 :index 1.5}", 'index "1.5"', 1],
  [EDN, "[0 :invoke :read]", "3 items", 1],
  [EDN, "[0 :invoke :read nil 5]", "5 items", 1],
  [EDN, "[{:process 0 :type :invoke :f :read} 7]", "a whole number", 1],
  [EDN, "hello", "a symbol", 1],
  [EDN, '"hello"', "a string", 1],
  [EDN, "#{1 2}", "a set", 1],
  [EDN, INVOKED + "{:process 0, :type :ok, :f :wri", "the end of the file", 2],
  [EDN, "[" + INVOKED, "the end of the file", 2],
  [EDN, INVOKED + "}", '"}"', 2],
  [
    EDN,
    INVOKED + "{:process 0 :type :ok :f :write :value 2}",
    "another value than it was asked with",
    2,
  ],
  [EDN, "[0 :invoke :cas [1 2]] [0 :ok :cas [1 3]]", "another value than it was asked with", 1],
  [
    EDN,
    "[0 :invoke :read nil]\n[0 :ok :write 3]\n[1 :invoke :acquire nil]",
    "an operation of mutex",
    3,
  ],
  [
    EDN,
    "[0 :invoke :read nil]\n[1 :invoke :acquire nil]",
    "read of line 1 beside operations of mutex",
    2,
  ],
  [EDN, "[0 :invoke :dequeue nil]", 'the operation "dequeue"', 1],
  [EDN, "[0 :invoke :cas [1 2]]", 'the operation "cas"', 1, { model: "register" }],
  [EDN, "[0 :invoke :acquire nil]", 'the operation "acquire"', 1, { model: "cas-register" }],
  [EDN, "[0 :invoke :read nil]", "not reservation", undefined, { model: "reservation" }],
  [EDN, "[0 :invoke :cas 1]", "a cas of something else than two values", 1],
  [EDN, "[0 :invoke :cas [1 2 3]]", "a cas of something else than two values", 1],
  [EDN, "[0 :invoke :cas [7 1]]", "a cas of something else than two values", 1, { keyed: true }],
  [EDN, "[0 :invoke :read nil]", 'the value "nil"', 1, { keyed: true }],
  [EDN, "[0 :invoke :read [7 nil]]\n[1 :invoke :write 3]", 'the value "3"', 2],
  [EDN, "[0 :invoke :read [7 nil]]\n[0 :ok :read 3]", 'the value "3"', 2],
  [EDN, "[0 :invoke :read nil]\n[1 :invoke :read [7 nil]]", "[key nil]", 2],
  [EDN, "[0 :invoke :read nil]\n{:process 1 :type :invoke :f :read :key 3}", "a field key", 2],
  [
    EDN,
    "{:process 0 :type :invoke :f :read :key 3}\n[1 :invoke :read nil]",
    "an operation without key",
    2,
  ],
  [EDN, "[0 :invoke :write {:a 1}]", "a map, as value", 1],
  [EDN, '[0 :invoke :write #inst "2020"]', "a form tagged #inst, as value", 1],
  [EDN, "[0 :invoke :write #{1}]", "a set as value", 1],
  [EDN, "[0 :invoke :add 1] [0 :ok :add 1] [0 :invoke :read nil] [0 :ok :read #{1 1}]", "twice", 1],
  [EDN, '[0 :invoke :write :a]\n[1 :invoke :write "a"]', 'the string "a"', 2],
  [EDN, "[0 :invoke :write a]\n[0 :ok :write a]\n[1 :invoke :write \\a]", 'the character "a"', 3],
  [EDN, `[0 :invoke :write ${"[".repeat(40)}${"]".repeat(40)}]`, "lists in lists", 1],
  [
    EDN,
    "[0 :invoke :read nil]\n{:process 0 :type :ok :f :read}",
    "an answered read without value",
    2,
  ],
  [
    EDN,
    "[0 :invoke :txn [[:append 5 1] [:r 6 nil]]]",
    "Elle's list-append): this is a transactional history",
    1,
  ],
  [
    EDN,
    "[0 :invoke :txn [[:w 5 1] [:r 6 nil]]]",
    "Elle's rw-register): this is a transactional history",
    1,
  ],
  [EDN, "[0 :invoke :txn [[:append 5 1]]]", "list-append", 1, { model: "multi-register" }],
  [EDN, "[0 :invoke :txn nil]", "this tool checks linearizability", 1],
  [EDN, "[0 :invoke :anything [[:r 6 nil]]]", "this is a transactional history", 1],
  [KV, "{:process 0, :type :invoke, :f :read, :key 1}", 'the operation "read"', 1],
  [
    KV,
    '{:process 0, :type :invoke, :f :put, :key "a", :value "x"}\n{:process 1, :type :invoke, :f :get}',
    "an operation without key",
    2,
  ],
  [LOG, LOGGED + "INFO  jepsen.util - 0\t:done\t:write\t1\n", 'type ":done"', 2],
  [LOG, LOGGED + "INFO  jepsen.util - 0\t:ok\n", "items", 2],
  [LOG, LOGGED + "INFO  jepsen.util - 0\t:ok\t:write\t1 2\n", "items", 2],
  [LOG, LOGGED + "INFO  jepsen.util - 0\t:ok\t:write\t[1\n", "the end of the file", 2],
  [LOG, LOGGED + "INFO  jepsen.util - 0\t:ok\t:write\t1] [2\n", "another form", 2],
  [LOG, LOGGED + "INFO  jepsen.util - 0", "a last line that is cut", 2],
  [LOG, LOGGED + "INFO  jepsen.util - 0\t:o", "2 items", 2],
  [JSON_HISTORY, '{"process":0,"type":"begin","f":"read"}', 'type "', 1],
  [JSON_HISTORY, '{"process":0.5,"type":"invoke","f":"read"}', "a decimal as process", 1],
  [
    JSON_HISTORY,
    '[{"process":0,"type":"invoke","f":"write","value":1.5}]',
    "a decimal, as value",
    1,
  ],
  [
    JSON_HISTORY,
    '[{"process":0,"type":"invoke","f":"write","value":{"a":1}}]',
    "a map, as value",
    1,
  ],
  [JSON_HISTORY, '[{"process":0,"process":1,"type":"invoke","f":"read"}]', "two fields process", 1],
  [JSON_HISTORY, '[\n[0,"invoke","read",null]]', "a vector", 2],
  [
    JSON_HISTORY,
    '[{"index":0,"type":"invoke","process":0,"f":"txn","value":[["append",1,2]]}]',
    "Elle's list-append",
    1,
  ],
  [JSON_HISTORY, '[{"process":0,"type":"invoke","f":"read"}', "the end of the file", 1],
];

Deno.test("bad histories are refused with their line and what is wrong", () => {
  for (const [format, text, found, line, options] of CASES) {
    const error = assertThrows(() => collect(format, text, options), HistoryError, undefined, text);
    assertStringIncludes(error.message, found, text);
    assertEquals(
      error.place,
      line === undefined ? undefined : { line },
      `${text}: ${error.message}`,
    );
    assert(!error.message.includes("\n") && error.message.length < 500, error.message);
  }
});

/** A comment of EDN with bad bytes in it, and the first of them. */
const NOT_TEXT: readonly (readonly [readonly number[], number])[] = [
  [[0x3b, 0xff], 1],
  [[0x3b, 0x20, 0xc3, 0x28], 2],
  [[0x3b, 0x20, 0x20, 0xe2, 0x82], 3],
  [[0x3b, 0xed, 0xa0, 0x80], 1],
  [[0x3b, 0xf8, 0x88, 0x80, 0x80, 0x80], 1],
  [[0x3b, 0x20, 0x00], 2],
  [[0x3b, 0x00, 0xff], 1],
  [[0x3b, 0x00, 0xff, 0x28], 1],
  [[0x3b, 0xff, 0x00], 1],
  [[0x3b, 0xc3, 0xa9, 0xc3], 3],
  [[0xef, 0xbb, 0xbf, 0x3b, 0x80], 4],
];

Deno.test("bytes that are no UTF-8, and NUL, are refused with their byte, wherever the file is cut", () => {
  for (const [bytes, byte] of NOT_TEXT) {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const read = (): unknown => collect(EDN, Uint8Array.from(bytes), {}, [cut]);
      const error = assertThrows(read, HistoryError, undefined, `${bytes} at ${cut}`);
      assertEquals(error.place, { byte }, `${bytes} at ${cut}: ${error.message}`);
    }
  }
});

Deno.test("a file that is one long string, comment, number or bracket is refused or passed over within bounds", () => {
  const megabyte = "x".repeat(1_048_576);
  const endings: readonly (readonly [Format, string, string, boolean])[] = [
    [EDN, '[{:process 0 :value "', megabyte, true],
    [EDN, "; ", megabyte, false],
    [EDN, "[{:process ", "9".repeat(1_048_576), true],
    [EDN, "", "[".repeat(1_048_576), true],
    [EDN, "[{:process 0 :value [", "1 ".repeat(524_288), true],
    [EDN, "#_", "#_".repeat(524_288), true],
    [LOG, "INFO ", megabyte, true],
    [LOG, "", "INFO jepsen.util ".repeat(61_680), true],
    [JSON_HISTORY, '[{"value":"', megabyte, true],
    [JSON_HISTORY, "", '{"a":'.repeat(209_715), true],
    [JSON_HISTORY, '[{"value":[', "1,".repeat(524_288), true],
  ];
  for (const [format, start, more, isRefused] of endings) {
    const chunks = [start, ...Array<string>(20).fill(more)].map((it) =>
      new TextEncoder().encode(it)
    );
    const pushed = pushUntilRefused(format, chunks);
    assertEquals(pushed < chunks.length, isRefused, `${start}${more.slice(0, 20)}`);
  }
});

/** How many chunks a reader took before it refused. */
function pushUntilRefused(format: Format, chunks: readonly Uint8Array[]): number {
  let pushed = 0;
  const sink = { header() {}, event() {}, processName() {}, skip() {}, note() {} };
  const reader = format.read(sink, { failedOps: "drop", nilRead: "value" });
  try {
    for (; pushed < chunks.length; pushed++) reader.push(chunks[pushed]!);
    reader.end();
  } catch (error) {
    assert(error instanceof HistoryError);
  }
  return pushed;
}
