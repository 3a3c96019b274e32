// Replicas of two builds must agree on every byte, and what is not the one encoding must not be taken for
// anything. Golden files hold the bytes of version 1; cbor-x says what they mean; every flipped bit is tried.
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Encoder } from "cbor-x";
import fc from "fast-check";
import { assertGolden } from "../../tests/support/golden.ts";
import {
  PEER_SAMPLES,
  type PeerSample,
  SAMPLE_MESSAGES,
} from "../../tests/support/peer_samples.ts";
import type { Message } from "../vsr/messages.ts";
import { FRAME_HEADER_BYTES, FrameReader } from "../wire/framing.ts";
import { WireReader } from "../wire/reader.ts";
import { WireWriter } from "../wire/writer.ts";
import { readMessage, writeMessage } from "./codec.ts";
import {
  PEER_FRAME_BYTES_MAX,
  PEER_MESSAGE_OVERHEAD_BYTES,
  PeerMessageType,
} from "./message_types.ts";

const cbor = new Encoder({ useRecords: false, tagUint8Array: false });

function frameOf(write: (out: WireWriter) => void): Uint8Array<ArrayBuffer> {
  const out = new WireWriter();
  write(out);
  return out.bytes.slice(0, out.end);
}

function bodyOf(sample: PeerSample): Uint8Array<ArrayBuffer> {
  return frameOf(sample.write).slice(FRAME_HEADER_BYTES);
}

function rewrite(sample: PeerSample, body: Uint8Array<ArrayBuffer>): Uint8Array | undefined {
  const reader = new WireReader();
  const out = new WireWriter();
  reader.open(new DataView(body.buffer), 0, body.length);
  if (sample.rewrite(reader, out) === undefined) return undefined;
  return out.bytes.slice(FRAME_HEADER_BYTES, out.end);
}

function read(body: Uint8Array<ArrayBuffer>): Message | undefined {
  const reader = new WireReader();
  reader.open(new DataView(body.buffer), 0, body.length);
  return readMessage(reader);
}

Deno.test("everything that replicas say has the bytes that version 1 had when it was made", () => {
  for (const sample of PEER_SAMPLES) assertGolden(`peer_v1_${sample.name}`, frameOf(sample.write));
});

Deno.test("everything that replicas say is what cbor-x writes for the same values", () => {
  for (const sample of PEER_SAMPLES) {
    const frame = frameOf(sample.write);
    const reader = new FrameReader(1_000);
    reader.space().set(frame);
    reader.received(frame.length);
    assertEquals([reader.next(), reader.pendingBytes], ["frame", 0], sample.name);
    assertEquals(bodyOf(sample), Uint8Array.from(cbor.encode(sample.general)), sample.name);
  }
});

Deno.test("every type of message between replicas has a sample, and no type is one of a client's", () => {
  const sampled = new Set(PEER_SAMPLES.map(({ general }) => (general as unknown[])[0]));
  const types = Object.values(PeerMessageType);
  assertEquals(types.filter((type) => !sampled.has(type) || type < 32), []);
});

Deno.test("everything that is read carries everything that it was written with", () => {
  for (const sample of PEER_SAMPLES) {
    assertEquals(rewrite(sample, bodyOf(sample)), bodyOf(sample), sample.name);
  }
  for (const [name, message] of SAMPLE_MESSAGES) {
    assertEquals(read(frameOf((out) => writeMessage(out, message)).slice(12)), message, name);
  }
});

Deno.test("nothing is read from other bytes than those it would be written as", () => {
  for (const sample of PEER_SAMPLES) {
    const body = bodyOf(sample);
    for (let at = 0; at < body.length; at++) {
      for (const flip of [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff]) {
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

Deno.test("readMessage() takes no spelling but the one: longer heads, other kinds, other counts", () => {
  const spellings: unknown[] = [
    [...[40, 3n, 41n, 0xabcn, 40n, 9n, 1_000n], "text in place of bytes"],
    [...[40, 3n, 41n, 0xabcn, 40n, 9n, 1_000n], null],
    [...[40, 3, 41n, 0xabcn, 40n, 9n, 1_000n], new Uint8Array()],
    [...[40, 3n, 41n, 0xabcn, 40n, 9n, 1_000n], new Uint8Array(), null],
    [...[40, 3n, 41n, 0xabcn, 40n, 9n, 1_000n]],
    [41, 3n, 42n, 9n, true],
    [41, 3n, 42n, 9n, 2],
    [49, 5n, 4, new Uint8Array()],
    [49, 5n, null, new Uint8Array()],
    [43],
    [43, -1n],
    [39, 4n],
    [55, 4n],
    [20, 0n, "error", "error"],
    [40.5],
    { 0: 43, 1: 4n },
    [],
    null,
  ];
  for (const spelling of spellings) {
    assertEquals(read(Uint8Array.from(cbor.encode(spelling))), undefined);
  }
  const long = (...head: number[]): Uint8Array<ArrayBuffer> =>
    Uint8Array.from([0x84, 0x18, 49, 0x1b, 0, 0, 0, 0, 0, 0, 0, 5, 0, ...head, 7]);
  assertEquals(read(long(0x41))?.kind, "log_range");
  for (
    const head of [[0x58, 1], [0x59, 0, 1], [0x5a, 0, 0, 0, 1], [0x5b, 0, 0, 0, 0, 0, 0, 0, 1]]
  ) {
    assertEquals(read(long(...head)), undefined);
  }
  assertEquals(read(long(0x5f, 0x41)), undefined);
  assertEquals(read(Uint8Array.from([0x82, 0x19, 0, 43, 0x1b, 0, 0, 0, 0, 0, 0, 0, 4])), undefined);
});

Deno.test("byte strings of every length around a head's next size are read as they were written", () => {
  for (const edge of [0, 23, 24, 255, 256, 0xffff, 0x1_0000, 0x1_0001, 0x10_0000]) {
    const bytes = new Uint8Array(edge).fill(edge);
    const chunk: Message = { kind: "snapshot_chunk", op: 1n, hash: 2n, offset: 3n, bytes };
    const body = frameOf((out) => writeMessage(out, chunk)).slice(FRAME_HEADER_BYTES);
    assertEquals(body, Uint8Array.from(cbor.encode([54, 1n, 2n, 3n, bytes])), `${edge}`);
    assertEquals(read(body), chunk);
  }
});

Deno.test("readMessage() hands out byte strings in place and copies none", () => {
  const message = SAMPLE_MESSAGES[0]![1];
  const body = frameOf((out) => writeMessage(out, message)).slice(FRAME_HEADER_BYTES);
  const prepare = read(body);
  assertStrictEquals(prepare?.kind === "prepare" && prepare.frames.buffer, body.buffer);
});

const U64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

Deno.test("readMessage() gives back any prepare that writeMessage() wrote, among others in one buffer", () => {
  const prepare = fc.record({
    kind: fc.constant("prepare" as const),
    ...{ view: U64, prevOp: U64, prevHash: U64, commitOp: U64, round: U64, slot: U64 },
    frames: fc.uint8Array({ maxLength: 70_000, size: "max" }),
  });
  const property = fc.property(fc.array(prepare, { maxLength: 4 }), (messages) => {
    const out = new WireWriter();
    for (const message of messages) writeMessage(out, message);
    const frames = new FrameReader(PEER_FRAME_BYTES_MAX);
    const reader = new WireReader();
    const seen: Message[] = [];
    for (let at = 0; at < out.end;) {
      const space = frames.space();
      const piece = out.bytes.subarray(at, Math.min(out.end, at + space.length));
      space.set(piece);
      frames.received(piece.length);
      at += piece.length;
      while (frames.next() === "frame") {
        reader.open(frames.view, frames.bodyStart, frames.bodyEnd);
        const message = readMessage(reader);
        if (message?.kind === "prepare") seen.push({ ...message, frames: message.frames.slice() });
      }
    }
    assertEquals(seen, messages);
  });
  fc.assert(property, { seed: 3, numRuns: 40 });
});

Deno.test("no message needs more besides its byte string than PEER_MESSAGE_OVERHEAD_BYTES", () => {
  for (const [name, message] of SAMPLE_MESSAGES) {
    const payload = "frames" in message
      ? message.frames.length
      : message.kind === "snapshot_chunk"
      ? message.bytes.length
      : 0;
    const overhead = frameOf((out) => writeMessage(out, message)).length - payload;
    assertEquals(overhead <= PEER_MESSAGE_OVERHEAD_BYTES, true, `${name} needs ${overhead}`);
  }
});

Deno.test("writeMessage() writes nothing that no peer would take: peer/message-fits-a-frame", () => {
  const chunk = (length: number): Message => ({
    ...{ kind: "snapshot_chunk", op: 1n, hash: 2n, offset: 3n },
    bytes: new Uint8Array(length),
  });
  const most = PEER_FRAME_BYTES_MAX - PEER_MESSAGE_OVERHEAD_BYTES;
  assertEquals(frameOf((out) => writeMessage(out, chunk(most))).length > most, true);
  assertThrows(
    () => frameOf((out) => writeMessage(out, chunk(PEER_FRAME_BYTES_MAX))),
    Error,
    "peer/message-fits-a-frame",
  );
});
