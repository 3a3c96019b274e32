/** Frames out of a stream, in whatever pieces it comes. */
import { crc32c } from "../../../core/crc32c.ts";
import { FRAME_HEADER_BYTES, FrameReader, type FrameStatus } from "../../../node/wire/framing.ts";
import { drawChunks, type Stream, streamOf } from "../stream.ts";
import { join, mutate } from "../mutate.ts";
import type { FuzzRandom } from "../random.ts";
import { expect, expectEqual, expectSameBytes, type Target } from "../target.ts";

/** Limits that a case may choose from. */
const FRAME_BYTES_MAX = [64, 4_096, 0x10_0000];

/** What the reader's buffer may come to, in bytes, over streams of the length that is drawn. */
const BUFFER_BYTES_MAX = 0x8_0000;

/** Makes the target. */
export function frameTarget(makeReader: (max: number) => FrameReader = readerOf): Target {
  return {
    name: "frames",
    outcomes: [
      ...["ok", "incomplete", "frame_too_large", "unsupported_version"],
      ...["malformed_header", "checksum_mismatch"],
    ],
    draw: drawStream,
    judge: (input) => judgeStream(makeReader, streamOf(input)),
  };
}

function readerOf(max: number): FrameReader {
  return new FrameReader(max);
}

/** A frame around a body. */
export function frameAround(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, body.length);
  view.setUint8(4, 1);
  view.setUint32(8, crc32c(body, 0, body.length));
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

function drawStream(random: FuzzRandom): Uint8Array {
  const count = random.between(1, 6);
  const frames = Array.from({ length: count }, () => {
    const max = random.pick([20, 70, 70, 5_000, 60_000]);
    const frame = frameAround(random.bytes(random.length(max)));
    return random.oneIn(8) ? mutate(random, frame) : frame;
  });
  const stream = join(...frames);
  return drawChunks(random, random.below(3), random.oneIn(4) ? mutate(random, stream) : stream);
}

/** What a stream holds, found without a buffer that moves. */
export interface ReferenceFrames {
  readonly bodies: readonly Uint8Array[];
  /** How the stream goes on behind them. */
  readonly stop: Exclude<FrameStatus, "frame">;
  readonly pendingBytes: number;
}

/** Splits a whole stream into frames, by docs/wire.md alone. */
export function referenceFrames(stream: Uint8Array, frameBytesMax: number): ReferenceFrames {
  const bodies: Uint8Array[] = [];
  for (let at = 0;;) {
    const left = stream.subarray(at);
    const view = new DataView(left.buffer, left.byteOffset, left.length);
    const stopped = (stop: ReferenceFrames["stop"]): ReferenceFrames => {
      return { bodies, stop, pendingBytes: left.length };
    };
    if (left.length > 4 && left[4] !== 1) return stopped("unsupported_version");
    if (left.length < FRAME_HEADER_BYTES) return stopped("incomplete");
    if (left[5] !== 0 || left[6] !== 0 || left[7] !== 0) return stopped("malformed_header");
    const length = view.getUint32(0);
    if (length > frameBytesMax) return stopped("frame_too_large");
    const end = FRAME_HEADER_BYTES + length;
    if (left.length < end) return stopped("incomplete");
    const body = left.subarray(FRAME_HEADER_BYTES, end);
    if (crc32c(body, 0, length) !== view.getUint32(8)) return stopped("checksum_mismatch");
    bodies.push(body);
    at += end;
  }
}

function judgeStream(makeReader: (max: number) => FrameReader, stream: Stream): string {
  const max = FRAME_BYTES_MAX[stream.choice % FRAME_BYTES_MAX.length]!;
  const expected = referenceFrames(join(...stream.chunks), max);
  const reader = makeReader(max);
  let seen = 0;
  let status: FrameStatus = "incomplete";
  for (const chunk of stream.chunks) {
    for (let at = 0; at < chunk.length && status === "incomplete";) {
      const space = reader.space();
      expect(space.length > 0, "there is no room for more");
      const count = Math.min(space.length, chunk.length - at);
      space.set(chunk.subarray(at, at + count));
      reader.received(count);
      at += count;
      for (status = reader.next(); status === "frame"; status = reader.next()) {
        const body = reader.bytes.subarray(reader.bodyStart, reader.bodyEnd);
        expect(seen < expected.bodies.length, "there are more frames than were sent");
        expectSameBytes(body, expected.bodies[seen++]!, `body ${seen}`);
      }
      expect(
        reader.bytes.length <= BUFFER_BYTES_MAX,
        `the buffer has ${reader.bytes.length} bytes`,
      );
    }
  }
  expectEqual(seen, expected.bodies.length, "frames");
  expectEqual<string>(status, expected.stop, "end of the stream");
  if (status !== "incomplete") return status;
  expectEqual(reader.pendingBytes, expected.pendingBytes, "bytes of an unfinished frame");
  return reader.pendingBytes === 0 && seen > 0 ? "ok" : "incomplete";
}
