// A hello is judged before anything else is believed: another version must be told apart from nonsense whatever
// follows it, and the digest of the members must not depend on who lists them.
import { assertEquals, assertNotEquals } from "@std/assert";
import { Encoder } from "cbor-x";
import { SAMPLE_HELLO } from "../../tests/support/peer_samples.ts";
import { WireReader } from "../wire/reader.ts";
import { AUTH_BYTES_MAX, membersDigest, readPeerChallenge, readPeerHello } from "./hello.ts";

const cbor = new Encoder({ useRecords: false, tagUint8Array: false });

function open(...elements: unknown[]): WireReader {
  const body = Uint8Array.from(cbor.encode(elements));
  const reader = new WireReader();
  reader.open(new DataView(body.buffer), 0, body.length);
  return reader;
}

Deno.test("readPeerHello() knows another version by its first two elements, whatever follows", () => {
  const { clusterId, membersDigest: digest, fingerprint } = SAMPLE_HELLO;
  const rest = [clusterId, 1n, 2n, digest, fingerprint, 7n, "0.1.0", null];
  assertEquals(readPeerHello(open(32, 1, ...rest)), SAMPLE_HELLO);
  assertEquals(readPeerHello(open(32, 2, ...rest)), "unsupported_version");
  assertEquals(readPeerHello(open(32, 0)), "unsupported_version");
  assertEquals(readPeerHello(open(32, 2, "another", ["world"])), "unsupported_version");
  assertEquals(readPeerHello(open(33, 1, ...rest)), undefined);
  assertEquals(readPeerHello(open(32, 1, ...rest, null)), undefined);
  assertEquals(readPeerHello(open(32, "1", ...rest)), undefined);
  assertEquals(readPeerHello(open(32)), undefined);
});

Deno.test("byte strings of an authentication are bounded, in hello and behind it", () => {
  const { clusterId, fingerprint } = SAMPLE_HELLO;
  const hello = (bytes: number): unknown => {
    const auth = new Uint8Array(bytes);
    return readPeerHello(open(32, 1, clusterId, 1n, 2n, 3n, fingerprint, 7n, "0.1.0", auth));
  };
  assertNotEquals(hello(AUTH_BYTES_MAX), undefined);
  assertEquals(hello(AUTH_BYTES_MAX + 1), undefined);
  assertEquals(readPeerChallenge(open(34, new Uint8Array(AUTH_BYTES_MAX + 1))), undefined);
});

Deno.test("membersDigest() is the start of the platform's SHA-256 of the ids in order, in any order", async () => {
  for (const ids of [[1n, 2n, 3n], [7n], [2n ** 64n - 1n, 0n, 5n, 9n, 1n]]) {
    const sorted = new BigUint64Array(ids).sort();
    const view = new DataView(new ArrayBuffer(sorted.length * 8));
    sorted.forEach((id, i) => view.setBigUint64(i * 8, id));
    const sha = new DataView(await crypto.subtle.digest("SHA-256", view.buffer));
    assertEquals(membersDigest(ids), sha.getBigUint64(0));
    assertEquals(membersDigest(ids.toReversed()), sha.getBigUint64(0));
  }
  assertNotEquals(membersDigest([1n, 2n, 3n]), membersDigest([1n, 2n]));
});
