// What is sent must be the transaction that the report names, and what comes back must not be taken for more than it
// is. The oracle is a reader that knows only the wire format.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ClaimTemplate,
  findField,
  hasSucceeded,
  leaseGrant,
  readLeaseId,
  varint,
} from "./etcd_messages.ts";

const LEASE = Uint8Array.of(0xac, 0x02); // 300

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

Deno.test("varint() writes seven bits at a time, as bigint arithmetic does", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const back = varint(value).reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
      const more = varint(value).map((byte) => byte >= 0x80);
      assertEquals(back, BigInt(value));
      assertEquals(more, [...more.slice(1).fill(true), false]);
    }),
    { seed: 1 },
  );
});

Deno.test("ClaimTemplate.claim() puts the key if nobody has it, with the lease", () => {
  const template = new ClaimTemplate(LEASE);
  for (const number of [0, 7, 123_456_789_012_345]) {
    const key = `seat/${String(number).padStart(15, "0")}`;
    const message = template.claim(number);
    const compare = findField(message, 1)!;
    assertEquals(text(findField(compare, 3)), key);
    assertEquals(findField(compare, 4), Uint8Array.of(0)); // The version it is compared with.
    const put = findField(findField(message, 2)!, 2)!;
    assertEquals(text(findField(put, 1)), key);
    assertEquals(findField(put, 2)!.length, 16);
    assertEquals(findField(put, 3), LEASE);
  }
});

Deno.test("leaseGrant() and readLeaseId() carry seconds there and the id back", () => {
  assertEquals(findField(leaseGrant(600), 1), Uint8Array.from(varint(600)));
  const answer = Uint8Array.from([0x0a, 2, 8, 1, 0x10, ...LEASE, 0x18, 1]);
  assertEquals(readLeaseId(answer), LEASE);
  assertThrows(() => readLeaseId(Uint8Array.of(0x0a, 0)), Error, "without an id");
});

Deno.test("hasSucceeded() is true for a comparison that held, and for nothing else", () => {
  const header = [0x0a, 3, 8, 1, 0x20];
  assertEquals(hasSucceeded(Uint8Array.from([...header, 0x10, 1])), true);
  assertEquals(hasSucceeded(Uint8Array.from(header)), false); // False is left out.
  assertEquals(hasSucceeded(new Uint8Array()), false);
});

Deno.test("findField() comes to an end whatever it is given", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(15), (bytes, field) => {
      findField(bytes, field);
    }),
    { seed: 1 },
  );
});
