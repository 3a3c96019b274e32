// An isolation that comes and goes, and a port that somebody else has for a moment, must leave clients served in the
// end: a replica that is healed and deaf is worse than one that is isolated.
import { assertEquals } from "@std/assert";
import { AllocDbClient } from "../../node/client/client.ts";
import { ScriptedNode } from "../../tests/support/scripted_node.ts";
import { eventually } from "../../tests/support/replica_room.ts";
import { ClientPort } from "./client_port.ts";

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return (listener.addr as Deno.NetAddr).port;
}

async function isServed(port: number): Promise<boolean> {
  try {
    await using client = await AllocDbClient.connect({
      addresses: [`127.0.0.1:${port}`],
      clientName: "test",
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 1_000,
    });
    return (await client.status()).replicaId > 0n;
  } catch {
    return false;
  }
}

Deno.test("ClientPort ends as the last call said, however fast they come", async () => {
  const port = freePort();
  const clients = new ClientPort(new ScriptedNode(), { hostname: "127.0.0.1", port, version: "x" });
  for (const isolated of [true, false, true, false, true]) clients.setIsolated(isolated);
  await clients.settled();
  assertEquals(await isServed(port), false);
  for (const isolated of [false, true, false]) clients.setIsolated(isolated);
  await clients.settled();
  assertEquals(await isServed(port), true);
  clients.setIsolated(true);
  await clients.drain(0);
  const again = Deno.listen({ hostname: "127.0.0.1", port });
  again.close();
});

Deno.test("ClientPort waits for its port when somebody else has it for a moment", async () => {
  const port = freePort();
  const clients = new ClientPort(new ScriptedNode(), { hostname: "127.0.0.1", port, version: "x" });
  clients.setIsolated(true);
  await clients.settled();
  const real = Deno.listen;
  let refusals = 0;
  Deno.listen = ((options: Deno.TcpListenOptions & { transport?: "tcp" }) => {
    if (options.port === port && refusals++ < 2) throw new Deno.errors.AddrInUse("somebody");
    return real(options);
  }) as typeof Deno.listen;
  try {
    clients.setIsolated(false);
    await eventually("a listener", () => isServed(port));
  } finally {
    Deno.listen = real;
  }
  assertEquals(refusals >= 2, true);
  await clients.drain(0);
});
