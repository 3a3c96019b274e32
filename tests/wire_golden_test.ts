// The bytes on the wire are a promise: they are compared with files that never change, with what cbor-x makes
// of the same values, and, damaged in every way a byte can be, with what they would mean if they were read.
import { assertEquals } from "@std/assert";
import { Encoder } from "cbor-x";
import { FRAME_HEADER_BYTES, FrameReader } from "../node/wire/framing.ts";
import { MessageType } from "../node/wire/messages.ts";
import { WireReader } from "../node/wire/reader.ts";
import { WireWriter } from "../node/wire/writer.ts";
import { assertGolden } from "./support/golden.ts";
import { frameOf, SAMPLES } from "./support/wire_samples.ts";

const cbor = new Encoder({ useRecords: false, tagUint8Array: false });

Deno.test("every message has the bytes that version 1 had when it was made", () => {
  for (const sample of SAMPLES) assertGolden(`wire_v1_${sample.name}`, frameOf(sample));
});

Deno.test("every message type has a sample", () => {
  const sampled = new Set(SAMPLES.map(({ general }) => (general as unknown[])[0]));
  assertEquals(Object.values(MessageType).filter((type) => !sampled.has(type)), []);
});

Deno.test("every message is what cbor-x writes for the same values, in a frame that is accepted", () => {
  for (const sample of SAMPLES) {
    const frame = frameOf(sample);
    const reader = new FrameReader(1_000_000);
    reader.space().set(frame);
    reader.received(frame.length);
    assertEquals([reader.next(), reader.pendingBytes], ["frame", 0], sample.name);
    const body = reader.bytes.slice(reader.bodyStart, reader.bodyEnd);
    assertEquals(body, Uint8Array.from(cbor.encode(sample.general)), sample.name);
  }
});

/** What reading `body` and writing it again gives, or nothing when it is not read. */
function rewrite(sample: typeof SAMPLES[number], body: Uint8Array): Uint8Array | undefined {
  const reader = new WireReader();
  const out = new WireWriter();
  reader.open(new DataView(body.buffer), 0, body.length);
  if (sample.rewrite?.(reader, out) === undefined) return undefined;
  return out.bytes.slice(FRAME_HEADER_BYTES, out.end);
}

const READABLE = SAMPLES.filter((sample) => sample.rewrite !== undefined);

Deno.test("every message that is read carries everything it was written with", () => {
  for (const sample of READABLE) {
    const body = frameOf(sample).slice(FRAME_HEADER_BYTES);
    assertEquals(rewrite(sample, body), body, sample.name);
  }
});

Deno.test("no message is read from other bytes than those it would be written as", () => {
  for (const sample of READABLE) {
    const body = frameOf(sample).slice(FRAME_HEADER_BYTES);
    for (let at = 0; at < body.length; at++) {
      for (const flip of [0x01, 0x02, 0x08, 0x20, 0x80, 0xff]) {
        const damaged = body.with(at, body[at]! ^ flip);
        const again = rewrite(sample, damaged);
        if (again !== undefined) assertEquals(again, damaged, `${sample.name}, byte ${at}`);
      }
    }
    for (let length = 0; length < body.length; length++) {
      assertEquals(rewrite(sample, body.slice(0, length)), undefined, sample.name);
    }
    assertEquals(rewrite(sample, Uint8Array.from([...body, 0])), undefined, sample.name);
  }
});
