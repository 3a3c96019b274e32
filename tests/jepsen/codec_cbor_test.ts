// The recording of a run that was killed is all that is left of it: every whole batch of it has to count, and damage must
// not pass for a short recording. The bytes of all our formats are golden, because recordings outlive programs.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { formatNamed } from "../../testbed/jepsen/codec/formats.ts";
import { HEAD_BYTES, MAGIC } from "../../testbed/jepsen/codec/own/cbor_batch.ts";
import { HistoryError } from "../../testbed/jepsen/history/history_error.ts";
import type { Recording } from "../../testbed/jepsen/history/recording.ts";
import { assertGolden, readGolden } from "../support/golden.ts";
import { readBytes, recordingOf, written } from "./codec_histories.ts";
import { SAMPLE } from "./codec_sample.ts";

const CBOR = formatNamed("cbor");

for (const name of ["cbor", "text", "jsonl", "runbook"] as const) {
  Deno.test(`${name} writes the bytes of its first version, and reads them`, () => {
    assertGolden(`jepsen_${name}_v1`, written(SAMPLE, name));
    const found = readBytes(readGolden(`jepsen_${name}_v1`), formatNamed(name));
    if (name === "runbook") assertEquals(found.events, 12);
    else assertEquals(found, recordingOf(SAMPLE));
  });
}

/** The sample as a recorder writes it that is fast: a batch for each event. Answers where each batch ends, too. */
function batches(): { readonly bytes: Uint8Array; readonly ends: readonly number[] } {
  const writer = CBOR.write!();
  const taken: Uint8Array[] = [];
  writer.header(SAMPLE.header);
  taken.push(writer.take());
  for (const event of SAMPLE.events) {
    writer.event(event, { line: 0 });
    taken.push(writer.take());
  }
  writer.end();
  taken.push(writer.take());
  let end = 0;
  const ends = taken.map(({ length }) => end += length);
  return { bytes: Uint8Array.from(taken.flatMap((batch) => [...batch])), ends };
}

function attempt(bytes: Uint8Array): Recording | HistoryError {
  try {
    return readBytes(bytes, CBOR);
  } catch (error) {
    if (error instanceof HistoryError) return error;
    throw error;
  }
}

Deno.test("cbor that was cut off anywhere counts up to its last whole batch, and says that it is torn", () => {
  const { bytes, ends } = batches();
  for (let length = 0; length < bytes.length; length++) {
    const found = attempt(bytes.subarray(0, length));
    const whole = ends.findLastIndex((end) => end <= length);
    if (whole < 0) {
      assert(found instanceof HistoryError, `${length} bytes without a header`);
      continue;
    }
    assert(!(found instanceof HistoryError), `${length} bytes: ${found}`);
    const events = SAMPLE.events.slice(0, whole);
    assertEquals(found.operations.length + found.ticks.length, begun(events));
    const isTorn = length > ends[whole]!;
    assertEquals(found.notes.some((note) => note.includes("torn")), isTorn, `${length} bytes`);
    assert(found.notes.some((note) => note.includes("no end mark")));
  }
  assertEquals(attempt(bytes), recordingOf({ ...SAMPLE, names: new Map() }));
});

function begun(events: typeof SAMPLE.events): number {
  return events.filter(({ type }) => type === "invoke").length;
}

Deno.test("cbor that ends in zeros is torn there", () => {
  const { bytes, ends } = batches();
  const padded = new Uint8Array(ends[4]! + 1_000);
  padded.set(bytes.subarray(0, ends[4]));
  const found = attempt(padded);
  assert(!(found instanceof HistoryError));
  assertEquals(found.events, 4);
  padded[padded.length - 1] = 1;
  const damaged = attempt(padded);
  assert(damaged instanceof HistoryError);
  assertEquals(damaged.place, { byte: padded.length - 1 });
});

Deno.test("cbor with any one bit turned is refused at a byte, or torn in its last batch", () => {
  const { bytes, ends } = batches();
  const lastStart = ends.at(-2)!;
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1 << (at % 8);
    const found = attempt(damaged);
    if (found instanceof HistoryError) assert(found.place !== undefined && "byte" in found.place);
    else assert(at >= lastStart && found.notes.length > 0, `byte ${at} went unnoticed`);
  }
});

Deno.test("cbor whose batches are swapped, dropped or repeated is refused", () => {
  const { bytes, ends } = batches();
  const batch = (i: number): Uint8Array => bytes.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]);
  const all = ends.map((_, i) => batch(i));
  const joined = (parts: readonly Uint8Array[]): Uint8Array =>
    Uint8Array.from(parts.flatMap((part) => [...part]));
  const wrongs = [
    [...all.slice(0, 2), all[3]!, all[2]!, ...all.slice(4)],
    [...all.slice(0, 2), ...all.slice(3)],
    [...all.slice(0, 3), ...all.slice(2)],
  ];
  for (const parts of wrongs) {
    const error = assertThrows(() => readBytes(joined(parts), CBOR), HistoryError);
    assertStringIncludes(error.message, "expected batch");
  }
});

Deno.test("cbor of a batch that promises more bytes than a batch may have is refused at once", () => {
  const { bytes, ends } = batches();
  const huge = bytes.slice(0, ends[0]! + HEAD_BYTES);
  huge.set([0xff, 0xff, 0xff, 0xff], ends[0]! + HEAD_BYTES - 4);
  const error = assertThrows(() => readBytes(huge, CBOR), HistoryError);
  assertEquals(error.place, { byte: ends[0]! });
  assertEquals(bytes.slice(0, 3), Uint8Array.from(MAGIC));
});
