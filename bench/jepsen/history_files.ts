/** Histories as files, in the formats that people have them in. */
import type { FormatName } from "../../testbed/jepsen/codec/format.ts";
import { formatNamed } from "../../testbed/jepsen/codec/formats.ts";
import type { HistoryOperation } from "../../testbed/jepsen/history/operation.ts";
import { eventsOf } from "../../testbed/jepsen/history/unpairing.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { type HistorySize, makeHistory } from "../analysis/history.ts";

/** So many bytes are written at a time. */
const WRITE_BYTES = 1 << 20;
/** Nobody looks at the place of an event that comes from no file. */
const NOWHERE = { line: 0 };

/** A history of a system that is right. */
export function sizedHistory(size: HistorySize, seed = 1): HistoryOperation[] {
  return makeHistory(size, new SeededRandom(seed));
}

/** Writes a history whose resources, 1 to `resources`, are there from the beginning. */
export async function writeHistory(
  path: string,
  format: FormatName,
  history: readonly HistoryOperation[],
  resources: number,
): Promise<void> {
  const writer = formatNamed(format).write!();
  const initialResourceIds = Array.from({ length: resources }, (_, i) => BigInt(i + 1));
  writer.header({ model: "reservation", initialResourceIds });
  using file = await Deno.open(path, { write: true, createNew: true });
  const flush = async (): Promise<void> => {
    const bytes = writer.take();
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  for (const event of eventsOf(history)) {
    writer.event(event, NOWHERE);
    if (writer.pendingBytes >= WRITE_BYTES) await flush();
  }
  writer.end();
  await flush();
}
