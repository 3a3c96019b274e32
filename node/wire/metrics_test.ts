// Durations are whole microseconds on the wire and milliseconds in a program. What one side writes is what the
// other reads, up to 35 years; beyond, a float would round, so it is cut on the way out and refused on the way in.
import { assertEquals } from "@std/assert";
import { readMetrics, writeMetrics } from "./metrics.ts";
import { WireReader } from "./reader.ts";
import { WireWriter } from "./writer.ts";
import { SAMPLE_METRICS } from "../../tests/support/wire_node.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";

const US_MAX = 2 ** 50;

/** The bytes of metrics with these durations, in microseconds. */
function bytesOf(lastSyncUs: number, ageUs: number): Uint8Array {
  const out = new WireWriter();
  const durations = { lastSyncMs: lastSyncUs / 1_000, checkpointAgeMs: ageUs / 1_000 };
  writeMetrics(out, { ...SAMPLE_METRICS, wal: { ...SAMPLE_METRICS.wal, ...durations } });
  return out.bytes.slice(0, out.end);
}

function read(bytes: Uint8Array): { readonly isSound: boolean; readonly wal: object } {
  const reader = new WireReader();
  reader.open(new DataView(bytes.buffer), 0, bytes.length);
  const { wal } = readMetrics(reader);
  return { isSound: reader.finish(), wal };
}

Deno.test("durations of up to 2^50 microseconds are read as they were written, to the microsecond", () => {
  const random = new SeededRandom(5);
  const drawn = Array.from({ length: 2_000 }, () => {
    return random.below(2 ** 30) * 2 ** 20 + random.below(2 ** 20);
  });
  for (const us of [0, 1, 999, US_MAX - 1, US_MAX, ...drawn]) {
    const bytes = bytesOf(us, US_MAX - us);
    const { isSound, wal } = read(bytes);
    assertEquals(isSound, true);
    const { lastSyncMs, checkpointAgeMs } = wal as Record<string, number>;
    assertEquals(bytesOf(lastSyncMs! * 1_000, checkpointAgeMs! * 1_000), bytes);
  }
});

Deno.test("a longer duration is cut by the writer and refused by the reader", () => {
  assertEquals(bytesOf(US_MAX + 1, 2 * US_MAX), bytesOf(US_MAX, US_MAX));
  const bytes = bytesOf(US_MAX, 5);
  const word = Array.from({ length: bytes.length - 8 }, (_, i) => i)
    .find((i) => new DataView(bytes.buffer).getBigUint64(i) === BigInt(US_MAX))!;
  new DataView(bytes.buffer).setBigUint64(word, BigInt(US_MAX) + 1n);
  assertEquals(read(bytes).isSound, false);
});
