// Replicas let nobody in who does not know the secret: each message of the exchange is tried truncated, changed,
// recorded, turned round, and meant for somebody else.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { PeerHello } from "../peer/hello.ts";
import type { PeerAuth } from "../peer/options.ts";
import { createPeerAuth } from "./peer_auth.ts";

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const OTHER = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const FOUR = createPeerAuth([SECRET], "tcp");

function hello(auth: Uint8Array | undefined, changes: Partial<PeerHello> = {}): PeerHello {
  return {
    clusterId: new Uint8Array(16).fill(3),
    from: 1n,
    to: 2n,
    membersDigest: 77n,
    fingerprint: new Uint8Array(16).fill(4),
    shardId: 0n,
    version: "test",
    auth,
    ...changes,
  };
}

/** Whether `dialled` lets `dialling` in, and `dialling` believes it. */
async function meet(dialling: PeerAuth, dialled: PeerAuth): Promise<boolean> {
  const said = hello(dialling.greeting());
  const challenge = await dialled.challenge(said);
  if (challenge === undefined) return false;
  const response = await dialling.respond(said, challenge);
  return response !== undefined && await dialled.verify(said, challenge, response);
}

Deno.test("replicas with the same secret meet, also while it is being replaced; others do not", async () => {
  const old = createPeerAuth([OTHER], "tcp");
  const both = createPeerAuth([OTHER, SECRET], "tcp");
  const next = createPeerAuth([SECRET, OTHER], "tcp");
  for (const [a, b] of [[FOUR, FOUR], [old, both], [both, old], [both, next], [next, both]]) {
    assert(await meet(a!, b!));
  }
  assert(await meet(next, FOUR) && await meet(FOUR, both));
  assertEquals([await meet(old, FOUR), await meet(FOUR, old)], [false, false]);
  assertEquals(await meet(FOUR, createPeerAuth([SECRET], "tls")), false);
});

Deno.test("a replica answers no challenge and takes no response that was not made for this hello", async () => {
  const said = hello(FOUR.greeting());
  const challenge = (await FOUR.challenge(said))!;
  const response = (await FOUR.respond(said, challenge))!;
  assert(await FOUR.verify(said, challenge, response));
  const others: PeerHello[] = [
    hello(said.auth, { from: 3n }),
    hello(said.auth, { to: 1n, from: 2n }),
    hello(said.auth, { clusterId: new Uint8Array(16) }),
    hello(said.auth, { membersDigest: 78n }),
    hello(said.auth, { shardId: 1n }),
    hello(FOUR.greeting()),
    hello(undefined),
  ];
  for (const other of others) {
    assertEquals(await FOUR.respond(other, challenge), undefined);
    assertEquals(await FOUR.verify(other, challenge, response), false);
  }
});

Deno.test("a replica is not convinced by what is cut, changed, recorded or its own", async () => {
  const said = hello(FOUR.greeting());
  const challenge = (await FOUR.challenge(said))!;
  const response = (await FOUR.respond(said, challenge))!;
  for (let at = 0; at < 64; at++) {
    const changed = challenge.with(at, challenge[at]! ^ 0x10);
    assertEquals(await FOUR.respond(said, changed), undefined);
    assertEquals(await FOUR.respond(said, challenge.slice(0, at)), undefined);
    if (at < 32) assertEquals(await FOUR.verify(said, changed, response), false);
  }
  for (let at = 0; at < 32; at++) {
    const changed = response.with(at, response[at]! ^ 0x10);
    assertEquals(await FOUR.verify(said, challenge, changed), false);
    assertEquals(await FOUR.verify(said, challenge, response.slice(0, at)), false);
  }
  const again = (await FOUR.challenge(said))!;
  assertNotEquals(again, challenge);
  assertEquals(await FOUR.verify(said, again, response), false, "recorded");
  assertEquals(await FOUR.verify(said, challenge, challenge.slice(32)), false, "its own");
});

Deno.test("a greeting of another length or key is not challenged", async () => {
  const good = FOUR.greeting();
  for (const auth of [undefined, new Uint8Array(0), good.slice(1), new Uint8Array(40)]) {
    assertEquals(await FOUR.challenge(hello(auth)), undefined);
  }
  assertNotEquals(FOUR.greeting(), good);
});
