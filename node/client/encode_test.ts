// The client writes commands with the general writer; the engine has its own codec. Both must make the same
// bytes, because a retry is recognised by them, and milliseconds must never turn into less than was asked for.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Command, CommandTag, createCommand, Field } from "../../core/command.ts";
import { decodeCommand, encodeCommand, encodedBytes } from "../../core/command_codec.ts";
import { writeU128, writeU64 } from "../../core/words.ts";
import { WireWriter } from "../wire/writer.ts";
import { checkedId, randomId, writeCommand } from "./encode.ts";
import type { ClientCommand } from "./types.ts";

const U64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const U128 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
const MEMBERS_MAX = 300;

const COMMAND: fc.Arbitrary<ClientCommand> = fc.oneof(
  fc.record({ kind: fc.constant("create_resource" as const), resourceId: U128 }),
  fc.record({
    kind: fc.constant("reserve" as const),
    resourceId: U128,
    holderId: U128,
    ttlSlots: U64,
  }),
  fc.record({
    kind: fc.constant("reserve_bundle" as const),
    resourceIds: fc.array(U128, { maxLength: MEMBERS_MAX, size: "max" }),
    holderId: U128,
    ttlSlots: U64,
  }),
  fc.record({
    kind: fc.constantFrom("confirm" as const, "release" as const),
    reservationId: U128,
    holderId: U128,
    epoch: U64,
  }),
  fc.record({
    kind: fc.constantFrom("revoke" as const, "reclaim" as const),
    reservationId: U128,
  }),
);

function encode(command: ClientCommand, clientId: bigint, operationId: bigint): Uint8Array {
  const out = new WireWriter();
  writeCommand(out, command, clientId, operationId, 10);
  return out.bytes.slice(0, out.end);
}

/** The same command as the engine's own record. */
function toRecord(command: ClientCommand, clientId: bigint, operationId: bigint): Command {
  const record = createCommand(MEMBERS_MAX);
  record.tag = CommandTag[command.kind];
  writeU128(record.words, Field.operationId, operationId);
  writeU128(record.words, Field.clientId, clientId);
  if ("reservationId" in command) writeU128(record.words, Field.subjectId, command.reservationId);
  if ("resourceId" in command) writeU128(record.words, Field.subjectId, command.resourceId);
  if ("holderId" in command) writeU128(record.words, Field.holderId, command.holderId);
  if ("epoch" in command) writeU64(record.words, Field.quantity, command.epoch);
  if ("ttlSlots" in command) writeU64(record.words, Field.quantity, command.ttlSlots ?? 0n);
  if (command.kind === "reserve_bundle") {
    record.memberCount = command.resourceIds.length;
    command.resourceIds.forEach((id, i) => writeU128(record.members, i * 4, id));
  }
  return record;
}

Deno.test("writeCommand() writes what the engine's codec writes, which decodes as the same command", () => {
  fc.assert(
    fc.property(COMMAND, U128, U128, (command, clientId, operationId) => {
      const record = toRecord(command, clientId, operationId);
      const expected = new Uint8Array(encodedBytes(record));
      encodeCommand(new DataView(expected.buffer), 0, record);
      const bytes = encode(command, clientId, operationId);
      assertEquals(bytes, expected);
      const decoded = createCommand(MEMBERS_MAX);
      const end = decodeCommand(new DataView(bytes.buffer), 0, bytes.length, decoded);
      assertEquals([end, decoded.tag, decoded.words], [bytes.length, record.tag, record.words]);
    }),
    { seed: 8, numRuns: 500 },
  );
});

Deno.test("writeCommand() rounds milliseconds up to slots, never down", () => {
  const ttl = fc.integer({ min: 0, max: 2 ** 40 });
  fc.assert(
    fc.property(ttl, fc.integer({ min: 1, max: 5_000 }), (ttlMs, slotDurationMs) => {
      const out = new WireWriter();
      const command = { kind: "reserve", resourceId: 1n, holderId: 2n, ttlMs } as const;
      writeCommand(out, command, 3n, 4n, slotDurationMs);
      const slots = out.view.getBigUint64(out.end - 8) * BigInt(slotDurationMs);
      const asked = BigInt(ttlMs);
      assertEquals(slots >= asked && slots - asked < BigInt(slotDurationMs), true);
    }),
    { seed: 9, numRuns: 1_000 },
  );
});

Deno.test("writeCommand() refuses numbers that do not fit instead of cutting them", () => {
  const reserve = { kind: "reserve", resourceId: 1n, holderId: 2n } as const;
  const refused: ClientCommand[] = [
    { kind: "create_resource", resourceId: 2n ** 128n },
    { kind: "create_resource", resourceId: -1n },
    { ...reserve, ttlSlots: 2n ** 64n },
    { ...reserve, ttlSlots: -1n },
    { ...reserve, ttlMs: -1 },
    { ...reserve, ttlMs: NaN },
    { ...reserve, ttlMs: Infinity },
    { ...reserve, holderId: 2n ** 128n, ttlMs: 1 },
    { kind: "reserve_bundle", resourceIds: [2n ** 128n], holderId: 1n, ttlMs: 1 },
    { kind: "reserve_bundle", resourceIds: new Array(65_536).fill(1n), holderId: 1n, ttlMs: 1 },
    { kind: "confirm", reservationId: 1n, holderId: 1n, epoch: -1n },
    { kind: "revoke", reservationId: 2n ** 128n },
  ];
  for (const command of refused) assertThrows(() => encode(command, 1n, 1n), RangeError);
  assertThrows(() => encode({ kind: "revoke", reservationId: 1n }, 1n, 2n ** 128n), RangeError);
  assertThrows(() => checkedId("clientId", 2n ** 128n), RangeError);
});

Deno.test("randomId() gives 128-bit ids that do not repeat over many refills", () => {
  const ids = new Set(Array.from({ length: 10_000 }, randomId));
  assertEquals(ids.size, 10_000);
  const bits = [...ids].reduce((union, id) => union | id, 0n);
  assertEquals(bits, 2n ** 128n - 1n);
});
