// A byte that recovery reads wrongly is an entry lost or invented: whatever was in the memory before, the image of a
// segment is the segment.
import { assertEquals } from "@std/assert";
import { MemoryDisk } from "../../testbed/sim/disk/memory_disk.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { SegmentImage } from "./segment_image.ts";

const MIB = 0x10_0000;

Deno.test("SegmentImage holds every byte of the last segment, after longer, fuller and emptier ones", () => {
  const random = new SeededRandom(7);
  const image = new SegmentImage(4 * MIB);
  const disk = new MemoryDisk();
  for (let round = 0; round < 30; round++) {
    const bytes = new Uint8Array((1 + random.below(8 * 1_024)) * 512);
    for (let spots = random.below(6); spots > 0; spots--) {
      const at = random.below(bytes.length);
      bytes.fill(1 + random.below(255), at, at + 1 + random.below(3 * MIB));
    }
    disk.install("state.wal", bytes);
    assertEquals(image.load(disk.open("state.wal"), bytes.length), bytes.length);
    const same = image.buffer.bytes.subarray(0, bytes.length).every((byte, i) => byte === bytes[i]);
    assertEquals(same, true, `round ${round}`);
  }
});

Deno.test("SegmentImage sees a single byte that is not zero, wherever it is", () => {
  const image = new SegmentImage(2 * MIB);
  const disk = new MemoryDisk();
  for (const at of [0, 3, MIB - 1, MIB, MIB + 511, 2 * MIB - 1]) {
    const bytes = new Uint8Array(2 * MIB);
    bytes[at] = 1;
    disk.install("state.wal", bytes);
    image.load(disk.open("state.wal"), bytes.length);
    assertEquals([image.buffer.bytes.indexOf(1), image.buffer.bytes.lastIndexOf(1)], [at, at]);
  }
});

Deno.test("SegmentImage answers how much a file has that is shorter than it should be", () => {
  const image = new SegmentImage(2 * MIB);
  const disk = new MemoryDisk();
  for (const bytes of [0, 5, MIB, MIB + 7]) {
    disk.install("state.wal", new Uint8Array(bytes).fill(9));
    assertEquals(image.load(disk.open("state.wal"), 2 * MIB), bytes);
  }
});
