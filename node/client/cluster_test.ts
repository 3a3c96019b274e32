// A client of a cluster finds whoever is primary, loses no write and doubles none, keeps the order it was given
// and comes to an end in time. Tried with servers that look like replicas, of which the test decides who leads,
// who knows it, and who is there.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeCluster } from "../../tests/support/fake_cluster.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import { AllocDbClient } from "./client.ts";
import { type ConnectOptions, type SubmitResult, TransportError } from "./types.ts";

function connect(
  addresses: readonly string[],
  options: Partial<ConnectOptions> = {},
): Promise<AllocDbClient> {
  return AllocDbClient.connect({ addresses, clientId: 5n, ...options });
}

/** Gives the event loop turns until something holds. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !condition(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert(condition(), "what the test waits for did not happen");
}

function gist(result: SubmitResult): string {
  if (result.kind === "committed") return result.code;
  const { kind } = result;
  return kind === "rejected" ? `rejected ${result.rejection.code}` : `unknown ${result.reason}`;
}

/** The positions at which writes were applied; -1 for those that were not. */
function lsns(results: readonly SubmitResult[]): number[] {
  return results.map((result) => result.kind === "committed" ? Number(result.appliedLsn) : -1);
}

Deno.test("one replica's address is enough: writes and reads go to the primary that its hello names", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(3n);
  await using client = await connect([cluster.at(1n).address]);
  assertEquals(client.server.cluster?.primary, 3n);
  assertEquals(gist(await client.createResource({ resourceId: 1n })), "ok");
  assertEquals(client.server.address, cluster.at(3n).address);
  assertEquals((await client.getResource(1n)).kind, "found");
  const tick = await client.tick();
  assertEquals(tick.kind === "applied" && tick.processedCount, 3);
  assertEquals(cluster.replicas.map(({ submitted, asked }) => [submitted, asked]), [
    ...[[0, 0], [0, 0], [1, 1]],
  ]);
});

Deno.test("what every replica can answer is asked of the one that was named, and moves nobody", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(3n);
  await using client = await connect([cluster.at(2n).address]);
  assertEquals((await client.status()).replicaId, 2n);
  await client.metrics();
  await client.checkpoint();
  assertEquals(client.server.address, cluster.at(2n).address);
  assertEquals(cluster.at(3n).server.traffic().connectionsAccepted, 0);
});

Deno.test("a read that meets a former primary follows what it says to the new one", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(1n);
  await using client = await connect([cluster.at(1n).address]);
  assertEquals(await client.getResource(7n), { kind: "not_found", observedLsn: 0n });
  cluster.elect(2n);
  assertEquals(await client.getResource(7n), { kind: "not_found", observedLsn: 0n });
  cluster.elect(3n);
  assertEquals((await client.getReservation(7n)).kind, "not_found");
  cluster.elect(1n);
  assertEquals((await client.tick()).kind, "applied");
  assertEquals(cluster.replicas.map(({ asked }) => asked), [2, 2, 1]);
});

Deno.test("writes that a primary loses with its view go to the next one, once each and in order", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(1n);
  await using client = await connect(cluster.addresses, { submitWindow: 2 });
  const old = cluster.at(1n);
  old.holds = true;
  const calls: Promise<SubmitResult>[] = [];
  for (let i = 0; i < 30; i++) {
    calls.push(client.createResource({ resourceId: BigInt(i) }));
    if (i === 9 || i === 19) await until(() => old.heldCount === i + 1);
  }
  cluster.depose(); // What is held comes back as view_changed; what is sent later as not_primary.
  calls.push(client.createResource({ resourceId: 30n }));
  await until(() => old.submitted > 20);
  cluster.elect(2n);
  const results = await Promise.all(calls);
  assertEquals(lsns(results), calls.map((_, i) => i + 1));
  assertEquals(client.server.address, cluster.at(2n).address);
});

Deno.test("while nobody is known to be primary one command at a time asks, and the rest follow its success", async () => {
  await using cluster = new FakeCluster();
  cluster.depose();
  await using client = await connect([cluster.at(1n).address]);
  const commands = Array.from({ length: 500 }, (_, i) => ({
    ...{ kind: "create_resource", resourceId: BigInt(i) } as const,
  }));
  const results = client.submitMany(commands);
  const submitted = (): number => cluster.replicas.reduce((sum, each) => sum + each.submitted, 0);
  await until(() => submitted() >= 4);
  assert(submitted() < 50, `${submitted()} commands were sent in vain`);
  const before = submitted();
  cluster.elect(2n);
  assertEquals(lsns(await results), commands.map((_, i) => i + 1));
  assert(submitted() - before < 510);
});

Deno.test("a primary that dies with writes on it: they are applied once by the next, found by silence or by luck", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(1n);
  await using client = await connect(cluster.addresses);
  const old = cluster.at(1n);
  old.holds = true;
  const calls = Array.from(
    { length: 20 },
    (_, i) => client.createResource({ resourceId: BigInt(i) }),
  );
  await until(() => old.heldCount === 20);
  old.commitHeld(); // A majority has them, and the answers are lost with the primary.
  const replied = old.kill();
  await replied;
  cluster.elect(3n, [2n, 3n]);
  const results = await Promise.all(calls);
  assertEquals(lsns(results), calls.map((_, i) => i + 1));
  assertEquals(gist(await client.createResource({ resourceId: 99n })), "ok");
  assertEquals(client.server.address, cluster.at(3n).address);
});

Deno.test("a primary that falls silent is left for the next one, with what it has not answered", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(1n);
  await using client = await connect(cluster.addresses, { silenceTimeoutMs: 80 });
  cluster.at(1n).holds = true;
  const call = client.createResource({ resourceId: 1n });
  await until(() => cluster.at(1n).heldCount === 1);
  cluster.elect(2n, [2n, 3n]); // The old one believes in itself, and cannot commit.
  assertEquals(gist(await call), "ok");
  assertEquals(client.server.address, cluster.at(2n).address);
  cluster.at(1n).loseView();
  await until(() => cluster.at(1n).server.traffic().connectionsOpen === 0);
  assertEquals(cluster.model.received.length, 1);
});

Deno.test("a primary that falls silent is left as soon as another replica knows its successor", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(1n);
  await using client = await connect(cluster.addresses, { silenceTimeoutMs: 600_000 });
  cluster.at(1n).holds = true;
  const call = client.createResource({ resourceId: 1n });
  await until(() => cluster.at(1n).heldCount === 1);
  cluster.elect(2n, [3n]);
  assertEquals(gist(await call), "ok");
  assertEquals(client.server.address, cluster.at(2n).address);
  assertEquals([cluster.at(1n).submitted, cluster.at(2n).submitted, cluster.at(3n).submitted], [
    1,
    1,
    0,
  ]);
  cluster.at(1n).loseView();
});

Deno.test("a replica that has stopped itself is left for another one when there is one", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(1n);
  await using client = await connect(cluster.addresses);
  cluster.at(1n).illness = { category: "indefinite", code: "storage_failure" };
  const call = client.createResource({ resourceId: 1n });
  await until(() => cluster.at(1n).submitted > 0);
  cluster.elect(2n, [2n, 3n]);
  assertEquals(gist(await call), "ok");
  cluster.elect(1n);
  cluster.at(1n).illness = { category: "indefinite", code: "engine_halted" };
  const read = client.getResource(1n);
  await until(() => cluster.at(1n).asked > 0);
  cluster.elect(3n, [2n, 3n]);
  assertEquals((await read).kind, "found");
});

Deno.test("without a primary every call ends at its deadline and says what is known", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(1n);
  await using client = await connect(cluster.addresses, { requestTimeoutMs: 400 });
  cluster.at(1n).holds = true;
  const doubtful = client.createResource({ resourceId: 1n });
  await until(() => cluster.at(1n).heldCount === 1);
  cluster.depose();
  const definite = client.createResource({ resourceId: 2n });
  const read = assertRejects(() => client.getResource(1n), TransportError);
  const tick = assertRejects(() => client.tick(), TransportError);
  const ends = [doubtful, definite].map(async (each) => gist(await each));
  assertEquals(await Promise.all(ends), ["unknown no_primary", "rejected not_primary"]);
  assertEquals([(await read).code, (await tick).code], ["no_primary", "no_primary"]);
  const submitted = cluster.replicas.reduce((sum, each) => sum + each.submitted, 0);
  assert(submitted < 80, `${submitted} attempts in 400 ms`);
  const client2 = await connect([cluster.at(3n).address]);
  assertEquals((await client2.status()).replicaId, 3n, "whoever only looks is served");
  await client2.close();
});

Deno.test("replicas that send a client to and fro do not get it to hurry", async () => {
  await using cluster = new FakeCluster(2);
  cluster.at(1n).belief = { view: 7n, primary: 2n };
  cluster.at(2n).belief = { view: 7n, primary: 1n };
  await using client = await connect(cluster.addresses, { requestTimeoutMs: 5_000 });
  const call = client.createResource({ resourceId: 1n });
  await until(() => cluster.replicas.every(({ submitted }) => submitted > 0));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const accepted = cluster.replicas.map(({ server }) => server.traffic().connectionsAccepted);
  assert(accepted[0]! + accepted[1]! < 60, `${accepted} connections in 300 ms`);
  cluster.primary = 2n; // Which it becomes without anybody noticing.
  assertEquals(gist(await call), "ok");
});

Deno.test("a server that accepts and says nothing does not keep a client from the others", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(2n);
  using deaf = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of deaf) accepted.push(conn);
  })();
  const address = `127.0.0.1:${(deaf.addr as Deno.NetAddr).port}`;
  const client = await connect([address, cluster.at(1n).address], { connectTimeoutMs: 600_000 });
  assertEquals(gist(await client.createResource({ resourceId: 1n })), "ok");
  assertEquals(accepted.length, 1);
  assertEquals(await accepted[0]!.read(new Uint8Array(1_000)) !== null, true, "hello");
  assertEquals(await accepted[0]!.read(new Uint8Array(1)), null, "and the end of it");
  accepted[0]!.close();
  deaf.close();
  await client.close();
  await accepting;
});

Deno.test("the client is still there when every replica has been away, each at its own address", async () => {
  await using cluster = new FakeCluster();
  cluster.elect(1n);
  await using client = await connect([cluster.at(2n).address]);
  assertEquals(gist(await client.createResource({ resourceId: 1n })), "ok");
  await Promise.all(cluster.replicas.map((replica) => replica.kill()));
  const call = client.createResource({ resourceId: 2n });
  await new Promise((resolve) => setTimeout(resolve, 50));
  cluster.at(3n).start(); // Neither the seed nor the last one that was primary.
  cluster.elect(3n, [3n]);
  assertEquals(gist(await call), "ok");
  assertEquals(client.server.address, cluster.at(3n).address);
});

Deno.test("however the view changes, every write is applied once and answered with its own result", async () => {
  for (const seed of [1, 2, 3, 4]) {
    const draws = new SeededRandom(seed);
    const random = (): number => draws.below(1_000) / 1_000;
    await using cluster = new FakeCluster();
    cluster.elect(1n);
    await using client = await connect(cluster.addresses, { silenceTimeoutMs: 60 });
    const calls: Promise<SubmitResult>[] = [];
    let isOver = false;
    const trouble = (async () => {
      while (!isOver) {
        await new Promise((resolve) => setTimeout(resolve, 5 + random() * 20));
        await disturb(cluster, random);
      }
      for (const replica of cluster.replicas) replica.holds = false;
      cluster.elect(2n);
    })();
    for (let i = 0; i < 300; i++) {
      calls.push(client.createResource({ resourceId: BigInt(i), operationId: BigInt(i + 1) }));
      if (random() < 0.2) await new Promise((resolve) => setTimeout(resolve, random() * 5));
    }
    isOver = true;
    await trouble;
    const results = await Promise.all(calls);
    assertEquals(results.map(gist), results.map(() => "ok"), `seed ${seed}`);
    assertEquals(results.map(({ operationId }) => operationId), calls.map((_, i) => BigInt(i + 1)));
    assertEquals(lsns(results).sort((a, b) => a - b), calls.map((_, i) => i + 1), `seed ${seed}`);
  }
});

/** One thing that happens to clusters. */
async function disturb(cluster: FakeCluster, random: () => number): Promise<void> {
  const victim = cluster.at(BigInt(1 + Math.floor(random() * 3)));
  const dice = random();
  if (dice < 0.25) cluster.depose();
  else if (dice < 0.5) cluster.elect(victim.replicaId);
  else if (dice < 0.6) cluster.elect(victim.replicaId, [victim.replicaId]);
  else if (dice < 0.75) victim.holds = !victim.holds;
  else if (dice < 0.85) victim.commitHeld();
  else {
    await victim.kill();
    victim.start();
  }
}
