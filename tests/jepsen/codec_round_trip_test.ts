// Nothing may be lost between our formats, least of all the last digit of an id. Histories with everything that events can say go
// through each, in pieces of every size, and from each into each; cbor-x, which knows nothing of ours, reads the same bytes.
import { assertEquals } from "@std/assert";
import { decodeMultiple, Encoder } from "cbor-x";
import fc from "fast-check";
import { writeBatch } from "../../testbed/jepsen/codec/own/cbor_batch.ts";
import { type FormatName, READ_DEFAULTS } from "../../testbed/jepsen/codec/format.ts";
import { formatNamed } from "../../testbed/jepsen/codec/formats.ts";
import {
  histories,
  readBytes,
  type RecordedHistory,
  recordingOf,
  written,
} from "./codec_histories.ts";

const OWN: readonly FormatName[] = ["cbor", "text", "jsonl"];
const SETTINGS = { numRuns: 300, seed: 20_261_120 };

for (const name of OWN) {
  Deno.test(`${name} gives back the events that it was given`, () => {
    fc.assert(
      fc.property(histories(), fc.integer({ min: 1, max: 200 }), (history, pieceBytes) => {
        const found = readBytes(written(history, name), formatNamed(name), pieceBytes);
        assertEquals(found, recordingOf(history));
      }),
      SETTINGS,
    );
  });
}

Deno.test("conversions between our formats give the bytes that the target would have been written with", () => {
  fc.assert(
    fc.property(histories(), (history) => {
      for (const from of OWN) {
        for (const to of OWN) {
          const writer = formatNamed(to).write!();
          const reader = formatNamed(from).read(writer, READ_DEFAULTS);
          reader.push(written(history, from));
          reader.end();
          writer.end();
          assertEquals(writer.take(), written(history, to));
          assertEquals(writer.losses.size, 0);
        }
      }
    }),
    { ...SETTINGS, numRuns: 100 },
  );
});

/** The records in a file of batches, as cbor-x sees them. */
function recordsOf(bytes: Uint8Array): Map<number, unknown>[] {
  const records: Map<number, unknown>[] = [];
  const general = new Encoder({ mapsAsObjects: false, useRecords: false });
  for (const batch of decodeMultiple(bytes) as [number, number, number, Uint8Array][]) {
    records.push(...general.decodeMultiple(batch[3]) as Map<number, unknown>[]);
  }
  return records;
}

Deno.test("cbor is CBOR: another library reads it, and what that writes reads the same", () => {
  fc.assert(
    fc.property(histories(), (history) => {
      const ours = written(history, "cbor");
      const records = recordsOf(ours);
      assertEquals(records.length, 2 + history.names.size + history.events.length);
      const general = new Encoder({
        mapsAsObjects: false,
        useRecords: false,
        variableMapSize: true,
      });
      const again = records.map((record) => Uint8Array.from(general.encode(asWritten(record))));
      const payload = Uint8Array.from(again.flatMap((bytes) => [...bytes]));
      const cbor = formatNamed("cbor");
      assertEquals(readBytes(writeBatch(0, payload), cbor), readBytes(ours, cbor));
    }),
    SETTINGS,
  );
});

/** cbor-x writes whole numbers beyond 32 bits as floats unless they are bigints. */
function asWritten(item: unknown): unknown {
  if (typeof item === "number" && Math.abs(item) > 2 ** 31) return BigInt(item);
  if (Array.isArray(item)) return item.map(asWritten);
  if (item instanceof Map) return new Map([...item].map(([key, value]) => [key, asWritten(value)]));
  return item;
}

Deno.test("ids beyond a float's reach come back exactly, whatever the format", () => {
  const ids = [2n ** 53n + 1n, 2n ** 64n - 1n, 2n ** 127n, 2n ** 128n - 1n];
  const history: RecordedHistory = {
    header: { model: "reservation", initialResourceIds: ids },
    events: ids.map((resourceId, process) => ({
      type: "invoke",
      process,
      timeNs: 0,
      key: { clientId: resourceId, operationId: resourceId },
      request: { kind: "create_resource", resourceId },
    })),
    names: new Map(),
  };
  for (const name of OWN) {
    const { header, operations } = readBytes(written(history, name), formatNamed(name));
    assertEquals(header.initialResourceIds, ids);
    for (const [i, { request, key }] of operations.entries()) {
      assertEquals(request, { kind: "create_resource", resourceId: ids[i]! });
      assertEquals(key, { clientId: ids[i]!, operationId: ids[i]! });
    }
  }
});
