// The same server over TLS: who trusts its authority is served, who does not or speaks plainly finds out why, and
// somebody who takes the TLS off on the way cannot pass a proof on.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createAuthority, createCertificate } from "../auth/certificates.ts";
import { formatCredential } from "../auth/credential.ts";
import { AllocDbClient } from "../client/client.ts";
import { type ConnectOptions, TransportError } from "../client/types.ts";
import { WireNode } from "../../tests/support/wire_node.ts";
import type { ServerEvent, ServerOptions } from "./options.ts";
import { type Server, startServer } from "./server.ts";

const NOW = new Date();
const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
const secret = formatCredential({ kind: "secret", secrets: [SECRET] });
const authority = await createAuthority({ commonName: "ca", hosts: [], days: 10, now: NOW });
const other = await createAuthority({ commonName: "ca", hosts: [], days: 10, now: NOW });
const tls = await createCertificate(
  { commonName: "node", hosts: ["127.0.0.1"], days: 10, now: NOW },
  authority,
);
const tlsAuthorities = authority.certificate;

async function withServer(
  options: Partial<ServerOptions>,
  use: (server: Server, address: string, node: WireNode) => Promise<void>,
): Promise<ServerEvent[]> {
  const node = new WireNode();
  const events: ServerEvent[] = [];
  const onEvent = (event: ServerEvent): void => void events.push(event);
  const server = startServer(node, { version: "test", port: 0, onEvent, ...options });
  try {
    await use(server, `127.0.0.1:${server.addr.port}`, node);
  } finally {
    await server.drain(500);
  }
  return events;
}

async function refused(options: ConnectOptions): Promise<string> {
  const connect = (): Promise<unknown> =>
    AllocDbClient.connect({ connectTimeoutMs: 1_000, ...options });
  return (await assertRejects(connect, TransportError)).code;
}

Deno.test("a server serves over TLS what it serves over TCP, with and without a secret", async () => {
  for (const secrets of [undefined, [SECRET]]) {
    await withServer({ tls, secrets }, async (server, address, node) => {
      const proof = secrets === undefined ? {} : { secret };
      await using client = await AllocDbClient.connect({ address, tlsAuthorities, ...proof });
      const ids = Array.from({ length: 3_000 }, (_, i) => BigInt(i));
      const results = await Promise.all(
        ids.map((resourceId) => client.createResource({ resourceId })),
      );
      assert(results.every(({ kind }) => kind === "committed"));
      assertEquals(node.received.length, ids.length);
      assertEquals((await client.getResource(7n)).kind, "found");
      assertEquals(server.traffic().connectionsOpen, 1);
    });
  }
});

Deno.test("a server that stops says goodbye over TLS, too", async () => {
  await withServer({ tls }, async (server, address) => {
    await using client = await AllocDbClient.connect({ address, tlsAuthorities });
    await client.createResource({ resourceId: 1n });
    await server.drain(5_000);
    assertEquals(server.traffic().connectionsOpen, 0);
  });
});

Deno.test("a client that does not know the authority, or does not speak TLS, or alone does, is not taken in", async () => {
  await withServer({ tls }, async (_, address) => {
    const strange = other.certificate;
    assertEquals(await refused({ address, tlsAuthorities: strange }), "unauthenticated");
    const elsewhere = address.replace("127.0.0.1", "localhost");
    assertEquals(await refused({ address: elsewhere, tlsAuthorities }), "unauthenticated");
    assert(["wrong_version", "unreachable"].includes(await refused({ address })));
  });
  await withServer({}, async (_, address) => {
    assertEquals(await refused({ address, tlsAuthorities }), "protocol_error");
  });
});

Deno.test("connections on which no TLS handshake begins keep nobody out, and are gone when they are closed", async () => {
  const bounds = { handshakeDeadlineMs: 30, lingerMs: 10, writeDeadlineMs: 30, maxConnections: 8 };
  await withServer({ tls, ...bounds }, async (server, address) => {
    const { port } = server.addr;
    const silent: Deno.Conn[] = [];
    while (silent.length < 5) silent.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    await using client = await AllocDbClient.connect({ address, tlsAuthorities });
    await new Promise((resolve) => setTimeout(resolve, 60)); // Until their time is up.
    assertEquals((await client.createResource({ resourceId: 1n })).kind, "committed");
    for (const conn of silent) conn.close();
    for (let turn = 0; turn < 2_000 && server.traffic().connectionsOpen > 1; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assertEquals(server.traffic().connectionsOpen, 1);
  });
});

/** Takes TLS from clients and hands on what is in it. */
async function stripping(to: string, use: (address: string) => Promise<void>): Promise<void> {
  const [hostname, port] = to.split(":");
  const { certificate: cert, privateKey: key } = tls;
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const serving = (async () => {
    const inside = await listener.accept();
    const outside = await Deno.connect({ hostname: hostname!, port: Number(port) });
    await Promise.allSettled([
      inside.readable.pipeTo(outside.writable),
      outside.readable.pipeTo(inside.writable),
    ]);
  })();
  await use(`127.0.0.1:${listener.addr.port}`);
  await serving;
}

Deno.test("a proof made over TLS is none for a server that is reached without it", async () => {
  await withServer({ secrets: [SECRET] }, async (_, address) => {
    await stripping(address, async (proxy) => {
      assertEquals(await refused({ address: proxy, tlsAuthorities, secret }), "unauthenticated");
    });
  });
});
