// An id that means another number than its writer thought reserves somebody else's seat. Names are checked
// against the platform's SHA-256, numbers against their own spellings, and what could be two things is refused.
import { assertEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { CliError } from "../errors.ts";
import {
  formatId,
  NAME_BYTES_MAX,
  nameId,
  parseClusterId,
  parseId,
  parseReservationId,
  U128_MAX,
} from "./ids.ts";

const u128 = fc.bigInt({ min: 0n, max: U128_MAX });
const RUNS = { seed: 21, numRuns: 300 };

function refused(parse: () => unknown): string {
  const error = assertThrows(parse, CliError);
  assertEquals([error.code, error.exitCode], ["E_BAD_ID", 2]);
  return error.message;
}

function uuidOf(id: bigint): string {
  const digits = id.toString(16).padStart(32, "0");
  return [0, 8, 12, 16, 20].map((at, i) => digits.slice(at, [8, 12, 16, 20, 32][i])).join("-");
}

Deno.test("parseId() reads back every spelling of a number", () => {
  fc.assert(
    fc.property(u128, fc.nat(3), (id, zeros) => {
      const hex = id.toString(16);
      for (
        const text of [
          formatId(id, "decimal"),
          formatId(id, "hex"),
          "0".repeat(zeros) + id,
          `0X${hex.toUpperCase()}`,
          uuidOf(id),
          uuidOf(id).toUpperCase(),
        ]
      ) assertEquals(parseId(text, "id"), id, text);
    }),
    RUNS,
  );
});

Deno.test("parseId() refuses decimal numbers above 2^128 - 1, however long", () => {
  assertEquals(parseId(U128_MAX.toString(), "id"), U128_MAX);
  for (const text of [(U128_MAX + 1n).toString(), "9".repeat(40), "9".repeat(100_000)]) {
    refused(() => parseId(text, "id"));
  }
  assertEquals(parseId(`${"0".repeat(1_000)}7`, "id"), 7n);
});

Deno.test("parseId() gives a name the first 16 bytes of its prefixed SHA-256", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((text) => /^[\p{L}:#][\p{L}:# ]*[\p{L}:#]$/u.test(text) && !/^0x/i.test(text));
  fc.assert(
    fc.property(name, (text) => {
      const digest = createHash("sha256").update(`allocdb:name:${text.normalize("NFC")}`).digest(
        "hex",
      );
      assertEquals(parseId(text, "id"), BigInt(`0x${digest.slice(0, 32)}`));
    }),
    RUNS,
  );
});

Deno.test("nameId() keeps the documented value of a name", () => {
  assertEquals(formatId(nameId("seat:21A"), "hex"), "0xc8fbe2ac4ba08e001e0c8a3ec8b4ea9b");
});

Deno.test("nameId() gives composed and decomposed spellings of a name one id", () => {
  assertEquals(nameId("Stra\u00dfe caf\u00e9"), nameId("Stra\u00dfe cafe\u0301"));
  assertEquals(nameId("seat:21A") === nameId("seat:21a"), false);
});

Deno.test("parseId() refuses what is malformed or could be meant as two things", () => {
  for (
    const text of [
      ...["", " ", " a", "a ", "-5", "-name", "+5", "1_000", "1,000", "1.5", "1'000"],
      ...["0x", "0xg", "0x12 ", `0x${"1".repeat(33)}`, "0x1-2"],
      ...["deadbeefdeadbeefdeadbeefdeadbeef", "{6f1f3c1e-0a3b-4c5d-8e7f-001122334455}"],
      ...["6f1f3c1e-0a3b-4c5d-8e7f-00112233445", "6f1f3c1e-0a3b-4c5d-8e7f-00112233445g"],
      ...["urn:uuid:6f1f3c1e-0a3b-4c5d-8e7f-001122334455", "1-2-3-4-5"],
      ...[
        "a\nb",
        "a\u0000",
        "a\u001b[31m",
        "a\u202eb",
        "a\u200bb",
        "\ufeffa",
        "a\ud800",
        "a\ufffd",
      ],
      "x".repeat(NAME_BYTES_MAX + 1),
      "\u00e9".repeat(NAME_BYTES_MAX / 2 + 1),
    ]
  ) refused(() => parseId(text, "id"));
});

Deno.test("parseId() takes names as long as allowed, counted after normalisation", () => {
  const decomposed = "e\u0301".repeat(NAME_BYTES_MAX / 2);
  assertEquals(parseId(decomposed, "id"), nameId("\u00e9".repeat(NAME_BYTES_MAX / 2)));
  for (const text of ["21A", "1e9", "a", "order 66", "user@example.com", "a-b-c", "ナ1"]) {
    assertEquals(parseId(text, "id"), nameId(text));
  }
});

Deno.test("parseId() never answers outside 128 bits and never throws anything but E_BAD_ID", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      try {
        const id = parseId(text, "id");
        assertEquals(id >= 0n && id <= U128_MAX, true);
      } catch (error) {
        assertEquals(error instanceof CliError && error.code, "E_BAD_ID");
      }
    }),
    RUNS,
  );
});

Deno.test("a refused id is printed without its control characters", () => {
  assertEquals(
    /\p{C}/u.test(refused(() => parseId("a\u001b[2J\u202e", "id"))),
    false,
  );
});

Deno.test("parseReservationId() reads decimal, hex and SHARD/LSN, and no names", () => {
  const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(u64, u64, (shard, lsn) => {
      const id = (shard << 64n) | lsn;
      for (const text of [`${shard}/${lsn}`, `${id}`, `0x${id.toString(16)}`]) {
        assertEquals(parseReservationId(text, "reservation"), id, text);
      }
    }),
    RUNS,
  );
  for (
    const text of [
      ...["", "seat:21A", "1/", "/1", "1/2/3", "-1", "0x", "6f1f3c1e-0a3b-4c5d-8e7f-001122334455"],
      ...[`${1n << 64n}/1`, `1/${1n << 64n}`, `${1n << 128n}`, "1/99999999999999999999"],
    ]
  ) refused(() => parseReservationId(text, "reservation"));
});

Deno.test("parseClusterId() reads 32 hex digits and UUIDs", () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i * 16 + 15 - i);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  for (const text of [hex, `0x${hex}`, hex.toUpperCase(), uuidOf(BigInt(`0x${hex}`))]) {
    assertEquals(parseClusterId(text), bytes);
  }
  for (const text of ["", "1", hex.slice(1), `${hex}0`, "cluster"]) {
    refused(() => parseClusterId(text));
  }
});
