// Whoever does not know the key does not get in, whatever he has heard, and a server that does not know it is
// found out. Keys and proofs are held against WebCrypto's; one conversation is compared with recorded bytes.
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AssertionFailure } from "../../core/assert.ts";
import { assertGolden } from "../../tests/support/golden.ts";
import {
  type AuthChallenge,
  type AuthFault,
  type AuthOffer,
  ClientHandshake,
  type FillRandom,
  type Scene,
  ServerHandshake,
} from "./handshake.ts";
import { deriveKey, KeyRing, type RoleKey } from "./keys.ts";
import { CHANNELS, permissionsOf, type Role, ROLES } from "./roles.ts";

const utf8 = new TextEncoder();
const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const OTHER_SECRET = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const CLUSTER = Uint8Array.from({ length: 16 }, (_, i) => i);
const SCENE: Scene = { channel: "client", transport: "tcp" };

/** Fills with `first`, `first + 1`, … so that a conversation can be repeated. */
function counting(first: number): FillRandom {
  return (bytes) => bytes.forEach((_, i) => bytes[i] = first + i);
}

/** What a man in the middle may change. What is absent goes through as it is. */
interface Meddling {
  readonly offer?: (offer: AuthOffer) => AuthOffer;
  readonly hello?: (sent: Uint8Array) => Uint8Array;
  readonly challenge?: (challenge: AuthChallenge) => AuthChallenge;
  readonly proof?: (proof: Uint8Array) => Uint8Array;
}

interface Talk {
  readonly clientScene?: Scene;
  readonly serverScene?: Scene;
  readonly key?: RoleKey;
  readonly secrets?: readonly Uint8Array[];
  readonly clusterId?: Uint8Array;
  readonly meddling?: Meddling;
  readonly client?: FillRandom;
  readonly server?: FillRandom;
}

type Fault = AuthFault | "server_not_believed";

interface Talked {
  /** What the server believes the client to be. */
  readonly role?: Role;
  readonly fault?: Fault;
  readonly hello?: Uint8Array;
  readonly offer?: AuthOffer;
  readonly challenge?: AuthChallenge;
  readonly proof?: Uint8Array;
}

function helloBytes(offer: AuthOffer): Uint8Array {
  return Uint8Array.from([...utf8.encode(`hello ${offer.role}`), ...offer.keyId, ...offer.nonce]);
}

const same = <T>(value: T): T => value;

/** A whole handshake, with somebody in the middle. */
function talk(options: Talk): Talked {
  const { meddling = {}, clusterId = CLUSTER, secrets = [SECRET] } = options;
  const { key = deriveKey(SECRET, "client"), clientScene = SCENE, serverScene = SCENE } = options;
  const client = new ClientHandshake(key, clientScene, options.client);
  const server = new ServerHandshake(new KeyRing(secrets), serverScene, options.server);
  const offer = (meddling.offer ?? same)(client.offer);
  const heard = (meddling.hello ?? same)(helloBytes(offer));
  const challenge = server.challenge(offer, heard, clusterId);
  if (typeof challenge === "string") return { fault: challenge };
  const hello = helloBytes(client.offer);
  const proof = client.answer(hello, (meddling.challenge ?? same)(challenge));
  if (proof === undefined) return { fault: "server_not_believed" };
  const verdict = server.verify((meddling.proof ?? same)(proof));
  if (typeof verdict === "string") return { fault: verdict };
  return { role: verdict.role, hello, offer, challenge, proof };
}

/** Everything a talk has that went well. */
function talkWell(options: Talk): Required<Omit<Talked, "fault">> {
  const talked = talk(options);
  assertEquals(talked.fault, undefined);
  return talked as Required<Omit<Talked, "fault">>;
}

Deno.test("both sides are convinced when both know the key, for every role on every channel that serves it", () => {
  for (const channel of CHANNELS) {
    for (const role of ROLES) {
      for (const transport of ["tcp", "tls"] as const) {
        const scene = { channel, transport };
        const key = deriveKey(SECRET, role);
        const talked = talk({ key, clientScene: scene, serverScene: scene });
        const isServed = permissionsOf(channel, role).size > 0;
        const { role: proved, fault } = talked;
        assertEquals(
          [proved, fault],
          isServed ? [role, undefined] : [undefined, "role_not_served"],
        );
      }
    }
  }
});

Deno.test("a server takes the old and the new key while both secrets are in its file, and no third one", () => {
  for (const secret of [SECRET, OTHER_SECRET]) {
    const key = deriveKey(secret, "reader");
    assertEquals(talkWell({ key, secrets: [OTHER_SECRET, SECRET] }).role, "reader");
  }
  assertEquals(talk({ secrets: [OTHER_SECRET] }).fault, "unknown_key");
});

function flip(at: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => bytes.with(at % bytes.length, bytes[at % bytes.length]! ^ (1 << (at & 7)));
}

/** Every way of changing one thing, `at` some place, and who finds out. */
const MEDDLINGS: readonly [Fault, (at: number) => Meddling][] = [
  ["server_not_believed", (at) => ({ offer: (it) => ({ ...it, nonce: flip(at)(it.nonce) }) })],
  ["unknown_key", (at) => ({ offer: (it) => ({ ...it, keyId: flip(at)(it.keyId) }) })],
  ["unknown_key", () => ({ offer: (it) => ({ ...it, role: "operator" }) })],
  ["role_not_served", () => ({ offer: (it) => ({ ...it, role: "peer" }) })],
  ["server_not_believed", (at) => ({ hello: flip(at) })],
  ["server_not_believed", (at) => ({ hello: (bytes) => bytes.slice(0, at) })],
  ["server_not_believed", (at) => ({ challenge: (it) => ({ ...it, nonce: flip(at)(it.nonce) }) })],
  [
    "server_not_believed",
    (at) => ({ challenge: (it) => ({ ...it, clusterId: flip(at)(it.clusterId) }) }),
  ],
  ["server_not_believed", (at) => ({ challenge: (it) => ({ ...it, proof: flip(at)(it.proof) }) })],
  [
    "server_not_believed",
    (at) => ({ challenge: (it) => ({ ...it, proof: it.proof.slice(0, at) }) }),
  ],
  ["wrong_proof", (at) => ({ proof: flip(at) })],
  ["wrong_proof", (at) => ({ proof: (proof) => proof.slice(0, at) })],
  ["wrong_proof", () => ({ proof: (proof) => Uint8Array.from([...proof, 0]) })],
];

Deno.test("a handshake ends without belief when anything that was said was changed on the way", () => {
  fc.assert(
    fc.property(fc.nat(31), fc.constantFrom(...MEDDLINGS), (at, [fault, meddle]) => {
      assertEquals(talk({ meddling: meddle(at) }), { fault });
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("a proof for one listener, transport or cluster is none for another", () => {
  const key = deriveKey(SECRET, "operator");
  const clientScene: Scene = { channel: "control", transport: "tcp" };
  const control: Scene = { channel: "control", transport: "tls" };
  for (const serverScene of [SCENE, control]) {
    assertEquals(talk({ key, clientScene, serverScene }).fault, "server_not_believed");
  }
  const meddling: Meddling = { challenge: (it) => ({ ...it, clusterId: CLUSTER }) };
  const clusterId = CLUSTER.with(0, 9);
  assertEquals(talk({ clusterId, meddling }).fault, "server_not_believed");
});

Deno.test("a client tells a server that does not know the key nothing", () => {
  const client = new ClientHandshake(deriveKey(SECRET, "client"), SCENE);
  const forged = { clusterId: CLUSTER, nonce: new Uint8Array(32), proof: new Uint8Array(32) };
  assertEquals(client.answer(helloBytes(client.offer), forged), undefined);
});

Deno.test("a recorded conversation opens no second connection, and convinces no second client", () => {
  const key = deriveKey(SECRET, "client");
  const recorded = talkWell({ key });
  const server = new ServerHandshake(new KeyRing([SECRET]), SCENE);
  server.challenge(recorded.offer, recorded.hello, CLUSTER);
  assertEquals(server.verify(recorded.proof), "wrong_proof");
  const client = new ClientHandshake(key, SCENE);
  assertEquals(client.answer(helloBytes(client.offer), recorded.challenge), undefined);
});

Deno.test("a side's own words sent back to it prove nothing", () => {
  // Same nonces on both sides, so that only the direction tells the proofs apart.
  const { offer, hello, challenge, proof } = talkWell({ client: counting(5), server: counting(5) });
  const server = new ServerHandshake(new KeyRing([SECRET]), SCENE, counting(5));
  assertEquals(server.challenge(offer, hello, CLUSTER), challenge);
  assertEquals(server.verify(challenge.proof), "wrong_proof");
  const client = new ClientHandshake(deriveKey(SECRET, "client"), SCENE, counting(5));
  assertEquals(client.answer(hello, { ...challenge, proof }), undefined);
});

Deno.test("a server grants one try per connection, and none before it has asked", () => {
  const client = new ClientHandshake(deriveKey(SECRET, "client"), SCENE);
  const server = new ServerHandshake(new KeyRing([SECRET]), SCENE);
  const hello = helloBytes(client.offer);
  assertEquals(server.verify(new Uint8Array(32)), "wrong_proof");
  const challenge = server.challenge(client.offer, hello, CLUSTER) as AuthChallenge;
  const proof = client.answer(hello, challenge)!;
  assertEquals(server.verify(proof.with(0, proof[0]! ^ 1)), "wrong_proof");
  assertEquals(server.verify(proof), "wrong_proof");
});

Deno.test("auth/one-challenge-per-connection and auth/one-proof-per-connection fail when broken", () => {
  const client = new ClientHandshake(deriveKey(SECRET, "client"), SCENE);
  const server = new ServerHandshake(new KeyRing([SECRET]), SCENE);
  const hello = helloBytes(client.offer);
  const ask = (): AuthChallenge => server.challenge(client.offer, hello, CLUSTER) as AuthChallenge;
  const challenge = ask();
  assertThrows(ask, AssertionFailure, "auth/one-challenge-per-connection");
  const answer = (): unknown => client.answer(hello, challenge);
  answer();
  assertThrows(answer, AssertionFailure, "auth/one-proof-per-connection");
});

Deno.test("nonces differ from connection to connection", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const client = new ClientHandshake(deriveKey(SECRET, "client"), SCENE);
    const server = new ServerHandshake(new KeyRing([SECRET]), SCENE);
    const hello = helloBytes(client.offer);
    const challenge = server.challenge(client.offer, hello, CLUSTER) as AuthChallenge;
    seen.add(client.offer.nonce.join()).add(challenge.nonce.join());
  }
  assertEquals(seen.size, 200);
});

/** HKDF and HMAC as another implementation does them. */
async function otherKey(secret: Uint8Array<ArrayBuffer>, role: Role): Promise<Uint8Array> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: utf8.encode("allocdb-secret-v1"),
      info: utf8.encode(`allocdb-role-v1 ${role}`),
    },
    base,
    256,
  );
  return new Uint8Array(bits);
}

async function otherHmac(key: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", Uint8Array.from(key), algorithm, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, Uint8Array.from(message)));
}

Deno.test("keys, names of keys and proofs are what docs/security.md says, by another implementation", async () => {
  for (const role of ROLES) {
    const { key, id } = deriveKey(SECRET, role);
    assertEquals(key, await otherKey(SECRET, role));
    assertEquals(id, (await otherHmac(key, utf8.encode("allocdb-key-id-v1"))).slice(0, 8));
  }
  const { key } = deriveKey(SECRET, "client");
  const { hello, offer, challenge, proof } = talkWell({});
  const hash = await crypto.subtle.digest("SHA-256", Uint8Array.from(hello));
  const message = (prover: string): Uint8Array =>
    Uint8Array.from([
      ...utf8.encode(`allocdb-auth-v1\0${prover}\0client\0tcp\0client\0`),
      ...challenge.nonce,
      ...offer.nonce,
      ...CLUSTER,
      ...new Uint8Array(hash),
    ]);
  assertEquals(challenge.proof, await otherHmac(key, message("server")));
  assertEquals(proof, await otherHmac(key, message("client")));
});

Deno.test("keys, names of keys and proofs of a fixed conversation are the recorded ones", () => {
  const { challenge, proof } = talkWell({ client: counting(1), server: counting(101) });
  const keys = ROLES.map((role) => deriveKey(SECRET, role));
  const bytes = [...keys.flatMap(({ key, id }) => [...key, ...id]), ...challenge.proof, ...proof];
  assertGolden("auth_v1", Uint8Array.from(bytes));
});
