// Foreign files all the way into a recording: what cannot have happened is refused, and what proves nothing is accepted with a note.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { convert } from "../../testbed/jepsen/codec/convert.ts";
import { READ_DEFAULTS, type ReadOptions } from "../../testbed/jepsen/codec/format.ts";
import { readHistory } from "../../testbed/jepsen/codec/read.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";

async function withFile<Result>(
  text: string,
  body: (path: string) => Promise<Result>,
): Promise<Result> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/history`;
    await Deno.writeTextFile(path, text);
    return await body(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function recorded(text: string, options: Partial<ReadOptions> = {}): Promise<Recording> {
  return withFile(text, (path) => readHistory(path, { ...READ_DEFAULTS, ...options }));
}

const W = "{:process 0 :type :invoke :f :write :value 1}\n";

/** What cannot have happened, the line that shows it, and what is said. */
const IMPOSSIBLE: readonly (readonly [string, number, string])[] = [
  ["{:process 0 :type :ok :f :write :value 1}", 1, "invocation"],
  [W + W, 2, "process 0"],
  [W + "{:process 0 :type :info :f :write :value 1}\n" + W, 3, "process 0"],
  [W + "{:process 0 :type :ok :f :read :value 1}", 2, 'the end of "read"'],
  [
    "{:process 0 :type :invoke :f :read :key 1}\n{:process 0 :type :ok :f :read :key 2 :value 1}",
    2,
    "another key",
  ],
  ["[0 :invoke :read [1 nil]]\n[0 :ok :read [2 5]]", 2, "another key"],
  [
    "{:process 0 :type :invoke :f :read :index 4}\n{:process 1 :type :invoke :f :read :index 4}",
    2,
    "index 4",
  ],
  [
    "{:process 0 :type :invoke :f :read :index 4}\n{:process 1 :type :invoke :f :read :index 3}",
    2,
    "index 3",
  ],
  ["INFO  jepsen.util - 1\t:ok\t:read\tnil\n", 1, "invocation"],
  ['{"process":0,"type":"ok","f":"read","value":1}', 1, "invocation"],
];

Deno.test("foreign events that cannot follow one another are refused with their line", async () => {
  for (const [text, line, found] of IMPOSSIBLE) {
    const error = await assertRejects(() => recorded(text), HistoryError, undefined, text);
    assertEquals(error.place, { line }, `${text}: ${error.message}`);
    assert(error.message.includes(found), `${text}: ${error.message}`);
  }
});

/** What proves nothing, how many operations are in it, and a part of a note. */
const NOTED: readonly (readonly [string, number, string])[] = [
  ["[]", 0, "nothing in it"],
  ["()\n", 0, "nothing in it"],
  ["; so\n\n", 0, "nothing in it"],
  ["{:process :nemesis :type :info :f :start :value nil}", 0, "only what happened to the system"],
  ["INFO  jepsen.core - nothing came up\nWARN  jepsen.core - no\n", 0, "nothing in it"],
  ["[0 :invoke :read nil]\n[0 :ok :read nil]", 1, "nothing but reads"],
  [W, 1, "nothing was answered"],
  ["\ufeff" + W, 1, "byte order mark"],
  [
    "[{:process 0 :type :invoke :f :read :time 9}\r\n{:process 1 :type :invoke :f :read :time 7}]",
    2,
    "time goes back",
  ],
];

Deno.test("foreign files that prove nothing are accepted with a note", async () => {
  for (const [text, operations, note] of NOTED) {
    const { modelOperations, notes } = await recorded(text);
    assertEquals(modelOperations.length, operations, text);
    assert(notes.some((it) => it.includes(note)), `${text}: ${notes.join("; ")}`);
  }
});

Deno.test("lines of a log that were skipped are in the recording, and too many are refused if somebody says so", async () => {
  const log = "something\nINFO  jepsen.util - 1\t:invoke\t:read\tnil\nelse\n";
  assertEquals((await recorded(log, { format: "log" })).skippedLines, 2);
  await assertRejects(
    () => recorded(log, { format: "log", maxSkipped: 1 }),
    HistoryError,
    "line 3",
  );
});

Deno.test("what is noted of a foreign file before its first event does not spoil a file of ours", async () => {
  const text = "\ufeffINFO  jepsen.util - 1\t:invoke\t:read\tnil\r\nno\r\n";
  await withFile(text, async (path) => {
    for (const format of ["cbor", "text", "jsonl", "edn", "json"] as const) {
      await convert(path, `${path}.${format}`, format, { ...READ_DEFAULTS, format: "log" });
      const { modelOperations } = await readHistory(`${path}.${format}`, READ_DEFAULTS);
      assertEquals(modelOperations.length, 1, format);
    }
  });
});
