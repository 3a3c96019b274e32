// A file comes in pieces, and not always whole: wherever it is cut, the events are the same, and whatever has happened to it,
// there are events or an error with a place, soon.
import { assert, assertEquals } from "@std/assert";
import { EDN, KV } from "../../testbed/jepsen/codec/foreign/edn_format.ts";
import { JSON_HISTORY } from "../../testbed/jepsen/codec/foreign/json_format.ts";
import { LOG } from "../../testbed/jepsen/codec/foreign/log_format.ts";
import type { Format } from "../../testbed/jepsen/codec/format.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import { collect, type Collected } from "./collected.ts";

const ODD = `; comment é
#_ {:process 0 :type :nope}
[#jepsen.history.Op{:process 10, :type :invoke, :f :cas, :value ["é😀" \\(] :time 123 :index 0}
 {:process :nemesis, :type :info, :f :start-kill, :value {:a #{1 2} :b "x\\ny"} :index 1}
 ^{:a "b"} {:process 10, :type :fail, :error [:no "way" 1/2], :f :cas, :value ["é😀" \\(], :index 7} ]
`;
const JSON_TEXT = `[{"process":0,"type":"invoke","f":"write","value":"é\\u00e9😀"},
 {"process":"nemesis","type":"info","f":"start","value":null},
 {"process":0,"type":"ok","f":"write","value":"é\\u00e9😀","time":9007199254740991}]`;

const histories = new URL("./histories/", import.meta.url);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const fixture = (name: string): Uint8Array => Deno.readFileSync(new URL(name, histories));

const SMALL: readonly (readonly [string, Format, Uint8Array])[] = [
  ["odd EDN", EDN, bytesOf(ODD)],
  ["JSON", JSON_HISTORY, bytesOf(JSON_TEXT)],
  ["rethink-fail-minimal.edn", EDN, fixture("rethink-fail-minimal.edn")],
  ["cas-register-bug.edn", EDN, fixture("cas-register-bug.edn")],
  ["part of etcd_000.log", LOG, fixture("etcd_000.log").subarray(0, 700)],
  ["part of c01-ok.txt", KV, lines(fixture("c01-ok.txt"), 10)],
];

function lines(bytes: Uint8Array, count: number): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  return bytesOf(text.split("\n").slice(0, count).join("\n"));
}

/** Reads and says how it ended, so that errors can be compared too. */
function outcome(format: Format, bytes: Uint8Array, pieces: readonly number[] = []): unknown {
  try {
    return collect(format, bytes, {}, pieces);
  } catch (error) {
    if (error instanceof HistoryError) return error.message;
    throw error;
  }
}

Deno.test("every cut of a file gives the same events, claims, places and notes", () => {
  for (const [name, format, bytes] of SMALL) {
    const whole = outcome(format, bytes);
    assert(typeof whole === "object" || name.startsWith("part"), `${name}: ${whole}`);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assertEquals(outcome(format, bytes, [cut]), whole, `${name} at ${cut}`);
    }
    assertEquals(
      outcome(format, bytes, Array<number>(bytes.length).fill(1)),
      whole,
      `${name}, byte by byte`,
    );
  }
});

Deno.test("a file of EDN or JSON that ends early is refused, or says what it said before the end", () => {
  for (const [name, format, bytes] of SMALL.filter(([, format]) => format !== LOG)) {
    const { events } = collect(format, bytes);
    let refused = 0;
    for (let end = 0; end < bytes.length; end++) {
      const early = outcome(format, bytes.subarray(0, end));
      if (typeof early === "string") refused++;
      else {assertEquals(
          (early as Collected).events,
          events.slice(0, (early as Collected).events.length),
          `${name} at ${end}`,
        );}
    }
    assert(refused > bytes.length / 2, name);
  }
});

/** The fixtures that others recorded, with the format of each. */
function fixtures(): [string, Format, Uint8Array][] {
  const found: [string, Format, Uint8Array][] = [];
  for (const { name } of Deno.readDirSync(histories)) {
    if (name.endsWith(".md")) continue;
    const bytes = fixture(name);
    const format = [KV, EDN, LOG, JSON_HISTORY].find((it) => it.sniff(bytes.subarray(0, 4_096)));
    if (format === undefined) continue;
    found.push([name, format, bytes]);
  }
  assert(found.length >= 14);
  return found.sort(([a], [b]) => a < b ? -1 : 1);
}

/** Numbers from a seed: xorshift, enough for choosing. */
function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const DICTIONARY = [
  "{",
  "}",
  "[",
  "]",
  "(",
  ")",
  '"',
  "\\",
  ";",
  "#_",
  "#",
  "^",
  ":",
  "nil",
  "\n",
  "\0",
  "\xff",
  " 1/2 ",
  "é",
  ":invoke",
  ":info",
  "nemesis",
];

/** One of the things that happen to files. */
function mutate(bytes: Uint8Array, draw: (below: number) => number): Uint8Array {
  const at = draw(bytes.length);
  const length = 1 + draw(40);
  switch (draw(6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return bytes.map((byte, i) => i === at ? byte ^ (1 << draw(8)) : byte);
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 3:
      return joined(
        bytes.subarray(0, at),
        Uint8Array.from(DICTIONARY[draw(DICTIONARY.length)]!, (c) => c.charCodeAt(0)),
        bytes.subarray(at),
      );
    case 4:
      return joined(
        bytes.subarray(0, at),
        bytes.subarray(draw(bytes.length)).slice(0, length),
        bytes.subarray(at),
      );
    default:
      return swapLines(bytes, draw);
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function swapLines(bytes: Uint8Array, draw: (below: number) => number): Uint8Array {
  const all = new TextDecoder("latin1").decode(bytes).split("\n");
  const [a, b] = [draw(all.length), draw(all.length)];
  [all[a], all[b]] = [all[b]!, all[a]!];
  return Uint8Array.from(all.join("\n"), (character) => character.charCodeAt(0));
}

const MUTATIONS = 10_000;
/** Larger files are cut down, so that ten thousand of them take seconds. */
const FUZZED_BYTES_MAX = 3_000;

Deno.test("10,000 damaged files are read or refused with a place, however they are cut", () => {
  const draw = drawing(5);
  const sources = fixtures().map(([name, format, bytes]) =>
    [name, format, bytes.subarray(0, FUZZED_BYTES_MAX)] as const
  );
  sources.push(["odd EDN", EDN, bytesOf(ODD)], ["JSON", JSON_HISTORY, bytesOf(JSON_TEXT)]);
  const counts = { read: 0, refused: 0 };
  for (let run = 0; run < MUTATIONS; run++) {
    const [name, format, source] = sources[run % sources.length]!;
    let bytes = mutate(source, draw);
    for (let more = draw(3); more > 0 && bytes.length > 0; more--) bytes = mutate(bytes, draw);
    const whole = outcome(format, bytes);
    if (run % 4 === 0) {
      const pieces = [draw(bytes.length + 1), draw(100), 1];
      assertEquals(outcome(format, bytes, pieces), whole, `${name}, run ${run}`);
    }
    if (typeof whole === "string") assert(/^(line|byte) \d+: /.test(whole), whole);
    counts[typeof whole === "string" ? "refused" : "read"]++;
  }
  assert(counts.read > 1_000 && counts.refused > 1_000, JSON.stringify(counts));
});
