// A history that is wrong must never be judged as if it were right. Each case is a small file of our text; the message has to
// say where it is wrong, and what was expected instead.
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatNamed } from "../../testbed/jepsen/codec/formats.ts";
import { LINE_BYTES_MAX } from "../../testbed/jepsen/codec/lines.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";
import { readBytes } from "./codec_histories.ts";

const ENCODER = new TextEncoder();
const HEAD = "allocdb-history version=1 model=reservation\n";
const REGISTER = "allocdb-history version=1 model=register\n";
const READ = "invoke process=1 operation=get_resource resource_id=7\n";
const WRITE = "invoke process=1 operation=revoke client_id=1 operation_id=2 reservation_id=3\n";
const OK = "ok process=1 answer=applied code=ok\n";

function read(text: string | Uint8Array): Recording {
  const bytes = typeof text === "string" ? ENCODER.encode(text) : text;
  return readBytes(bytes, formatNamed("text"));
}

/** What is refused, the line, and a part of the message. */
const REFUSED: Readonly<Record<string, readonly [text: string, line: number, message: string]>> = {
  "a last line that is cut": [`${HEAD}${READ}ok process=1 answer=not_fo`, 3, "expected a newline"],
  "a last line that could be cut": [HEAD + READ.trimEnd(), 2, "expected a newline"],
  "a NUL byte": [`${HEAD}invoke process=1\0`, 2, "NUL"],
  "an unknown type": [`${HEAD}began process=1\n`, 2, '"began"'],
  "a completion without its invocation": [`${HEAD}${OK}`, 2, "waits for nothing"],
  "a second invocation": [`${HEAD}${READ}${READ}`, 3, "from line 2"],
  "a process that returns after info": [`${HEAD}${READ}info process=1\n${READ}`, 4, "new process"],
  "the end of another operation": [
    `${HEAD}${READ}ok process=1 operation=reserve answer=not_found\n`,
    3,
    'expected the end of "get_resource"',
  ],
  "the end of another f": [
    `${REGISTER}invoke process=1 operation=model f=read value=nil\nok process=1 f=write answer=model value=1\n`,
    3,
    'expected the end of "read"',
  ],
  "the end of another operation id": [
    `${HEAD}${WRITE}ok process=1 operation_id=3 answer=applied code=ok\n`,
    3,
    "operation id 3",
  ],
  "an index twice": [
    `${HEAD}${READ.trimEnd()} index=4\nok process=1 answer=not_found index=4\n`,
    3,
    "expected an index above 4",
  ],
  "an answer of another kind": [`${HEAD}${READ}${OK}`, 3, "the answer applied to get_resource"],
  "ok without an answer": [`${HEAD}${READ}ok process=1\n`, 3, "ok without an answer"],
  "an integer out of range": [
    `${HEAD}invoke process=1 operation=get_resource resource_id=${2n ** 128n}\n`,
    2,
    "below 2^128",
  ],
  "an lsn out of range": [
    `${HEAD}${WRITE}ok process=1 answer=applied code=ok lsn=${2n ** 64n}\n`,
    3,
    "below 2^64",
  ],
  "a negative integer": [`${HEAD}${READ.replace("=7", "=-7")}`, 2, "whole number"],
  "a number that would be rounded": [
    `${HEAD}${READ.replace("process=1", `process=${2n ** 53n}`)}`,
    2,
    "2^53",
  ],
  "an operation that the model has not": [
    `${REGISTER}invoke process=1 operation=model f=enqueue value=1\n`,
    2,
    "read, write",
  ],
  "an operation of another model": [`${REGISTER}${READ}`, 2, "one of the model register"],
  "a missing field": [`${HEAD}invoke process=1 operation=get_resource\n`, 2, "without resource_id"],
  "a field that is not of the record": [`${HEAD}${READ.trimEnd()} holder_id=3\n`, 2, "holder_id"],
  "a field twice": [`${HEAD}${READ.trimEnd()} process=1\n`, 2, "process twice"],
  "a field that there is not": [`${HEAD}${READ.trimEnd()} colour=3\n`, 2, '"colour"'],
  "an empty operation id": [
    `${HEAD}${WRITE.replace("operation_id=2", "operation_id=")}`,
    2,
    "operation_id",
  ],
  "a wrong version": ["allocdb-history version=2 model=reservation\n", 1, "expected version 1"],
  "a model that there is not": ["allocdb-history version=1 model=queue\n", 1, "cas-register"],
  "no header": [READ, 1, "one header"],
  "two headers": [HEAD + HEAD, 2, "one header"],
  "an end that counts other events": [`${HEAD}${READ}end events=2\n`, 3, "2 events before it"],
  "something after the end": [`${HEAD}end events=0\n${READ}`, 3, "nothing after end"],
  "a stop without its start": [
    `${HEAD}fault phase=stop name=kill fault_id=1 time_ns=1\n`,
    2,
    "its start",
  ],
  "an open quotation mark": [`${HEAD}note text="abc\n`, 2, "closing quotation mark"],
  "a value that is none": [
    `${REGISTER}invoke process=1 operation=model f=write value=[1,\n`,
    2,
    "a value",
  ],
};

for (const [name, [text, line, message]] of Object.entries(REFUSED)) {
  Deno.test(`a history with ${name} is refused at its line`, () => {
    const error = assertThrows(() => read(text), HistoryError);
    assertEquals(error.place, { line }, error.message);
    assertStringIncludes(error.message, message);
    assertEquals(error.message.split("\n").length, 1);
  });
}

Deno.test("a line that is no UTF-8 is refused, and the one before it first", () => {
  const bad = Uint8Array.from([...ENCODER.encode(`${HEAD}# `), 0xff, 10]);
  assertEquals(assertThrows(() => read(bad), HistoryError).place, { line: 2 });
  const worse = Uint8Array.from([...ENCODER.encode(`${HEAD}nonsense\n`), 0xff, 10]);
  assertStringIncludes(assertThrows(() => read(worse), HistoryError).message, "nonsense");
});

Deno.test("a line without an end is refused before it fills the memory", () => {
  const sink = { header() {}, event() {}, processName() {}, skip() {}, note() {} };
  for (const name of ["text", "jsonl", "runbook"] as const) {
    const format = formatNamed(name);
    const reader = format.read(sink, { failedOps: "drop", nilRead: "value" });
    const block = new Uint8Array(1_048_576).fill(120);
    const error = assertThrows(() => {
      for (let bytes = 0; bytes <= LINE_BYTES_MAX + block.length; bytes += block.length) {
        reader.push(block);
      }
    }, HistoryError);
    assertStringIncludes(error.message, "line 1");
  }
});

Deno.test("what is in a message neither moves a cursor nor turns a direction, and is short", () => {
  const nasty = `\u001b[2J\u202e<script>${"x".repeat(500)}`;
  const { message } = assertThrows(() => read(`${HEAD}${nasty}\n`), HistoryError);
  assertEquals(/[\p{Cc}\p{Cf}]/u.test(message), false);
  assertEquals(message.length < 300, true);
});

/** What is read, and the note that comes with it. */
const NOTED: Readonly<Record<string, readonly [text: string, note: string]>> = {
  "nothing in it": [`${HEAD}end events=0\n`, "0 operations"],
  "only faults": [
    `${HEAD}fault phase=start name=kill fault_id=1 time_ns=1\nend events=1\n`,
    "no operations",
  ],
  "only reads": [`${HEAD}${READ}ok process=1 answer=not_found\nend events=2\n`, "but reads"],
  "no completions": [`${HEAD}${WRITE}end events=1\n`, "nothing was answered"],
  "carriage returns": [`${HEAD}${READ}end events=1\n`.replaceAll("\n", "\r\n"), "carriage returns"],
  "a byte order mark": [`\ufeff${HEAD}end events=0\n`, "byte order mark"],
  "no end mark": [HEAD, "no end mark"],
  "time that goes back": [
    `${HEAD}${READ.trimEnd()} time_ns=9\nok process=1 time_ns=8 answer=not_found\nend events=2\n`,
    "time goes back 1 times",
  ],
};

for (const [name, [text, note]] of Object.entries(NOTED)) {
  Deno.test(`a history with ${name} is read with a note`, () => {
    const { notes } = read(text);
    assertEquals(notes.some((each) => each.includes(note)), true, notes.join("; "));
  });
}

Deno.test("blank lines and comments are nothing, and not skipped either", () => {
  const found = read(`\n# by hand\n${HEAD}\n# more\n${READ}end events=1\n`);
  assertEquals([found.events, found.skippedLines], [1, 0]);
  assertEquals(found.notes, ["nothing was answered"]);
});

Deno.test("JSON numbers that may have been rounded are refused", () => {
  const head = '{"type":"header","format":"allocdb-history","version":1,"model":"register"}\n';
  const json = (text: string): Recording =>
    readBytes(ENCODER.encode(head + text), formatNamed("jsonl"));
  const rounded =
    '{"type":"invoke","process":1,"operation":"model","f":"write","value":9007199254740993}\n';
  assertStringIncludes(assertThrows(() => json(rounded), HistoryError).message, "2^53");
  const exact = json(rounded.replace("9007199254740993", '{"int":"9007199254740993"}'));
  assertEquals(exact.modelOperations[0]!.value, 2n ** 53n + 1n);
});
