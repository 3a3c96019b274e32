/** Recorded histories of every format: a file is one recording however it is cut into pieces, and says the same in our text. */
import type { EventClaims } from "../../../testbed/jepsen/history/claims.ts";
import type { HistoryEvent, HistoryHeader } from "../../../testbed/jepsen/history/event.ts";
import { HistoryError, type SourcePlace } from "../../../testbed/jepsen/history/history_error.ts";
import type { Recording } from "../../../testbed/jepsen/history/recording.ts";
import {
  type EventSink,
  type Format,
  FORMAT_NAMES,
  type FormatName,
  type FormatReader,
  READ_DEFAULTS,
} from "../../../testbed/jepsen/codec/format.ts";
import { formatNamed } from "../../../testbed/jepsen/codec/formats.ts";
import { writeBatch } from "../../../testbed/jepsen/codec/own/cbor_batch.ts";
import { CborFields } from "../../../testbed/jepsen/codec/own/cbor_fields.ts";
import { writeEvent } from "../../../testbed/jepsen/codec/own/write_event.ts";
import { writeHeader } from "../../../testbed/jepsen/codec/own/write_header.ts";
import { RecordingSink } from "../../../testbed/jepsen/codec/recording_sink.ts";
import { SAMPLE } from "../../../tests/jepsen/codec_sample.ts";
import { mutate } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, type Target } from "../target.ts";

/** The function under test: begins to read a format. */
export type BeginReading = (format: Format, sink: EventSink) => FormatReader;

const begin: BeginReading = (format, sink) => format.read(sink, READ_DEFAULTS);
const TEXT = formatNamed("text");

const EDN = "{:process 0, :type :invoke, :f :write, :value 3, :index 0, :time 5}\n" +
  "{:process 0, :type :ok, :f :write, :value 3, :index 1, :time 7}\n" +
  "{:process :nemesis, :type :info, :f :start, :value nil}\n" +
  '{:process 1, :type :invoke, :f :read, :value nil} {:process 1 :type :info :f :read :error "no"}\n';
const FOREIGN: Partial<Record<FormatName, string>> = {
  edn: EDN,
  log: "INFO  jepsen.util - 3\t:invoke\t:write\t4\nINFO  jepsen.core - starting\n" +
    "INFO  jepsen.util - 3\t:ok\t:write\t4\nINFO  jepsen.util - 0\t:invoke\t:read\tnil\n",
  kv: '{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}\n' +
    '{:process 0, :type :ok, :f :append, :key "0", :value "x 0 0 y"}\n',
  json: '[{"process":0,"type":"invoke","f":"write","value":3,"index":0},\n' +
    '{"process":0,"type":"ok","f":"write","value":3,"index":1}]\n',
};

/** Makes the target. The first byte of an input chooses the format. */
export function historyTarget(read: BeginReading = begin): Target {
  return {
    name: "history",
    outcomes: [...FORMAT_NAMES.map((name) => `ok ${name}`), "refused"],
    draw: (random) => drawFile(random),
    judge: (input) => judgeFile(read, input),
  };
}

function drawFile(random: FuzzRandom): Uint8Array {
  const index = random.below(FORMAT_NAMES.length);
  const name = FORMAT_NAMES[index]!;
  return Uint8Array.from([index, ...drawBytes(random, name)]);
}

function drawBytes(random: FuzzRandom, name: FormatName): Uint8Array {
  const sound = soundFile(name);
  if (random.oneIn(6)) return sound;
  // Checksums that fit, or nothing behind them would ever be looked at.
  if (name === "cbor" && !random.oneIn(4)) return writeBatch(0, mutate(random, sampleRecords()));
  return mutate(random, sound);
}

function soundFile(name: FormatName): Uint8Array {
  const foreign = FOREIGN[name];
  if (foreign !== undefined) return new TextEncoder().encode(foreign);
  const writer = formatNamed(name).write!();
  writer.header(SAMPLE.header);
  for (const event of SAMPLE.events) writer.event(event, { line: 0 });
  writer.end();
  return writer.take();
}

function sampleRecords(): Uint8Array {
  const fields = new CborFields();
  writeHeader(fields, SAMPLE.header, true);
  for (const event of SAMPLE.events) writeEvent(fields, event);
  return fields.view().slice();
}

function judgeFile(read: BeginReading, input: Uint8Array): string {
  const name = FORMAT_NAMES[(input[0] ?? 0) % FORMAT_NAMES.length]!;
  const bytes = input.subarray(1);
  const format = formatNamed(name);
  const text = TEXT.write!();
  const whole = attempt(read, format, bytes, bytes.length || 1, text);
  const pieces = attempt(read, format, bytes, 1 + bytes.length % 7);
  expectEqual(describe(pieces), describe(whole), "read in pieces");
  if (whole instanceof HistoryError) return "refused";
  text.end();
  const again = attempt(begin, TEXT, text.take(), bytes.length + 1);
  expectEqual(describe(again), describe(whole), "as our text");
  return `ok ${name}`;
}

function attempt(
  read: BeginReading,
  format: Format,
  bytes: Uint8Array,
  pieceBytes: number,
  also?: EventSink,
): Recording | HistoryError {
  const sink = new RecordingSink(Infinity);
  try {
    const reader = read(format, also === undefined ? sink : new Both(sink, also));
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      reader.push(bytes.slice(at, at + pieceBytes));
    }
    reader.end();
    return sink.finish();
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    expect(!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(error.message), `one plain line: ${error.message}`);
    return error;
  }
}

/** Lines that were skipped are not in our text. */
function describe(found: Recording | HistoryError): string {
  if (found instanceof HistoryError) return found.message;
  return JSON.stringify({ ...found, skippedLines: 0 }, (_key, value) => {
    if (typeof value === "bigint") return `${value}n`;
    if (value instanceof Map) return [...value];
    return value;
  });
}

/** Two sinks at once. */
class Both implements EventSink {
  readonly #a: EventSink;
  readonly #b: EventSink;

  constructor(a: EventSink, b: EventSink) {
    this.#a = a;
    this.#b = b;
  }

  header(header: HistoryHeader, hasInvocations = true): void {
    this.#a.header(header, hasInvocations);
    this.#b.header(header, hasInvocations);
  }

  event(event: HistoryEvent, at: SourcePlace, claims?: EventClaims): void {
    this.#a.event(event, at, claims);
    this.#b.event(event, at);
  }

  processName(number: number, name: string): void {
    this.#a.processName(number, name);
    this.#b.processName(number, name);
  }

  skip(at: SourcePlace, what: string): void {
    this.#a.skip(at, what);
    this.#b.skip(at, what);
  }

  note(text: string): void {
    this.#a.note(text);
    this.#b.note(text);
  }
}
