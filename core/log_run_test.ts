// Frames come from other machines: whatever bytes arrive, walking along them must end inside of them, and only sound
// frames in order may be taken for a run.
import { assert, assertEquals } from "@std/assert";
import { frameRun, layOut, tipOf } from "../tests/support/log_frames.ts";
import { SeededRandom } from "../tests/support/seeded_random.ts";
import { createLogBuffer, frameBytes, type LogBuffer } from "./log_frame.ts";
import { checkRun, passFrames, runAfter, runSpan } from "./log_run.ts";
import { SEGMENT_HEADER_BYTES } from "./log_segment.ts";
import { TipWord } from "./log_tip.ts";
import { readU64 } from "./words.ts";

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

/** The run behind `odd` other bytes. */
function shifted(bytes: Uint8Array, odd: number): Uint8Array {
  const memory = new Uint8Array(bytes.length + odd).fill(0x41);
  memory.set(bytes, odd);
  return memory.subarray(odd);
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

Deno.test("runSpan() and runAfter() read ops at any offset", () => {
  for (let odd = 0; odd < 8; odd++) {
    const run = shifted(RUN.bytes, odd);
    const previousHash = readU64(tipOf(undefined), TipWord.hash);
    assertEquals(runSpan(run), { firstOp: 1n, lastOp: 5n, previousHash });
    for (let op = 0n; op <= 7n; op++) {
      const rest = runAfter(run, op);
      const skipped = Math.min(Number(op), SPECS.length);
      assertEquals(rest.byteOffset - run.byteOffset, passFrames(RUN.words, 0, skipped));
      if (op >= 5n) assertEquals([rest.length, runSpan(rest)], [0, undefined]);
      else assertEquals(runSpan(rest)?.firstOp, op + 1n);
    }
  }
});

Deno.test("runSpan() answers nothing for bytes that end inside a frame, and never reads behind them", () => {
  for (let length = 0; length < RUN.bytes.length; length++) {
    const isWhole = LENGTHS.some((_, i) => i > 0 && passFrames(RUN.words, 0, i) === length);
    assertEquals(runSpan(RUN.bytes.subarray(0, length)) !== undefined, isWhole);
  }
  const random = new SeededRandom(3);
  for (let round = 0; round < 5000; round++) {
    const bytes = random.fill(new Uint8Array(random.below(400)));
    // Small lengths, so that several frames are passed.
    for (let at = 12; at + 4 < bytes.length; at += 8) {
      if (random.oneIn(2)) bytes.fill(0, at + 1, at + 4);
    }
    const span = runSpan(bytes);
    if (span === undefined) continue;
    const rest = runAfter(bytes, random.oneIn(2) ? span.firstOp : span.lastOp);
    assert(rest.byteOffset + rest.length === bytes.byteOffset + bytes.length);
  }
});
