// Bytes from a socket or a damaged disk: exactly one encoding per command decodes. Cut at every byte, with
// every head changed, in every laxer form that CBOR allows, with counts that lie, and as noise.
import { assert, assertEquals } from "@std/assert";
import { encodePlain } from "../testbed/sim/workload/plain.ts";
import {
  drawClientCommand,
  drawExpire,
  EXAMPLES,
  EXPIRE,
  KEY,
} from "../tests/support/draw_command.ts";
import type { ClientCommand } from "../testbed/model/words.ts";
import { SeededRandom } from "../testbed/sim/random.ts";
import { CommandTag, createCommand } from "./command.ts";
import {
  CodecError,
  codecErrorName,
  commandEnd,
  decodeCommand,
  decodeInternalCommand,
  encodeCommand,
  encodedBytes,
} from "./command_codec.ts";
import { readU128 } from "./words.ts";

const { buffer_too_short, invalid_command_tag, invalid_layout } = CodecError;

function decodeBytes(bytes: Uint8Array, room = 16): number {
  return decodeCommand(new DataView(bytes.buffer), 0, bytes.length, createCommand(room));
}

function decodeInternalBytes(bytes: Uint8Array): number {
  return decodeInternalCommand(new DataView(bytes.buffer), 0, bytes.length, createCommand(1));
}

Deno.test("decodeCommand() answers buffer_too_short for a command cut at any byte", () => {
  for (const command of EXAMPLES) {
    const bytes = encodePlain(command);
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(decodeBytes(bytes.slice(0, length)), buffer_too_short);
      const view = new DataView(bytes.buffer);
      assertEquals(decodeCommand(view, 0, length, createCommand(16)), buffer_too_short);
      assertEquals(commandEnd(view, 0, length), buffer_too_short);
    }
    assertEquals(decodeBytes(bytes), bytes.length);
  }
  const expire = encodePlain(EXPIRE);
  for (let length = 0; length < expire.length; length++) {
    assertEquals(decodeInternalBytes(expire.slice(0, length)), buffer_too_short);
  }
  assertEquals(decodeInternalBytes(expire), expire.length);
});

/** Where the heads of a command's items are: everything else is free content. */
function structureOffsets(command: ClientCommand): number[] {
  const ids = [2, 19];
  if (command.kind !== "reserve_bundle") {
    const rest = "holderId" in command ? [36, 53, 70] : [36];
    return [0, 1, ...ids, ...rest];
  }
  const members = command.resourceIds.map((_, i) => 37 + 17 * i);
  const holder = 37 + 17 * members.length;
  return [0, 1, ...ids, 36, ...members, holder, holder + 17];
}

Deno.test("decodeCommand() refuses every other value of every head: one command, one encoding", () => {
  for (const command of EXAMPLES) {
    const bytes = encodePlain(command);
    for (const at of structureOffsets(command)) {
      for (let value = 0; value < 256; value++) {
        const altered = bytes.slice();
        altered[at] = value;
        const end = decodeBytes(altered);
        if (value === bytes[at]) assertEquals(end, bytes.length);
        else if (end >= 0) assertIsItsOwnEncoding(altered, end);
      }
    }
  }
});

/** A changed head may make another well-formed command; then these bytes are that one's only encoding. */
function assertIsItsOwnEncoding(bytes: Uint8Array, end: number): void {
  const into = createCommand(16);
  decodeCommand(new DataView(bytes.buffer), 0, bytes.length, into);
  const again = new Uint8Array(encodedBytes(into));
  encodeCommand(new DataView(again.buffer), 0, into);
  assertEquals(again, bytes.slice(0, end));
}

Deno.test("decodeCommand() gives up free content bytes unchanged: each bit of an id or number counts", () => {
  const command = EXAMPLES[1]!;
  const bytes = encodePlain(command);
  const heads = new Set(structureOffsets(command));
  const seen = new Set<string>();
  for (let at = 0; at < bytes.length; at++) {
    if (heads.has(at)) continue;
    for (let bit = 0; bit < 8; bit++) {
      const altered = bytes.slice();
      altered[at]! ^= 1 << bit;
      assertEquals(decodeBytes(altered), bytes.length);
      assertIsItsOwnEncoding(altered, bytes.length);
      seen.add(decodedText(altered));
    }
  }
  assertEquals(seen.size, (bytes.length - heads.size) * 8);
});

function decodedText(bytes: Uint8Array): string {
  const into = createCommand(16);
  decodeCommand(new DataView(bytes.buffer), 0, bytes.length, into);
  return into.words.join();
}

/** Encodings that a general decoder takes for the same values: longer heads, other types, endless items. */
const LAX: readonly (readonly [string, (bytes: number[]) => void, number])[] = [
  ["array head of 8 bits", (bytes) => bytes.splice(0, 1, 0x98, 6), invalid_command_tag],
  [
    "array head of 64 bits",
    (bytes) => bytes.splice(0, 1, 0x9b, 0, 0, 0, 0, 0, 0, 0, 6),
    invalid_command_tag,
  ],
  ["endless array", (bytes) => bytes.splice(0, 1, 0x9f), invalid_layout],
  ["one item too many", (bytes) => bytes.splice(0, 1, 0x87), invalid_layout],
  ["one item too few", (bytes) => bytes.splice(0, 1, 0x85), invalid_layout],
  ["a tag around the command", (bytes) => bytes.unshift(0xc1), invalid_layout],
  ["a map", (bytes) => bytes.splice(0, 1, 0xa3), invalid_layout],
  ["an empty array", (bytes) => bytes.splice(0, 1, 0x80), invalid_layout],
  ["command tag in 8 bits", (bytes) => bytes.splice(1, 1, 0x18, 2), invalid_command_tag],
  ["negative command tag", (bytes) => bytes.splice(1, 1, 0x22), invalid_command_tag],
  ["id with an 8-bit length", (bytes) => bytes.splice(2, 1, 0x58, 16), invalid_layout],
  ["id of 15 bytes", (bytes) => bytes.splice(2, 2, 0x4f), buffer_too_short],
  ["id as text", (bytes) => bytes.splice(2, 1, 0x70), invalid_layout],
  ["id in endless pieces", (bytes) => bytes.splice(2, 1, 0x5f, 0x50), invalid_layout],
  ["id as a typed array", (bytes) => bytes.splice(2, 1, 0xd8, 0x40, 0x50), invalid_layout],
  ["ttl in 32 bits", (bytes) => bytes.splice(70, 9, 0x1a, 0, 0, 0, 5), buffer_too_short],
  ["ttl in place", (bytes) => bytes.splice(70, 9, 5), buffer_too_short],
  ["ttl as a float", (bytes) => bytes.splice(70, 1, 0xfb), invalid_layout],
  ["negative ttl", (bytes) => bytes.splice(70, 1, 0x3b), invalid_layout],
  ["ttl as a bignum", (bytes) => bytes.splice(70, 1, 0xc2, 0x48), invalid_layout],
];

for (const [what, alter, expected] of LAX) {
  Deno.test(`decodeCommand() refuses ${what}`, () => {
    const bytes = [...encodePlain(EXAMPLES[1]!)];
    alter(bytes);
    assertEquals(codecErrorName(decodeBytes(new Uint8Array(bytes))), codecErrorName(expected));
  });
}

Deno.test("decodeCommand() refuses longer heads of a bundle's list than its count needs", () => {
  const bytes = [...encodePlain(EXAMPLES[3]!)];
  const heads = [[0x98, 2], [0x99, 0, 2], [0x9a, 0, 0, 0, 2], [0x9b, 0, 0, 0, 0, 0, 0, 0, 2], [
    0x9f,
  ]];
  for (const head of heads) {
    const altered = new Uint8Array(bytes.toSpliced(36, 1, ...head));
    assertEquals(decodeBytes(altered), invalid_layout);
    assertEquals(commandEnd(new DataView(altered.buffer), 0, altered.length), invalid_layout);
  }
});

Deno.test("W3: clients cannot say expire: its bytes and its tag are refused outside the internal decoder", () => {
  const internal = encodePlain(EXPIRE);
  assertEquals(decodeBytes(internal), invalid_command_tag);
  assertEquals(commandEnd(new DataView(internal.buffer), 0, internal.length), invalid_command_tag);
  for (const command of EXAMPLES) {
    const bytes = encodePlain(command);
    bytes[1] = CommandTag.expire;
    assertEquals(decodeBytes(bytes), invalid_command_tag);
    assertEquals(commandEnd(new DataView(bytes.buffer), 0, bytes.length), invalid_command_tag);
  }
});

Deno.test("W3: decodeInternalCommand() takes expire alone", () => {
  for (const command of EXAMPLES) {
    assertEquals(decodeInternalBytes(encodePlain(command)), invalid_layout);
  }
  const expire = encodePlain(EXPIRE);
  for (const at of [0, 1, 2, 19]) {
    for (let value = 0; value < 256; value++) {
      const altered = expire.slice();
      altered[at] = value;
      assertEquals(decodeInternalBytes(altered) >= 0, value === expire[at]);
    }
  }
});

Deno.test("W4: a bundle that claims up to 2^16 - 1 members in 53 bytes is too short, and sizes nothing", () => {
  const head = [...encodePlain(EXAMPLES[2]!)].slice(0, 36);
  const into = createCommand(4);
  for (const count of [24, 255, 256, 4096, 0x7fff, 0xffff]) {
    const list = count < 256 ? [0x98, count] : [0x99, count >> 8, count & 0xff];
    const bytes = new Uint8Array([...head, ...list, ...new Array(14).fill(0x50)].slice(0, 53));
    const view = new DataView(bytes.buffer);
    assertEquals(decodeCommand(view, 0, bytes.length, into), buffer_too_short);
    assertEquals(commandEnd(view, 0, bytes.length), buffer_too_short);
    assertEquals(into.members.length, 16);
  }
  for (const list of [[0x9a, 0, 1, 0, 0], [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]) {
    const bytes = new Uint8Array([...head, ...list, ...new Array(40).fill(0x50)]);
    assertEquals(decodeBytes(bytes), invalid_layout);
  }
});

Deno.test("W4: a complete bundle beyond the record's room keeps its count and the ids that fit", () => {
  const resourceIds = Array.from({ length: 300 }, (_, i) => BigInt(i + 1));
  const bytes = encodePlain({
    ...KEY,
    kind: "reserve_bundle",
    resourceIds,
    holderId: 1n,
    ttlSlots: 2n,
  });
  const into = createCommand(4);
  assertEquals(decodeCommand(new DataView(bytes.buffer), 0, bytes.length, into), bytes.length);
  assertEquals([into.memberCount, into.members.length], [300, 16]);
  assertEquals([0, 1, 2, 3].map((i) => readU128(into.members, i * 4)), [1n, 2n, 3n, 4n]);
  bytes[39 + 17 * 299] = 0x4f; // Also those that do not fit must be ids.
  assertEquals(decodeCommand(new DataView(bytes.buffer), 0, bytes.length, into), invalid_layout);
});

Deno.test("decoders answer any noise with an error or a command that encodes to the same bytes", () => {
  const random = new SeededRandom(7);
  const into = createCommand(16);
  let accepted = 0;
  for (let i = 0; i < 30_000; i++) {
    const bytes = noise(random);
    const view = new DataView(bytes.buffer);
    const end = decodeCommand(view, 0, bytes.length, into);
    assert(end <= bytes.length && (end > 0 || end >= invalid_layout));
    if (end > 0) {
      accepted++;
      if (into.memberCount <= 16) assertIsItsOwnEncoding(bytes, end);
      assertEquals(commandEnd(view, 0, bytes.length), end);
    }
    const internal = decodeInternalCommand(view, 0, bytes.length, into);
    assert(internal === 28 || (internal < 0 && internal >= invalid_layout));
  }
  assert(accepted > 1000);
});

/** Plain noise, or a command with some bytes changed, cut off or doubled. */
function noise(random: SeededRandom): Uint8Array {
  if (random.oneIn(4)) return random.fill(new Uint8Array(random.below(100)));
  const bytes = [...encodePlain(random.oneIn(8) ? drawExpire(random) : drawClientCommand(random))];
  for (let changes = random.below(3); changes > 0; changes--) {
    const at = random.below(bytes.length);
    const kind = random.below(3);
    if (kind === 0) bytes[at] = random.below(256);
    else bytes.splice(at, kind === 1 ? 1 : 0, ...bytes.slice(at, at + random.below(20)));
  }
  return new Uint8Array(bytes);
}
