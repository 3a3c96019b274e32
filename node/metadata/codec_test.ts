// A view or a vote that is read wrongly can elect two primaries, so a copy has one encoding and nothing
// else decodes: golden bytes, every flipped bit, and hostile bodies behind a right checksum.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Encoder } from "cbor-x";
import fc from "fast-check";
import { AssertionFailure } from "../../core/assert.ts";
import { crc32c } from "../../core/crc32c.ts";
import { assertGolden, readGolden } from "../../tests/support/golden.ts";
import { anyMetadata, sampleMetadata } from "../../tests/support/metadata.ts";
import { formatCoreConfig } from "../config/text.ts";
import { COPY_BYTES, decodeCopy, encodeCopy } from "./codec.ts";

const BODY_AT = 32;
const cbor = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });

Deno.test("encodeCopy() writes the golden bytes of version 1, and decodeCopy() reads them", () => {
  const samples = {
    metadata_v1: sampleMetadata(),
    metadata_without_vote_v1: sampleMetadata({ vote: null, role: "recovering" }),
  };
  for (const [name, metadata] of Object.entries(samples)) {
    assertGolden(name, encodeCopy(metadata, 5n));
    assertEquals(decodeCopy(readGolden(name)), { kind: "copy", sequence: 5n, metadata });
  }
});

Deno.test("decodeCopy() gives back everything encodeCopy() wrote and keeps no view into the bytes", () => {
  fc.assert(
    fc.property(anyMetadata, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (metadata, sequence) => {
      const bytes = encodeCopy(metadata, sequence);
      const decoded = decodeCopy(bytes);
      bytes.fill(0xff);
      encodeCopy(sampleMetadata(), 1n);
      assertEquals(decoded, { kind: "copy", sequence, metadata });
    }),
    { seed: 1 },
  );
});

Deno.test("decodeCopy() refuses every single flipped bit", () => {
  const bytes = encodeCopy(sampleMetadata(), 5n);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(decodeCopy(bytes), { kind: "defect", defect: "checksum_mismatch" });
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

Deno.test("decodeCopy() names what is wrong behind a right checksum", () => {
  const cases: readonly (readonly [string, (view: DataView) => void])[] = [
    ["bad_magic", (view) => view.setUint8(4, 0)],
    ["unsupported_version", (view) => view.setUint32(12, 2, true)],
    ["body_length_out_of_range", (view) => view.setUint32(24, 0, true)],
    ["body_length_out_of_range", (view) => view.setUint32(24, COPY_BYTES - BODY_AT + 1, true)],
    ["body_length_out_of_range", (view) => view.setUint32(24, 0xffff_ffff, true)],
    ["unused_bytes_not_zero", (view) => view.setUint32(28, 1, true)],
    ["unused_bytes_not_zero", (view) => view.setUint8(COPY_BYTES - 1, 1)],
    ["unused_bytes_not_zero", (view) => view.setUint32(24, view.getUint32(24, true) - 1, true)],
    ["malformed_body", (view) => view.setUint32(24, view.getUint32(24, true) + 1, true)],
    ["malformed_body", (view) => view.setUint8(BODY_AT, 0xff)],
  ];
  for (const [defect, damage] of cases) {
    const bytes = encodeCopy(sampleMetadata(), 5n);
    damage(new DataView(bytes.buffer));
    assertEquals(decodeCopy(sealed(bytes)), { kind: "defect", defect } as never, defect);
  }
});

Deno.test("decodeCopy() refuses a body whose shape, type or range is off in one field", () => {
  const text = formatCoreConfig(sampleMetadata().core);
  const good = bodyOf();
  assertEquals(decodeCopy(withBody(cbor.encode(good))).kind, "copy");
  const bad: readonly (readonly [number, unknown])[] = [
    [0, new Uint8Array(15)],
    [0, new Uint8Array(17)],
    [0, "0123456789abcdef"],
    [1, 2],
    [1, -1n],
    [1, 2n ** 64n],
    [1, null],
    [2, 4n], // Not the shard of the configuration.
    [3, text.replace("core.shard_id=3", "core.shard_id=03")],
    [3, `${text}\n`],
    [3, text.trimEnd()],
    [3, text.split("\n").toReversed().join("\n").trimStart()],
    [3, text.replace("core.max_resources=1024", "core.max_resources=0")],
    [5, 1.5],
    [7, []],
    [7, [1n]],
    [7, [1n, 2n, 3n]],
    [7, undefined],
    [8, "leader"],
    [8, 1n],
    [11, "yesterday"],
    [11, new Date(0)],
    [12, "one more"],
  ];
  for (const [field, value] of bad) {
    const body = bodyOf();
    body[field] = value;
    const what = `field ${field}: ${String(value)}`;
    assertEquals(decodeCopy(withBody(cbor.encode(body))).kind, "defect", what);
  }
  for (const body of [good.slice(0, 11), {}, null, 7, "x", [good]]) {
    assertEquals(decodeCopy(withBody(cbor.encode(body))).kind, "defect");
  }
});

Deno.test("decodeCopy() refuses a second spelling of the same body", () => {
  const body = cbor.encode(bodyOf()).slice();
  const longHead = Uint8Array.from([0x98, 12, ...body.subarray(1)]);
  const longId = Uint8Array.from([body[0]!, 0x58, 16, ...body.subarray(2)]);
  const tagged = Uint8Array.from([0xd9, 0xd9, 0xf7, ...body]);
  const followed = Uint8Array.from([...body, 0xf6]);
  assertEquals([body[0], body[1]], [0x80 + 12, 0x40 + 16]);
  for (const other of [longHead, longId, tagged, followed, body.subarray(0, -1)]) {
    assertEquals(decodeCopy(withBody(other)), { kind: "defect", defect: "malformed_body" });
  }
});

Deno.test("decodeCopy() answers hostile bodies behind a right checksum with a typed result", () => {
  const body = Uint8Array.from(cbor.encode(bodyOf()));
  const patched = fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { minLength: 1 })
    .map((patches) => {
      const bytes = body.slice();
      for (const [at, byte] of patches) bytes[at] = byte;
      return bytes;
    });
  const noise = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const nested = fc.nat(4000).map((depth) => new Uint8Array(depth + 1).fill(0x81));
  const huge = fc.nat(800).map((depth) =>
    Uint8Array.from({ length: 5 * depth + 5 }, (_, i) => [0x9a, 1, 0xff, 0xff, 0xff][i % 5]!)
  );
  fc.assert(
    fc.property(fc.oneof(patched, noise, nested, huge), (bytes) => {
      const decoded = decodeCopy(withBody(bytes));
      if (decoded.kind === "defect") return assertEquals(decoded.defect, "malformed_body");
      assertEquals(encodeCopy(decoded.metadata, decoded.sequence), withBody(bytes));
    }),
    { seed: 2, numRuns: 800 },
  );
});

Deno.test("decodeCopy() answers noise with a defect", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: COPY_BYTES, maxLength: COPY_BYTES }), (bytes) => {
      assert(decodeCopy(bytes).kind === "defect");
    }),
    { seed: 3, numRuns: 20 },
  );
});

Deno.test("encodeCopy() and decodeCopy() assert that a copy has its length", () => {
  const endless = sampleMetadata({ createdAt: "2".repeat(COPY_BYTES) });
  assertThrows(() => encodeCopy(endless, 1n), AssertionFailure, "metadata/body-fits-its-copy");
  const short = encodeCopy(sampleMetadata(), 1n).subarray(1);
  assertThrows(() => decodeCopy(short), AssertionFailure, "metadata/copy-length");
});

/** The body of {@linkcode sampleMetadata}, written down a second time. */
function bodyOf(): unknown[] {
  const m = sampleMetadata();
  return [
    m.clusterId,
    2n,
    3n,
    formatCoreConfig(m.core),
    4n,
    7n,
    6n,
    [8n, 1n],
    "backup",
    0x1_0000_0000n,
    0xffff_ffff_ffff_ffffn,
    m.createdAt,
  ];
}

/** A copy with sequence 5 around any body, with the right checksum. */
function withBody(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = encodeCopy(sampleMetadata(), 5n);
  bytes.fill(0, BODY_AT);
  bytes.set(body, BODY_AT);
  new DataView(bytes.buffer).setUint32(24, body.length, true);
  return sealed(bytes);
}

function sealed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4, COPY_BYTES), true);
  return bytes;
}
