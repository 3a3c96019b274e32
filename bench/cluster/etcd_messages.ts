/**
 * The four messages of etcd's API that the load needs, as bytes.
 * Source: `rpc.proto` and `kv.proto` of etcd 3.4; https://protobuf.dev/programming-guides/encoding
 */

/** The method that grants leases. */
export const LEASE_GRANT = "/etcdserverpb.Lease/LeaseGrant";
/** The method that runs transactions. */
export const TXN = "/etcdserverpb.KV/Txn";

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** A number as protobuf writes it: seven bits at a time, the lowest first. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 0x80)) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return bytes;
}

function field(number: number, content: ArrayLike<number>): number[] {
  return [tag(number, LENGTH_DELIMITED), ...varint(content.length), ...Array.from(content)];
}

/** Finds the bytes of a top-level field: the digits of a number, the content of anything longer. */
export function findField(message: Uint8Array, number: number): Uint8Array | undefined {
  let at = 0;
  while (at < message.length) {
    const [key, keyEnd] = readVarint(message, at);
    const [value, valueEnd] = readVarint(message, keyEnd);
    const isNumber = (key & 7) === VARINT;
    if (!isNumber && (key & 7) !== LENGTH_DELIMITED) return undefined;
    const end = isNumber ? valueEnd : valueEnd + value;
    if (key >>> 3 === number) return message.subarray(isNumber ? keyEnd : valueEnd, end);
    at = end;
  }
  return undefined;
}

/** A number and where it ends; digits above 2^53 are only skipped. */
function readVarint(message: Uint8Array, from: number): [number, number] {
  let value = 0;
  let weight = 1;
  for (let at = from; at < message.length; at++, weight *= 0x80) {
    value += (message[at]! & 0x7f) * weight;
    if (message[at]! < 0x80) return [value, at + 1];
  }
  return [0, message.length];
}

/** Asks for a lease; the server chooses its id. */
export function leaseGrant(ttlSeconds: number): Uint8Array {
  return Uint8Array.from([tag(1, VARINT), ...varint(ttlSeconds)]);
}

/** The id in the answer, as digits of a varint: it only ever goes back into a message. */
export function readLeaseId(message: Uint8Array): Uint8Array {
  const id = findField(message, 2);
  if (id === undefined) throw new Error("etcd granted a lease without an id");
  return id.slice();
}

/** Whether the comparison held, and so the key was written. */
export function hasSucceeded(message: Uint8Array): boolean {
  return findField(message, 2)?.[0] === 1;
}

/** Digits in a key. */
const KEY_DIGITS = 15;
const KEY_PREFIX = "seat/";
const VALUE_BYTES = 16;

/** `If version(key) = 0 Then Put(key, value, lease)`, for one key after another with one lease. */
export class ClaimTemplate {
  readonly #bytes: Uint8Array;
  readonly #keysAt: readonly number[];

  /**
   * @param lease As {@linkcode readLeaseId} gave it.
   */
  constructor(lease: Uint8Array) {
    const key = new TextEncoder().encode(KEY_PREFIX + "x".repeat(KEY_DIGITS));
    // Equal is 0 and so is the target "version": protobuf leaves zeros out, but not inside a choice.
    const compare = [...field(3, key), tag(4, VARINT), 0];
    const put = [
      ...field(1, key),
      ...field(2, new Uint8Array(VALUE_BYTES).fill(0x61)),
      ...[tag(3, VARINT), ...lease],
    ];
    this.#bytes = Uint8Array.from([...field(1, compare), ...field(2, field(2, put))]);
    this.#keysAt = placesOf(this.#bytes);
  }

  /**
   * The request for a key.
   *
   * @param number Below 10^15; nobody else's.
   * @returns Valid until the next call.
   */
  claim(number: number): Uint8Array {
    let rest = number;
    for (let digit = KEY_DIGITS - 1; digit >= 0; digit--) {
      const character = 0x30 + rest % 10;
      for (const at of this.#keysAt) this.#bytes[at + digit] = character;
      rest = Math.floor(rest / 10);
    }
    return this.#bytes;
  }
}

/** Where the digits of the keys stand: runs of `x`. */
function placesOf(bytes: Uint8Array): number[] {
  const X = 0x78;
  return [...bytes.keys()].filter((at) =>
    bytes[at - 1] !== X && bytes.subarray(at, at + KEY_DIGITS).every((byte) => byte === X)
  );
}
