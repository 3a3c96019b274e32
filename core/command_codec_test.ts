// These bytes are stored, replicated and replayed: what we write and read must be what CBOR says, shown by
// a general library in both directions, and a retry must be told apart from another command.
import { assert, assertEquals } from "@std/assert";
import { Decoder, Encoder } from "cbor-x";
import { throughBytes } from "../tests/support/core_builders.ts";
import { encodePlain, toRecord } from "../testbed/sim/workload/plain.ts";
import {
  drawClientCommand,
  drawExpire,
  EXAMPLES,
  EXPIRE,
  KEY,
} from "../tests/support/draw_command.ts";
import type { ClientCommand, ModelCommand } from "../testbed/model/words.ts";
import { SeededRandom } from "../testbed/sim/random.ts";
import { COMMAND_NAMES, CommandTag, createCommand } from "./command.ts";
import {
  BUNDLE_MEMBERS_MAX,
  bundleBytes,
  COMMAND_BYTES,
  commandEnd,
  decodeCommand,
  encodeCommand,
  encodedBytes,
} from "./command_codec.ts";
import { writeU128 } from "./words.ts";

const U128_MAX = 2n ** 128n - 1n;
const general = { useRecords: false, tagUint8Array: false, int64AsType: "bigint" } as const;
const encoder = new Encoder({ ...general, largeBigIntToFloat: false });
const decoder = new Decoder(general);

/** The command as the general format would say it: an array of its tag and fields. */
function asArray(command: ModelCommand): unknown[] {
  const tag = CommandTag[command.kind];
  if (command.kind === "expire") return [tag, idBytes(command.reservationId), command.deadlineSlot];
  const head = [tag, idBytes(command.operationId), idBytes(command.clientId)];
  switch (command.kind) {
    case "create_resource":
      return [...head, idBytes(command.resourceId)];
    case "reserve":
      return [...head, idBytes(command.resourceId), idBytes(command.holderId), command.ttlSlots];
    case "reserve_bundle": {
      const members = command.resourceIds.map(idBytes);
      return [...head, members, idBytes(command.holderId), command.ttlSlots];
    }
    case "confirm":
    case "release":
      return [...head, idBytes(command.reservationId), idBytes(command.holderId), command.epoch];
    default:
      return [...head, idBytes(command.reservationId)];
  }
}

/** Big-endian. */
function idBytes(id: bigint): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) => Number((id >> BigInt(8 * (15 - at))) & 0xffn));
}

/** What cbor-x reads, with its buffers as plain arrays. */
function generalDecode(bytes: Uint8Array): unknown {
  const plain = (value: unknown): unknown =>
    value instanceof Uint8Array
      ? Uint8Array.from(value)
      : Array.isArray(value)
      ? value.map(plain)
      : value;
  return plain(decoder.decode(bytes));
}

Deno.test("encodeCommand() writes what cbor-x writes for the command's array", () => {
  const random = new SeededRandom(5);
  for (let i = 0; i < 3000; i++) {
    const command = random.oneIn(8) ? drawExpire(random) : drawClientCommand(random);
    assertEquals(encodePlain(command), Uint8Array.from(encoder.encode(asArray(command))));
  }
});

Deno.test("decodeCommand() reads what cbor-x reads", () => {
  const random = new SeededRandom(6);
  for (let i = 0; i < 3000; i++) {
    const command = random.oneIn(8) ? drawExpire(random) : drawClientCommand(random);
    const bytes = encodePlain(command);
    const { tag, words, memberCount, members } = throughBytes(command);
    const record = toRecord(command);
    assertEquals([tag, words, memberCount], [record.tag, record.words, record.memberCount]);
    assertEquals(members.subarray(0, memberCount * 4), record.members.subarray(0, memberCount * 4));
    assertEquals(generalDecode(bytes), asArray(command));
  }
});

Deno.test("encodeCommand() writes bundles of every array head's length as cbor-x does", () => {
  for (const count of [0, 1, 23, 24, 255, 256, 1000, BUNDLE_MEMBERS_MAX]) {
    const resourceIds = Array.from({ length: count }, (_, i) => BigInt(i) << 100n);
    const command = {
      ...KEY,
      kind: "reserve_bundle",
      resourceIds,
      holderId: 1n,
      ttlSlots: 2n,
    } as const;
    const bytes = encodePlain(command);
    assertEquals(bytes.length, bundleBytes(count));
    const expected = encoder.encode(asArray(command));
    assert(bytes.length === expected.length && bytes.every((byte, at) => byte === expected[at]));
    const into = createCommand(count);
    const end = decodeCommand(new DataView(bytes.buffer), 0, bytes.length, into);
    assertEquals([end, into.memberCount], [bytes.length, count]);
    assertEquals(into.members, toRecord(command).members.subarray(0, count * 4));
  }
});

Deno.test("encoded commands have the documented lengths", () => {
  for (const command of [...EXAMPLES, EXPIRE]) {
    const record = toRecord(command);
    const fixed = COMMAND_BYTES[record.tag]!;
    assertEquals(encodedBytes(record), fixed || bundleBytes(record.memberCount));
    assertEquals(encodePlain(command).length, encodedBytes(record));
    assertEquals(COMMAND_NAMES[record.tag], command.kind);
  }
});

Deno.test("decodeCommand() leaves bytes behind the command to the caller, wherever it starts", () => {
  const first = encodePlain(EXAMPLES[1]!);
  const second = encodePlain(EXAMPLES[3]!);
  const bytes = new Uint8Array([0xff, ...first, ...second, 0xff]);
  const view = new DataView(bytes.buffer);
  const into = createCommand(16);
  const middle = decodeCommand(view, 1, bytes.length, into);
  assertEquals(middle, 1 + first.length);
  assertEquals(commandEnd(view, 1, bytes.length), middle);
  assertEquals(decodeCommand(view, middle, bytes.length, into), bytes.length - 1);
  assertEquals(commandEnd(view, middle, bytes.length), bytes.length - 1);
});

Deno.test("fingerprints are strong: commands that differ in any field differ in fingerprint or tag", () => {
  const random = new SeededRandom(8);
  const seen = new Map<string, string>();
  const note = (command: ClientCommand): void => {
    const { tag, fingerprint } = throughBytes(command);
    const text = `${tag} ${fingerprint.join()}`;
    const fields = asArray(command).slice(3).toString();
    assertEquals(seen.get(text) ?? fields, fields);
    seen.set(text, fields);
  };
  for (let i = 0; i < 4000; i++) note(smallCommand(random));
  assert(seen.size > 500);
});

/** Commands over so few values that most differ from another in a single field. */
function smallCommand(random: SeededRandom): ClientCommand {
  const command = drawClientCommand(random, 4);
  const small = (value: unknown): unknown =>
    typeof value === "bigint"
      ? BigInt(random.below(4))
      : Array.isArray(value)
      ? value.map(small)
      : value;
  const entries = Object.entries(command).map(([name, value]) => [name, small(value)]);
  return Object.fromEntries(entries) as ClientCommand;
}

Deno.test("a fingerprint ignores the retry key and nothing else", () => {
  for (const command of EXAMPLES) {
    const one = [...throughBytes(command).fingerprint];
    const other = { ...command, operationId: 1n, clientId: 2n };
    assertEquals([...throughBytes(other).fingerprint], one);
  }
});

Deno.test("encodeCommand() writes nothing outside the command", () => {
  for (const command of [...EXAMPLES, EXPIRE]) {
    const record = toRecord(command);
    const bytes = new Uint8Array(encodedBytes(record) + 6).fill(0xee);
    const end = encodeCommand(new DataView(bytes.buffer), 3, record);
    assertEquals(end, bytes.length - 3);
    assertEquals([...bytes.slice(0, 3), ...bytes.slice(end)], new Array(6).fill(0xee));
  }
});

Deno.test("decodeCommand() clears what the command before left in the record", () => {
  const into = createCommand(4);
  into.words.fill(0xffff_ffff);
  into.fingerprint.fill(0xffff_ffff);
  writeU128(into.members, 0, U128_MAX);
  for (const command of EXAMPLES) {
    const bytes = encodePlain(command);
    decodeCommand(new DataView(bytes.buffer), 0, bytes.length, into);
    const fresh = createCommand(4);
    decodeCommand(new DataView(bytes.buffer), 0, bytes.length, fresh);
    assertEquals([into.words, into.fingerprint], [fresh.words, fresh.fingerprint]);
    assertEquals(into.memberCount, fresh.memberCount);
  }
});
