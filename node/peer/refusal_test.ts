// A replica of another cluster, or of the same one with other bounds, must not get a word in: what it says would
// be believed. Both sides say why, once, and go on trying, because somebody will mend it.
import { assert, assertEquals } from "@std/assert";
import {
  isConnected,
  PeerRoom,
  PeerStranger,
  type Seat,
  until,
  written,
} from "../../tests/support/peer_room.ts";
import { SAMPLE_MESSAGES } from "../../tests/support/peer_samples.ts";
import { createPeerAuth } from "../auth/peer_auth.ts";
import { readError } from "../wire/hello.ts";
import { WireReader } from "../wire/reader.ts";
import { writeMessage } from "./codec.ts";
import { PEER_REFUSALS, writePeerHello } from "./hello.ts";
import type { PeerAuth, PeerTransportOptions } from "./options.ts";

const QUICK = { deadlines: { backoffMsMin: 2, backoffMsMax: 5 } };
const SECRET = createPeerAuth([new Uint8Array(32).fill(1)], "tcp");
const OTHER_SECRET = createPeerAuth([new Uint8Array(32).fill(2)], "tcp");

type Changes = Partial<PeerTransportOptions>;

/** What differs, what the room's replica 1 answers to that, and what replica 2 answers in turn. */
const MISMATCHES: readonly (readonly [name: string, Changes, Changes, one: string, two: string])[] =
  [
    ["clusters", {}, { clusterId: new Uint8Array(16) }, "wrong_cluster", "wrong_cluster"],
    [
      "bounds",
      {},
      { fingerprint: new Uint8Array(16) },
      "configuration_mismatch",
      "configuration_mismatch",
    ],
    ["shards", {}, { shardId: 8n }, "configuration_mismatch", "configuration_mismatch"],
    ["secrets", { auth: SECRET }, { auth: OTHER_SECRET }, "unauthenticated", "unauthenticated"],
  ];

function codes(seat: Seat, kind: "refused_peer" | "refused_by_peer"): string[] {
  return seat.events.flatMap((event) => event.kind === kind ? [event.code] : []);
}

for (const [name, first, second, one, two] of MISMATCHES) {
  Deno.test(`replicas with different ${name} keep each other out, and say so once`, async () => {
    await using room = new PeerRoom([1n, 2n], QUICK);
    const left = room.start(1n, first);
    const right = room.start(2n, second);
    await until(() => [left, right].every(({ transport }) => transport.stats().hellosRefused > 4));
    assertEquals(codes(left, "refused_peer"), [one]);
    assertEquals(codes(right, "refused_by_peer"), [one]);
    assertEquals(codes(right, "refused_peer"), [two]);
    assertEquals(codes(left, "refused_by_peer"), [two]);
    assertEquals([left.links, right.links, left.received, right.received], [[], [], [], []]);
    assert(left.transport.stats().peers[0]!.lastError?.startsWith(`${two}: `));
    await right.transport.close();
    const mended = room.start(2n, first);
    await until(() => isConnected(left) && isConnected(mended));
  });
}

Deno.test("replicas that know different members keep each other out", async () => {
  await using room = new PeerRoom([1n, 2n, 3n], QUICK);
  const members = room.members().slice(0, 2);
  const [one, two, three] = [room.start(1n, { members }), room.start(2n), room.start(3n)];
  await until(() =>
    codes(one, "refused_peer").length === 2 && codes(two, "refused_peer").length > 0
  );
  await until(() => isConnectedTo(two, 3n) && isConnectedTo(three, 2n));
  await until(() => codes(three, "refused_by_peer").length > 0);
  assertEquals(codes(one, "refused_peer").toSorted(), ["unknown_replica", "wrong_members"]);
  assertEquals(codes(two, "refused_peer"), ["wrong_members"]);
  assertEquals(codes(three, "refused_by_peer"), ["unknown_replica"]);
  assertEquals([one.links, one.received], [[], []]);
});

function isConnectedTo({ transport }: Seat, id: bigint): boolean {
  return transport.stats().peers.some((peer) => peer.id === id && peer.connected);
}

Deno.test("a replica that is dialled in place of another one says that it is not the one", async () => {
  await using room = new PeerRoom([1n, 2n, 3n], QUICK);
  const three = room.start(3n);
  const members = room.members().map((member) =>
    member.id === 2n ? { ...member, port: room.port(3n) } : member
  );
  const one = room.start(1n, { members });
  await until(() => codes(one, "refused_by_peer").length > 0 && isConnectedTo(one, 3n));
  assertEquals(codes(one, "refused_by_peer"), ["wrong_replica"]);
  assertEquals(codes(three, "refused_peer"), ["wrong_replica"]);
  assertEquals(
    one.transport.stats().peers[0]!.lastError,
    "wrong_replica: this is replica 3, not 2",
  );
});

/** What a stranger with this first frame is told. */
async function refusal(
  port: number,
  ...frames: readonly Uint8Array[]
): Promise<string | undefined> {
  using stranger = await PeerStranger.dial(port);
  await stranger.send(...frames);
  const bodies = await stranger.rest();
  assertEquals(bodies.length, 1);
  const reader = new WireReader();
  reader.open(new DataView(bodies[0]!.buffer), 0, bodies[0]!.length);
  return readError(reader)?.code;
}

Deno.test("a hello is refused for the first thing that is wrong with it, with the word for that", async () => {
  await using room = new PeerRoom([1n, 2n, 3n], { deadlines: { backoffMsMax: 10_000 } });
  const { transport, events } = room.start(1n);
  const good = room.hello(2n, 1n);
  const other = new Uint8Array(16);
  const wrong = { clusterId: other, to: 3n, from: 9n, membersDigest: 5n, fingerprint: other };
  const cases: [string, Partial<typeof good>][] = [
    ["wrong_cluster", wrong],
    ["wrong_replica", { ...wrong, clusterId: good.clusterId }],
    ["unknown_replica", { from: 9n, membersDigest: 5n, fingerprint: other }],
    ["unknown_replica", { from: 1n }],
    ["wrong_members", { membersDigest: 5n, fingerprint: other }],
    ["configuration_mismatch", { fingerprint: other }],
    ["configuration_mismatch", { shardId: 0n }],
  ];
  const port = room.port(1n);
  for (const [code, changes] of cases) {
    const hello = written((out) => writePeerHello(out, { ...good, ...changes }));
    assertEquals(await refusal(port, hello, hello), code);
  }
  const nextVersion = written((out) => writePeerHello(out, good)).with(12 + 3, 2);
  assertEquals(await refusal(port, sealed(nextVersion)), "unsupported_version");
  assertEquals(await refusal(port, nextVersion.with(4, 2)), "unsupported_version");
  const message = written((out) => writeMessage(out, SAMPLE_MESSAGES[0]![1]));
  assertEquals(await refusal(port, message), "unexpected_message");
  assertEquals(transport.stats().hellosRefused, cases.length + 1);
  const told = events.flatMap((event) => event.kind === "refused_peer" ? [event.code] : []);
  const each = new Set(PEER_REFUSALS.filter((code) => code !== "unauthenticated"));
  assertEquals(new Set(told), each);
});

/** A frame whose checksum is made good again. */
function sealed(frame: Uint8Array): Uint8Array {
  return written((out) => {
    const at = out.beginFrame();
    out.room(frame.length);
    out.bytes.set(frame.subarray(12), out.end);
    out.end += frame.length - 12;
    out.endFrame(at);
  });
}

Deno.test("replicas with the same secret meet, and what they say arrives", async () => {
  await using room = new PeerRoom([1n, 2n, 3n], { ...QUICK, auth: SECRET });
  const [one, two] = await room.startAll() as [Seat, Seat];
  one.transport.send(2n, SAMPLE_MESSAGES[0]![1]);
  await until(() => two.received.length === 1);
});

Deno.test("a replica with a secret and one without keep each other out, on either side", async () => {
  await using room = new PeerRoom([1n, 2n], QUICK);
  const one = room.start(1n, { auth: SECRET });
  const two = room.start(2n);
  await until(() =>
    codes(one, "refused_peer").length > 0 && codes(one, "refused_by_peer").length > 0
  );
  await until(() => codes(two, "refused_by_peer").length > 0);
  assertEquals(codes(one, "refused_peer"), ["unauthenticated"]);
  assertEquals(codes(one, "refused_by_peer"), ["unauthenticated"]);
  assertEquals(codes(two, "refused_by_peer"), ["unauthenticated"]);
  assertEquals([one.links, two.links], [[], []]);
});

Deno.test("an authentication that throws, or answers nothing, lets nobody in and harms nobody", async () => {
  const broken: Partial<PeerAuth>[] = [
    { challenge: () => Promise.reject(new Error("no")) },
    { challenge: () => undefined },
    { verify: () => Promise.reject(new Error("no")) },
    { verify: () => false },
    { respond: () => Promise.reject(new Error("no")) },
    { respond: () => undefined },
    { respond: () => new Uint8Array(3) },
  ];
  for (const change of broken) {
    const auth: PeerAuth = {
      greeting: () => SECRET.greeting(),
      challenge: (hello) => SECRET.challenge(hello),
      respond: (hello, challenge) => SECRET.respond(hello, challenge),
      verify: (hello, challenge, response) => SECRET.verify(hello, challenge, response),
      ...change,
    };
    await using room = new PeerRoom([1n, 2n], { ...QUICK, auth });
    const [one, two] = [room.start(1n), room.start(2n)];
    await until(() => [one, two].every((seat) => codes(seat, "refused_by_peer").length > 0));
    assertEquals(codes(one, "refused_by_peer"), ["unauthenticated"]);
    assertEquals([one.links, two.links], [[], []]);
  }
});

Deno.test("a stranger without the secret is challenged at most, and its messages are not taken", async () => {
  await using room = new PeerRoom([1n, 2n], { auth: SECRET, deadlines: { backoffMsMax: 10_000 } });
  const { received } = room.start(1n);
  const hello = (auth: Uint8Array | undefined): Uint8Array =>
    written((out) => writePeerHello(out, { ...room.hello(2n, 1n), auth }));
  const message = written((out) => writeMessage(out, SAMPLE_MESSAGES[0]![1]));
  const port = room.port(1n);
  assertEquals(await refusal(port, hello(undefined), message), "unauthenticated");
  assertEquals(await refusal(port, hello(new Uint8Array(40)), message), "unauthenticated");
  using stranger = await PeerStranger.dial(port);
  await stranger.send(hello(SECRET.greeting()), message);
  const [challenge, error, ...more] = await stranger.rest();
  assertEquals([challenge?.[2], error?.[1], more.length], [34, 20, 0]);
  assertEquals(received, []);
});
