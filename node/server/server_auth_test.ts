// A server with a secret serves whoever proves a role, and only what that role may ask. Everybody else is told
// why and shut out, before a single request of theirs is looked at; a client with a key is not taken in either.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { formatCredential } from "../auth/credential.ts";
import { ClientHandshake } from "../auth/handshake.ts";
import { deriveKey, type RoleKey } from "../auth/keys.ts";
import { PERMISSIONS, type Role, ROLES } from "../auth/roles.ts";
import { AllocDbClient } from "../client/client.ts";
import { TransportError } from "../client/types.ts";
import { writeAuthChallenge, writeAuthProof } from "../wire/auth.ts";
import { FRAME_HEADER_BYTES } from "../wire/framing.ts";
import { writeClientHello, writeServerHello } from "../wire/hello.ts";
import { WireWriter } from "../wire/writer.ts";
import { create, hello, message, RawClient } from "../../tests/support/raw_client.ts";
import { idBytes } from "../../tests/support/wire_samples.ts";
import { WireNode } from "../../tests/support/wire_node.ts";
import type { ServerEvent } from "./options.ts";
import { type Server, startServer } from "./server.ts";

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const OTHER = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const SCENE = { channel: "client", transport: "tcp" } as const;

interface Guarded {
  readonly port: number;
  readonly node: WireNode;
  readonly server: Server;
  readonly events: ServerEvent[];
}

async function withSecrets(
  secrets: readonly Uint8Array[] | undefined,
  use: (guarded: Guarded) => Promise<void>,
): Promise<void> {
  const node = new WireNode();
  const events: ServerEvent[] = [];
  const onEvent = (event: ServerEvent): void => void events.push(event);
  const server = startServer(node, { version: "test", port: 0, secrets, onEvent });
  try {
    await use({ port: server.addr.port, node, server, events });
  } finally {
    await server.drain(0);
  }
}

function written(write: (out: WireWriter) => void): Uint8Array {
  const out = new WireWriter();
  write(out);
  return out.bytes.slice(0, out.end);
}

/** Text of a file for one role, or for the whole secret. */
function text(role: Role | "secret", secret: Uint8Array = SECRET): string {
  return formatCredential(
    role === "secret"
      ? { kind: "secret", secrets: [secret] }
      : { kind: "key", role, keys: [deriveKey(secret, role).key] },
  );
}

/** A hello with an offer, and what goes on from there. */
function offering(
  key: RoleKey,
): { readonly bytes: Uint8Array; answer(reply: unknown[]): Uint8Array } {
  const handshake = new ClientHandshake(key, SCENE);
  const bytes = written((out) => {
    const auth = handshake.offer;
    writeClientHello(out, { version: 1, clusterId: undefined, clientName: "raw", auth });
  });
  return {
    bytes,
    answer: ([, clusterId, nonce, proof]) => {
      const challenge = { clusterId, nonce, proof } as Parameters<typeof handshake.answer>[1];
      const answer = handshake.answer(bytes.slice(FRAME_HEADER_BYTES), challenge);
      assert(answer !== undefined, "the server's proof is wrong");
      return written((out) => writeAuthProof(out, answer));
    },
  };
}

async function proved(port: number, role: Role): Promise<RawClient> {
  const client = await RawClient.connect(port);
  const offer = offering(deriveKey(SECRET, role));
  await client.send(offer.bytes);
  await client.send(offer.answer(await client.next() as unknown[]));
  assertEquals((await client.next())?.[0], 10);
  return client;
}

/** One request of every kind. */
const REQUESTS: Readonly<Record<keyof typeof PERMISSIONS.client, readonly unknown[]>> = {
  get_resource: [2, 1n, idBytes(5n), null],
  get_reservation: [3, 1n, idBytes(5n), null, null],
  get_metrics: [4, 1n, null],
  status: [7, 1n],
  submit: [1, 1n, null, [create(1, 1)]],
  tick_expirations: [5, 1n, null],
  checkpoint: [6, 1n],
};

Deno.test("a proved role gets answers to what it may ask and forbidden for the rest, and goes on", async () => {
  await withSecrets([SECRET], async ({ port, node }) => {
    for (const role of ["operator", "client", "reader"] as const) {
      using client = await proved(port, role);
      const before = node.received.length;
      for (const [name, request] of Object.entries(REQUESTS)) {
        const roles: readonly Role[] = PERMISSIONS.client[name as keyof typeof REQUESTS];
        const reply = await client.ask(...request);
        if (roles.includes(role)) assertEquals(reply?.[0], request[0] as number + 10, name);
        else assertEquals(reply?.slice(0, 3), [20, 1n, "forbidden"], `${role} ${name}`);
      }
      const mayWrite = (PERMISSIONS.client.submit as readonly Role[]).includes(role);
      assertEquals(node.received.length - before, mayWrite ? 1 : 0);
    }
  });
});

Deno.test("a forbidden batch is not taken, however large, and nothing of it reaches the node", async () => {
  await withSecrets([SECRET], async ({ port, node, server }) => {
    using client = await proved(port, "reader");
    const commands = Array.from({ length: 100 }, (_, i) => create(i, i));
    const refused = await client.ask(1, 9n, null, commands);
    assertEquals(refused?.slice(0, 3), [20, 9n, "forbidden"]);
    assertEquals((await client.ask(1, 10n, null, []))?.[2], "forbidden");
    assertEquals(server.refusals(), { unauthenticated: 0, forbidden: 2 });
    assertEquals(node.received, []);
  });
});

/** What a server says and does about somebody who ends up outside. */
async function shutOut(guarded: Guarded, ...parts: readonly Uint8Array[]): Promise<unknown[]> {
  const { port, node, events } = guarded;
  events.length = 0;
  using client = await RawClient.connect(port);
  await client.send(...parts);
  const last = (await client.rest()).at(-1);
  assertEquals(node.received, []);
  assertEquals(events.map(({ kind }) => kind), ["connection_failed"]);
  return (last ?? []).slice(0, 3);
}

Deno.test("nobody gets past a server with a secret who does not know it", async () => {
  await withSecrets([SECRET], async (guarded) => {
    const submit = message(...REQUESTS.submit);
    const refused = [20, 0n, "unauthenticated"];
    assertEquals(await shutOut(guarded, hello(), submit), refused);
    assertEquals(
      await shutOut(guarded, offering(deriveKey(OTHER, "client")).bytes, submit),
      refused,
    );
    assertEquals(
      await shutOut(guarded, offering(deriveKey(SECRET, "peer")).bytes, submit),
      refused,
    );
    const known = offering(deriveKey(SECRET, "client")).bytes;
    const nonsense = written((out) => writeAuthProof(out, new Uint8Array(32)));
    assertEquals(await shutOut(guarded, known, nonsense, submit), refused);
    assertEquals(await shutOut(guarded, nonsense), [20, 0n, "unexpected_message"]);
    assertEquals(await shutOut(guarded, known, submit), [20, 0n, "unexpected_message"]);
    assertEquals(await shutOut(guarded, known, known), [20, 0n, "unexpected_message"]);
    const large = message(1, 1n, null, Array.from({ length: 50 }, (_, i) => create(i, i)));
    assertEquals(await shutOut(guarded, known, large), [20, 0n, "frame_too_large"]);
    const { connectionsFailed, requests } = guarded.server.traffic();
    assertEquals([connectionsFailed, requests], [8, 0]);
    assertEquals(guarded.server.refusals(), { unauthenticated: 4, forbidden: 0 });
  });
});

Deno.test("a proof that was heard once opens no other connection", async () => {
  await withSecrets([SECRET], async (guarded) => {
    const offer = offering(deriveKey(SECRET, "operator"));
    using client = await RawClient.connect(guarded.port);
    await client.send(offer.bytes);
    const proof = offer.answer(await client.next() as unknown[]);
    assertEquals(await shutOut(guarded, offer.bytes, proof), [20, 0n, "unauthenticated"]);
    await client.send(proof);
    assertEquals((await client.next())?.[0], 10, "where it belongs it is good");
  });
});

Deno.test("a server without a secret turns away who would prove something, and serves who would not", async () => {
  await withSecrets(undefined, async (guarded) => {
    const offer = offering(deriveKey(SECRET, "client")).bytes;
    assertEquals(await shutOut(guarded, offer), [20, 0n, "unauthenticated"]);
    using client = await RawClient.greeted(guarded.port);
    assertEquals((await client.ask(...REQUESTS.checkpoint))?.[0], 16);
  });
});

Deno.test("a client proves itself with a secret or a key, also while the secret is being replaced", async () => {
  await withSecrets([OTHER, SECRET], async ({ port }) => {
    const address = `127.0.0.1:${port}`;
    for (const secret of [text("secret"), text("operator"), text("secret", OTHER)]) {
      await using client = await AllocDbClient.connect({ address, secret });
      assertEquals((await client.tick()).kind, "applied");
    }
    await using writer = await AllocDbClient.connect({ address, secret: text("client") });
    const made = await writer.createResource({ resourceId: 4n });
    assertEquals(made.kind, "committed");
    const error = await assertRejects(() => writer.checkpoint(), TransportError);
    assertEquals(error.code, "forbidden");
    await using reader = await AllocDbClient.connect({ address, secret: text("reader") });
    assertEquals((await reader.getResource(4n)).kind, "found");
    const denied = await reader.createResource({ resourceId: 5n });
    assert(denied.kind === "rejected" && denied.rejection.code === "not_sent");
    assertEquals(denied.rejection.reason, "forbidden");
  });
});

Deno.test("a client that is not known, or brings nothing, is told that it is about identity", async () => {
  await withSecrets([SECRET], async ({ port }) => {
    const address = `127.0.0.1:${port}`;
    for (const secret of [undefined, text("client", OTHER), text("peer")]) {
      const connect = (): Promise<unknown> => AllocDbClient.connect({ address, secret });
      const error = await assertRejects(connect, TransportError);
      assertEquals(error.code, "unauthenticated");
    }
    await assertRejects(() => AllocDbClient.connect({ address, secret: "hunter2" }), TypeError);
  });
});

/** A server of somebody else: answers each message with the next of these, and notes what it heard. */
async function impostor(
  answers: readonly ((out: WireWriter) => void)[],
  use: (address: string) => Promise<void>,
): Promise<number> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let heard = 0;
  const serving = (async () => {
    using conn = await listener.accept();
    for (const answer of answers) {
      if (await conn.read(new Uint8Array(4_096)).catch(() => null) === null) return;
      heard++;
      await conn.write(written(answer));
    }
    while (await conn.read(new Uint8Array(4_096)).catch(() => null) !== null) heard++;
  })();
  await use(`127.0.0.1:${listener.addr.port}`);
  await serving;
  return heard;
}

Deno.test("a client with a key proves nothing to a server that proves nothing, and asks it nothing", async () => {
  const info = {
    ...{ clusterId: new Uint8Array(16), version: "x", shardId: 0n, slotDurationMs: 10 },
    ...{ maxFrameBytes: 1_000_000, maxCommandBytes: 4_096, maxBatchCommands: 10 },
    ...{ maxBundleSize: 16, maxTtlSlots: 1n, currentSlot: 1n },
  };
  const forged = { clusterId: new Uint8Array(16), nonce: new Uint8Array(32) };
  const impostors: readonly ((out: WireWriter) => void)[] = [
    (out) => writeServerHello(out, info),
    (out) => writeAuthChallenge(out, { ...forged, proof: new Uint8Array(32) }),
  ];
  for (const answer of impostors) {
    const heard = await impostor([answer], async (address) => {
      const connect = (): Promise<unknown> =>
        AllocDbClient.connect({ address, secret: text("client") });
      const error = await assertRejects(connect, TransportError);
      assertEquals(error.code, "unauthenticated");
    });
    assertEquals(heard, 1, "hello, and nothing behind it");
  }
});

Deno.test("every role that a table of the client's port names can be told apart by what it may do", () => {
  const named = new Set(Object.values(PERMISSIONS.client).flat());
  assertEquals(ROLES.filter((role) => !named.has(role as "client")), ["peer"]);
});
