// Frames come from other machines: only sound ones, in order, may be taken for a run.
import { assertEquals } from "@std/assert";
import { frameRun, layOut, tipOf } from "../tests/support/log_frames.ts";
import { createLogBuffer, frameBytes, type LogBuffer } from "./log_frame.ts";
import { checkRun, passFrames } from "./log_run.ts";
import { SEGMENT_HEADER_BYTES } from "./log_segment.ts";

const LENGTHS = [0, 79, 3, 200, 8];
const SPECS = frameRun([2, 3], (i) => LENGTHS[i]!);
const RUN = runOf(SPECS);

function runOf(specs: typeof SPECS): LogBuffer {
  const bytes = specs.reduce((sum, { payload }) => sum + frameBytes(payload.length), 0);
  const laid = layOut(specs, SEGMENT_HEADER_BYTES + bytes);
  const buffer = createLogBuffer(bytes);
  buffer.bytes.set(laid.bytes.subarray(SEGMENT_HEADER_BYTES));
  return buffer;
}

Deno.test("passFrames() goes from frame to frame", () => {
  let at = 0;
  for (const [i, length] of LENGTHS.entries()) {
    assertEquals(passFrames(RUN.words, 0, i), at);
    at += frameBytes(length);
  }
  assertEquals(passFrames(RUN.words, 0, LENGTHS.length), RUN.bytes.length);
});

Deno.test("checkRun() takes a run behind its tip, moves the tip to its end, and takes none elsewhere", () => {
  for (let i = 0; i < SPECS.length; i++) {
    const from = passFrames(RUN.words, 0, i);
    for (let before = 0; before <= SPECS.length; before++) {
      const tip = tipOf(SPECS[before - 1]);
      const wrong = checkRun(RUN, from, RUN.bytes.length, tip, 200);
      assertEquals(wrong === undefined, before === i);
      assertEquals(tip, before === i ? tipOf(SPECS.at(-1)) : tipOf(SPECS[before - 1]));
    }
  }
});

Deno.test("checkRun() refuses a flip of any bit and any cut inside of a frame", () => {
  const buffer = runOf(SPECS);
  for (let bit = 0; bit < buffer.bytes.length * 8; bit++) {
    buffer.bytes[bit >> 3]! ^= 1 << (bit & 7);
    const wrong = checkRun(buffer, 0, buffer.bytes.length, tipOf(undefined), 200);
    const frame = LENGTHS.findIndex((_, i) => passFrames(RUN.words, 0, i + 1) > bit >> 3);
    assertEquals(wrong?.at, passFrames(RUN.words, 0, frame), `bit ${bit}`);
    buffer.bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  for (let end = 8; end < buffer.bytes.length; end += 8) {
    const isWhole = LENGTHS.some((_, i) => passFrames(RUN.words, 0, i) === end);
    assertEquals(checkRun(buffer, 0, end, tipOf(undefined), 200) === undefined, isWhole);
  }
});

Deno.test("checkRun() refuses a payload above the bound", () => {
  const wrong = checkRun(RUN, 0, RUN.bytes.length, tipOf(undefined), 199);
  assertEquals(wrong, { at: passFrames(RUN.words, 0, 3), error: "payload_too_large" });
});
