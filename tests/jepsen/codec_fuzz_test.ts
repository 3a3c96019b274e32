// Whatever a file says, reading it ends with a recording or with an error that names the place. 10,000 files of each format of ours, fewer of others,
// are cut, turned bit by bit, and shuffled line by line; none may crash a reader, hang it or make it take memory that the file
// does not have. `tools/fuzz.ts` does the same for as long as asked.
import { assert, assertEquals } from "@std/assert";
import { FORMATS } from "../../testbed/jepsen/codec/formats.ts";
import type { Format } from "../../testbed/jepsen/codec/format.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { readBytes, written } from "./codec_histories.ts";
import { SAMPLE } from "./codec_sample.ts";

const OURS: readonly string[] = ["cbor", "text", "jsonl", "runbook"];

const FOREIGN = {
  edn:
    "[{:process 0, :type :invoke, :f :write, :value 3, :index 0, :time 5}\n {:process 0, :type :ok, :f :write, " +
    ":value 3, :index 1, :time 7} ; comment\n {:process :nemesis, :type :info, :f :start, :value nil}\n" +
    '{:process 1, :type :invoke, :f :cas, :value [3 4]} {:process 1 :type :fail :f :cas :value [3 4] :error "no"}]\n',
  log: "INFO  jepsen.util - 3\t:invoke\t:write\t4\nINFO  jepsen.core - starting\n" +
    "INFO  jepsen.util - 3\t:ok\t:write\t4\nINFO  jepsen.util - 0\t:invoke\t:read\tnil\n" +
    "INFO  jepsen.util - 0\t:info\t:read\t:timed-out\n",
  kv: '{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}\n' +
    '{:process 0, :type :ok, :f :append, :key "0", :value "x 0 0 y"}\n' +
    '{:process 1, :type :invoke, :f :get, :key "7", :value nil}\n{:process 1, :type :ok, :f :get, :key "7", :value ""}\n',
  json: '[{"process":0,"type":"invoke","f":"write","value":3,"index":0},\n' +
    '{"process":0,"type":"ok","f":"write","value":3,"index":1},\n' +
    '{"process":"nemesis","type":"info","f":"start","value":null}]\n',
} as const;

function soundFile({ name }: Format): Uint8Array {
  switch (name) {
    case "edn":
    case "log":
    case "kv":
    case "json":
      return new TextEncoder().encode(FOREIGN[name]);
    default:
      return written(SAMPLE, name);
  }
}

/** One or more of: cut off, bits turned, lines swapped or doubled, bytes put in or taken out. */
function damaged(random: SeededRandom, sound: Uint8Array): Uint8Array {
  let bytes = [...sound];
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(bytes.length || 1);
    switch (random.below(6)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        if (bytes.length > 0) bytes[at]! ^= 1 << random.below(8);
        break;
      case 2:
        bytes = swapped(random, bytes);
        break;
      case 3:
        bytes.splice(at, random.below(5));
        break;
      case 4:
        bytes.splice(at, 0, ...Array.from({ length: random.below(5) }, () => random.below(256)));
        break;
      case 5:
        bytes.splice(at, 0, ...bytes.slice(at, at + random.below(200)));
    }
  }
  return Uint8Array.from(bytes);
}

function swapped(random: SeededRandom, bytes: readonly number[]): number[] {
  const lines = new TextDecoder("latin1").decode(Uint8Array.from(bytes)).split("\n");
  const [a, b] = [random.below(lines.length), random.below(lines.length)];
  [lines[a], lines[b]] = [lines[b]!, lines[a]!];
  return [...lines.join("\n")].map((character) => byteOf(character));
}

/** What latin1 decoded, back again; it is windows-1252 by the standard, so the odd ones become a question mark. */
function byteOf(character: string): number {
  const code = character.charCodeAt(0);
  return code < 256 ? code : 63;
}

for (const format of FORMATS) {
  const files = OURS.includes(format.name) ? 10_000 : 2_000;
  Deno.test(`${format.name} ends with a recording or an error for ${files} damaged files`, () => {
    const random = new SeededRandom(20_261_120);
    const sound = soundFile(format);
    assertEquals(format.sniff(sound.subarray(0, 4_096)), true);
    assert(readBytes(sound, format).events > 0);
    let refused = 0;
    for (let i = 0; i < files; i++) {
      const bytes = damaged(random, sound);
      try {
        readBytes(bytes, format, 1 + random.below(bytes.length + 1));
      } catch (error) {
        if (!(error instanceof HistoryError)) throw new Error(`file ${i}`, { cause: error });
        assertEquals(/[\p{Cc}\u2028\u2029]/u.test(error.message), false, error.message);
        assert(error.message.length < 1_000);
        refused++;
      }
    }
    assert(refused > files / 10 && refused < files, `${refused} of ${files} refused`);
  });
}
