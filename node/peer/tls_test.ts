// With certificates nothing that replicas say can be read or changed on the way, and a replica whose certificate
// nobody vouches for is not talked to. Tried between a replica that has them and ones that do not, or others.
import { assert, assertEquals } from "@std/assert";
import {
  isConnected,
  PeerRoom,
  PeerStranger,
  type Seat,
  until,
} from "../../tests/support/peer_room.ts";
import {
  OTHER_AUTHORITY,
  TEST_AUTHORITY,
  TEST_CERTIFICATE,
  TEST_PRIVATE_KEY,
} from "../../tests/support/test_certificates.ts";
import type { Message } from "../vsr/messages.ts";

const QUICK = { deadlines: { backoffMsMin: 5, backoffMsMax: 20, handshakeMs: 500 } };
const KEYS = { certificate: TEST_CERTIFICATE, privateKey: TEST_PRIVATE_KEY };
const TLS = { ...KEYS, authorities: [TEST_AUTHORITY] };
const CHUNK: Message = {
  ...{ kind: "snapshot_chunk", op: 1n, hash: 2n, offset: 3n },
  bytes: new Uint8Array(3_000_000).fill(5),
};

function lastError({ transport }: Seat): string | undefined {
  return transport.stats().peers[0]!.lastError;
}

Deno.test("replicas with certificates carry messages of any size, and find each other again", async () => {
  await using room = new PeerRoom([1n, 2n], { ...QUICK, tls: TLS });
  const [one, two] = await room.startAll() as [Seat, Seat];
  one.transport.send(2n, CHUNK);
  await until(() => two.received.length === 1);
  assertEquals(two.received, [{ from: 1n, message: CHUNK }]);
  await two.transport.close();
  await until(() => one.links.length === 2);
  const again = room.start(2n);
  await until(() => isConnected(one) && isConnected(again));
});

Deno.test("a replica whose certificate nobody vouches for is not talked to", async () => {
  await using room = new PeerRoom([1n, 2n], {
    ...QUICK,
    tls: { ...KEYS, authorities: [OTHER_AUTHORITY] },
  });
  const [one, two] = [room.start(1n), room.start(2n)];
  await until(() => [one, two].every((seat) => lastError(seat)?.includes("certificate")));
  assertEquals([one.links, two.links], [[], []]);
});

Deno.test("a replica with certificates and one without do not get together", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const one = room.start(1n, { tls: TLS });
  const two = room.start(2n);
  await until(() =>
    one.transport.stats().connectionsAccepted > 3 && two.transport.stats().connectionsFailed > 3
  );
  assertEquals([one.links, two.links, one.received, two.received], [[], [], [], []]);
});

Deno.test("strangers who do not speak TLS, or stop in the middle of it, cost a connection each", async () => {
  await using room = new PeerRoom([1n, 2n], { ...QUICK, tls: TLS });
  const [one] = await room.startAll() as [Seat];
  const begun = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);
  const { connectionsAccepted } = one.transport.stats();
  for (
    const bytes of [
      new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
      begun,
      new Uint8Array(5_000),
    ]
  ) {
    using stranger = await PeerStranger.dial(room.port(1n));
    await stranger.send(bytes);
  }
  using _silent = await PeerStranger.dial(room.port(1n));
  await until(() => one.transport.stats().connectionsFailed > 0);
  assertEquals(one.transport.stats().connectionsAccepted, connectionsAccepted + 4);
  assert(isConnected(one) && one.links.length === 1);
});
