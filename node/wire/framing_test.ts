// A stream says where its frames are only if it is cut anywhere and damaged anywhere: every frame that comes
// out is one that went in, whatever the pieces, and a header that lies is found out before it is believed.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { crc32c } from "../../core/crc32c.ts";
import { FRAME_HEADER_BYTES, FrameReader, writeFrameHeader } from "./framing.ts";

function frame(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  bytes.set(body, FRAME_HEADER_BYTES);
  writeFrameHeader(bytes, new DataView(bytes.buffer), 0, bytes.length);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Gives the reader as much as it has room for, and `upTo` bytes at most. */
function feed(reader: FrameReader, bytes: Uint8Array, upTo: number): number {
  const space = reader.space();
  const count = Math.min(space.length, bytes.length, upTo);
  space.set(bytes.subarray(0, count));
  reader.received(count);
  return count;
}

/** Everything that comes out of a stream that arrives in pieces; ends at the first fault. */
function readAll(stream: Uint8Array, pieces: readonly number[], maxFrameBytes: number): unknown[] {
  const reader = new FrameReader(maxFrameBytes);
  const found: unknown[] = [];
  let at = 0;
  for (let turn = 0; at < stream.length; turn++) {
    at += feed(reader, stream.subarray(at), pieces[turn % pieces.length]!);
    let status = reader.next();
    for (; status === "frame"; status = reader.next()) {
      found.push(reader.bytes.slice(reader.bodyStart, reader.bodyEnd));
    }
    if (status !== "incomplete") return [...found, status];
  }
  return found;
}

function header(fields: Partial<Record<"length" | "version" | "reserved" | "checksum", number>>) {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fields.length ?? 0);
  view.setUint8(4, fields.version ?? 1);
  view.setUint16(6, fields.reserved ?? 0);
  view.setUint32(8, fields.checksum ?? crc32c(bytes, 0, 0));
  return bytes;
}

Deno.test("FrameReader finds the frames of a stream however it is cut", () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 400, size: "max" }), {
    maxLength: 20,
    size: "max",
  });
  const pieces = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(bodies, pieces, (all, cuts) => {
      assertEquals(readAll(concat(all.map(frame)), cuts, 400), all);
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("FrameReader reads frames larger than its first buffer, and small ones again after them", () => {
  const bodies = [300_000, 5, 70_000, 0, 16_384, 1].map((length) => new Uint8Array(length).fill(7));
  assertEquals(readAll(concat(bodies.map(frame)), [50_000], 300_000), bodies);
});

Deno.test("FrameReader refuses a frame in which any single bit is wrong", () => {
  const good = frame(new Uint8Array([1, 2, 3, 4, 5]));
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = good.slice();
    bad[bit >> 3]! ^= 1 << (bit & 7);
    const found = readAll(bad, [bad.length], 1_000);
    // A longer length is not wrong yet: the rest may still come, and then the checksum tells.
    if (found.length === 0) assertEquals(bit < 32, true, `bit ${bit}`);
    else assertEquals(typeof found[0], "string", `bit ${bit}`);
  }
});

Deno.test("FrameReader names what is wrong with a header, and buys no memory for what it announces", () => {
  const cases = [
    [header({ length: 1_001 }), "frame_too_large"],
    [header({ length: 0xffff_ffff }), "frame_too_large"],
    [header({ version: 2 }), "unsupported_version"],
    [header({ reserved: 1 }), "malformed_header"],
    [header({ checksum: 1 }), "checksum_mismatch"],
    [new TextEncoder().encode("GET / HTTP/1.1\r\n"), "unsupported_version"],
  ] as const;
  for (const [bytes, expected] of cases) assertEquals(readAll(bytes, [64], 1_000), [expected]);
  const reader = new FrameReader(0x4000_0000);
  feed(reader, header({ length: 0x3fff_ffff }), 64);
  assertEquals([reader.next(), reader.bytes.length], ["incomplete", 0x4000]);
});

Deno.test("FrameReader lets a large buffer go after a long quiet", () => {
  const reader = new FrameReader(1_000_000);
  const large = frame(new Uint8Array(500_000));
  for (let at = 0; at < large.length;) {
    at += feed(reader, large.subarray(at), large.length);
    reader.next();
  }
  assertEquals(reader.bytes.length > 500_000, true);
  const small = frame(new Uint8Array(1));
  for (let i = 0; i < 2_000; i++) {
    feed(reader, small, small.length);
    assertEquals(reader.next(), "frame");
  }
  assertEquals(reader.bytes.length, 0x4000);
});
