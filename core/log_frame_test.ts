// A frame must prove every one of its bytes: whoever reads it after years on a disk has nothing else to go by.
import { assertEquals, assertThrows } from "@std/assert";
import { assertGolden } from "../tests/support/golden.ts";
import { frameRun, writeSpec } from "../tests/support/log_frames.ts";
import { AssertionFailure } from "./assert.ts";
import { crc32c } from "./crc32c.ts";
import {
  checkFrameHeader,
  checkFramePayload,
  createLogBuffer,
  FRAME_BYTES_MIN,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBytes,
  FrameCursor,
  FrameKind,
  FrameWord,
  type LogBuffer,
  putFrame,
  sealFrame,
} from "./log_frame.ts";
import { readU64 } from "./words.ts";

const LENGTHS = [0, 1, 6, 7, 8, 9, 79, 200];
const COMMAND = frameRun([1, 2], () => 79)[2]!;

Deno.test("putFrame() and sealFrame() write the bytes of version 1, for both kinds of command", () => {
  const internal = {
    ...COMMAND,
    kind: FrameKind.internal_command,
    payload: COMMAND.payload.slice(28),
  };
  const buffer = createLogBuffer(frameBytes(79) + frameBytes(51));
  writeSpec(buffer, writeSpec(buffer, 0, COMMAND), internal);
  assertGolden("log_frame_v1", buffer.bytes);
});

Deno.test("FrameCursor reads what was put, at every payload length", () => {
  for (const length of LENGTHS) {
    const payload = COMMAND.payload.slice(0, length);
    const buffer = createLogBuffer(8 + frameBytes(payload.length));
    const frame = new FrameCursor();
    frame.buffer = buffer;
    frame.at = 8;
    assertEquals(writeSpec(buffer, 8, { ...COMMAND, payload }), frame.end);
    assertEquals(frame.end % 8, 0);
    const read = (at: number) => readU64(frame.words, at);
    assertEquals({
      kind: frame.kind,
      op: read(frame.opAt),
      lsn: read(frame.lsnAt),
      slot: read(frame.slotAt),
      view: read(frame.viewAt),
      synced: read(frame.syncedAt),
      previousHash: read(frame.previousHashAt),
      payload: frame.bytes.slice(frame.payloadAt, frame.payloadAt + frame.payloadBytes),
    }, { ...COMMAND, payload });
  }
});

Deno.test("putFrame() pads with 1 to 8 bytes of 0xad and touches nothing outside of the frame", () => {
  for (const length of LENGTHS) {
    const payload = COMMAND.payload.slice(0, length);
    const buffer = createLogBuffer(frameBytes(payload.length) + 16);
    buffer.bytes.fill(0x77);
    const end = writeSpec(buffer, 8, { ...COMMAND, payload });
    const padding = buffer.bytes.subarray(8 + FRAME_HEADER_BYTES + payload.length, end);
    assertEquals([...padding], new Array(8 - payload.length % 8).fill(0xad));
    assertEquals([...buffer.bytes.subarray(0, 8), ...buffer.bytes.subarray(end)], [
      ...new Array(16).fill(0x77),
    ]);
  }
});

Deno.test("sealFrame() again changes only the synced op and the header checksum", () => {
  const buffer = createLogBuffer(frameBytes(79));
  writeSpec(buffer, 0, COMMAND);
  const before = buffer.words.slice();
  sealFrame(buffer, 0, new Uint32Array([9, 2, 0]), 1);
  const changed = [...before.keys()].filter((i) => before[i] !== buffer.words[i]);
  assertEquals(changed, [FrameWord.headerChecksum, FrameWord.synced]);
  assertEquals(check(buffer), undefined);
});

Deno.test("a frame is refused after a flip of any bit of it", () => {
  for (const length of [0, 79]) {
    const buffer = createLogBuffer(frameBytes(length));
    writeSpec(buffer, 0, { ...COMMAND, payload: COMMAND.payload.slice(0, length) });
    assertEquals(check(buffer), undefined);
    for (let bit = 0; bit < buffer.bytes.length * 8; bit++) {
      buffer.bytes[bit >> 3]! ^= 1 << (bit & 7);
      const error = check(buffer);
      const inMagic = bit >> 3 >= 8 && bit >> 3 < 12;
      const inHeader = bit >> 3 < FRAME_HEADER_BYTES;
      assertEquals(
        error,
        inMagic
          ? "invalid_magic"
          : inHeader
          ? "invalid_header_checksum"
          : "invalid_payload_checksum",
      );
      buffer.bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
});

Deno.test("checkFrameHeader() refuses unknown kinds and markers with a payload", () => {
  for (const kind of [0, 5, 0x80, 0xff, FrameKind.snapshot_marker]) {
    assertEquals(
      checkForged((buffer) => buffer.words[3] = 79 | (kind << 24)),
      "invalid_record_type",
    );
  }
  assertEquals(checkForged((buffer) => buffer.words[3] = 79 | (4 << 24)), undefined);
});

Deno.test("checkFrameHeader() refuses a payload above the bound or behind the end", () => {
  const buffer = createLogBuffer(frameBytes(79));
  writeSpec(buffer, 0, COMMAND);
  const end = buffer.bytes.length;
  assertEquals(checkFrameHeader(buffer, 0, end, 79), undefined);
  assertEquals(checkFrameHeader(buffer, 0, end, 78), "payload_too_large");
  assertEquals(checkFrameHeader(buffer, 0, end - 8, 79), "payload_too_large");
  for (let short = 0; short < FRAME_BYTES_MIN; short += 8) {
    assertEquals(checkFrameHeader(buffer, 0, short, 79), "invalid_magic");
  }
  const all = FRAME_PAYLOAD_BYTES_MAX;
  assertEquals(checkForged((buffer) => buffer.words[3] = all | (1 << 24)), "payload_too_large");
});

Deno.test("checkFramePayload() refuses padding of other bytes, even with a good checksum", () => {
  const error = checkForged((buffer) => {
    buffer.bytes[FRAME_HEADER_BYTES + 79] = 0;
    buffer.words[FrameWord.payloadChecksum] = crc32c(buffer.bytes, FRAME_HEADER_BYTES, 144);
  });
  assertEquals(error, "invalid_padding");
});

Deno.test("putFrame() refuses a payload that its length field cannot state", () => {
  const buffer = createLogBuffer(80);
  const fields = new Uint32Array(12);
  const put = () =>
    putFrame(buffer, 0, FrameKind.client_command, fields, buffer.data, 0, 0x100_0000);
  assertThrows(put, AssertionFailure, "log/payload-fits-its-length-field");
});

function check(buffer: LogBuffer): string | undefined {
  return checkFrameHeader(buffer, 0, buffer.bytes.length, FRAME_PAYLOAD_BYTES_MAX) ??
    checkFramePayload(buffer, 0);
}

/** What is wrong with a frame that a mad writer changed and then checksummed properly. */
function checkForged(change: (buffer: LogBuffer) => void): string | undefined {
  const buffer = createLogBuffer(frameBytes(79));
  writeSpec(buffer, 0, COMMAND);
  change(buffer);
  buffer.words[FrameWord.headerChecksum] = crc32c(buffer.bytes, 4, FRAME_HEADER_BYTES);
  return check(buffer);
}
