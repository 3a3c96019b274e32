// How requests become commands and answers become replies. The node behind is scripted; the connection is real.
import { assertEquals, assertNotEquals } from "@std/assert";
import {
  post,
  refusalOf,
  type Refused,
  withGateway,
  withShortDeadline,
} from "../../tests/support/http.ts";
import { ScriptedNode } from "../../tests/support/scripted_node.ts";
import { nameId } from "../cli/ids.ts";

/** Submits one reserve after another and tells what the node saw of each. */
async function seenOf(bodies: readonly unknown[]): Promise<ScriptedNode["seen"]> {
  const node = new ScriptedNode();
  await withGateway(node, {}, async ({ url }) => {
    for (const body of bodies) {
      const reply = await post(`${url}/v1/reservations`, body);
      assertEquals(reply.status, 201, await reply.text());
    }
  });
  return node.seen;
}

Deno.test("POST /v1/reservations reads an id alike in every spelling", async () => {
  const spellings = [255, "255", "0xff", "0xFF", "00000000-0000-0000-0000-0000000000ff"];
  const seen = await seenOf(
    spellings.map((id) => ({ resource_id: id, holder_id: "alice", ttl_ms: 1 })),
  );
  assertEquals(seen.map(({ subjectId }) => subjectId), spellings.map(() => 255n));
  assertEquals(seen.map(({ holderId }) => holderId), spellings.map(() => nameId("alice")));
});

Deno.test("POST /v1/reservations rounds milliseconds up to slots and takes exactly one ttl", async () => {
  const base = { resource_id: 1, holder_id: 2 };
  const seen = await seenOf([
    { ...base, ttl: "10m" },
    { ...base, ttl_ms: 600_000 },
    { ...base, ttl_ms: "599991" },
    { ...base, ttl_slots: "60000" },
    { ...base, ttl: "60000slots" },
    { ...base, ttl_ms: "18446744073709551615" },
  ]);
  assertEquals(
    seen.map(({ quantity }) => quantity),
    [60_000n, 60_000n, 60_000n, 60_000n, 60_000n, 1_844_674_407_370_955_162n],
  );
  await withGateway(new ScriptedNode(), {}, async ({ url }) => {
    for (const ttls of [{}, { ttl: "1s", ttl_ms: 5 }, { ttl: "10" }, { ttl_ms: -1 }]) {
      const reply = await post(`${url}/v1/reservations`, { ...base, ...ttls });
      assertEquals((await refusalOf(reply)).status, 400);
    }
  });
});

Deno.test("POST /v1/reservations keeps a bundle's order and tells a list of one from one", async () => {
  const claim = { holder_id: 2, ttl_ms: 10 };
  const seen = await seenOf([
    { ...claim, resource_ids: [9, 3, 9] },
    { ...claim, resource_ids: [3] },
    { ...claim, resource_ids: [] },
    { ...claim, resource_id: 3, request_slot: "77" },
  ]);
  assertEquals(seen.map(({ name, members }) => ({ name, members })), [
    { name: "reserve_bundle", members: [9n, 3n, 9n] },
    { name: "reserve_bundle", members: [3n] },
    { name: "reserve_bundle", members: [] },
    { name: "reserve", members: [3n] },
  ]);
  assertEquals(seen.map(({ slot }) => slot), [undefined, undefined, undefined, 77n]);
});

Deno.test("routes on a reservation become its commands", async () => {
  const node = new ScriptedNode();
  await withGateway(node, {}, async ({ url }) => {
    const lsn = "18446744073709551617"; // 1/1: shard 1, lsn 1.
    for (const command of ["confirm", "release", "revoke", "reclaim"]) {
      const holder = command.startsWith("re") && command !== "release"
        ? {}
        : { holder_id: "7", epoch: "2" };
      const reply = await post(`${url}/v1/reservations/${lsn}/${command}`, holder);
      assertEquals(reply.status, 200, await reply.text());
      const spelled = await post(`${url}/v1/reservations/1%2F1/${command}`, holder);
      assertEquals(spelled.status, 200, await spelled.text());
    }
  });
  const names = node.seen.map(({ name }) => name);
  assertEquals(names.filter((_, i) => i % 2 === 0), ["confirm", "release", "revoke", "reclaim"]);
  assertEquals(new Set(node.seen.map(({ subjectId }) => subjectId)), new Set([(1n << 64n) + 1n]));
  assertEquals(node.seen[0]!.quantity, 2n);
});

Deno.test("a write without a key gets a new one each time, and is told which", async () => {
  const node = new ScriptedNode();
  const replies = await withGateway(node, {}, async ({ url }) => {
    const send = async (): Promise<Record<string, string>> =>
      await (await post(`${url}/v1/resources`, { resource_id: 1 })).json();
    return [await send(), await send()];
  });
  assertEquals(
    replies.map((reply) => reply.operation_id),
    node.seen.map((s) => `${s.operationId}`),
  );
  assertNotEquals(node.seen[0]!.operationId, node.seen[1]!.operationId);
  assertEquals(node.seen.map(({ clientId }) => clientId), [0n, 0n]);
});

Deno.test("a write takes its key from headers, from the body, or from both when they agree", async () => {
  const node = new ScriptedNode();
  await withGateway(node, {}, async ({ url }) => {
    const send = async (
      body: Record<string, unknown>,
      headers: Record<string, string>,
    ): Promise<Refused> =>
      await refusalOf(await post(`${url}/v1/resources`, { resource_id: 1, ...body }, headers));
    const uuid = "00000000-0000-0000-0000-00000000000a";
    await send({}, { "Idempotency-Key": uuid, "X-Client-Id": "bob" });
    await send({}, { "idempotency-key": `"${uuid}"`, "x-client-id": '"bob"' });
    await send({ operation_id: 10, client_id: "bob" }, {});
    await send({ operation_id: 10, client_id: "bob" }, { "Idempotency-Key": "0xa" });
    assertEquals(
      node.seen.map(({ operationId, clientId }) => [operationId, clientId]),
      Array(4).fill([10n, nameId("bob")]),
    );
    const refusals = [
      await send({ operation_id: 10 }, { "Idempotency-Key": "11" }),
      await send({ client_id: 1 }, { "X-Client-Id": "2" }),
      await send({}, { "Idempotency-Key": "a, b" }),
      await send({}, { "Idempotency-Key": "caf\u00e9" }),
      await send({}, { "Idempotency-Key": "" }),
      await send({}, { "X-Client-Id": "-1" }),
    ];
    assertEquals(refusals.map(({ at }) => at), [
      ["body.operation_id"],
      ["body.client_id"],
      ["header.Idempotency-Key"],
      ["header.Idempotency-Key"],
      ["header.Idempotency-Key"],
      ["header.X-Client-Id"],
    ]);
    assertEquals(node.seen.length, 4);
  });
});

Deno.test("a reply has numbers as strings, says where the new thing is, and belongs to no other origin", async () => {
  const node = new ScriptedNode();
  await withGateway(node, {}, async ({ url }) => {
    const made = await post(`${url}/v1/reservations`, {
      ...{ resource_id: 1, holder_id: 2, ttl_slots: 5 },
      ...{ operation_id: 3, client_id: 4 },
    });
    assertEquals(await made.json(), {
      ...{ kind: "committed", code: "ok", reservation_id: "1", epoch: "1", deadline_slot: "9017" },
      ...{ applied_lsn: "1", from_retry_cache: false, operation_id: "3", client_id: "4" },
    });
    assertEquals(made.headers.get("location"), "/v1/reservations/1");
    assertEquals(made.headers.get("content-type"), "application/json; charset=utf-8");
    assertEquals(made.headers.get("x-content-type-options"), "nosniff");
    assertEquals(made.headers.get("access-control-allow-origin"), null);
    const created = await post(`${url}/v1/resources`, { resource_id: "seat:1" });
    assertEquals(created.headers.get("location"), `/v1/resources/${nameId("seat:1")}`);
    await created.body?.cancel();
    node.answer = "resource_busy";
    const busy = await post(`${url}/v1/resources`, { resource_id: 1, operation_id: 3 });
    assertEquals(busy.headers.get("content-type"), "application/problem+json; charset=utf-8");
    assertEquals(busy.headers.get("retry-after"), null);
    assertEquals(busy.headers.get("location"), null);
    const { title, ...rest } = await busy.json();
    assertEquals(typeof title, "string");
    assertEquals(rest, {
      ...{ type: "urn:allocdb:resource_busy", status: 409, kind: "committed" },
      ...{ code: "resource_busy", retry: "after_ms", retry_after_ms: 1000, applied_lsn: "3" },
      ...{ from_retry_cache: false, operation_id: "3", client_id: "0" },
    });
  });
});

Deno.test("reads hand their fences on and show ids beyond a float's reach", async () => {
  const node = new ScriptedNode();
  await withGateway(node, {}, async ({ url }) => {
    const get = async (path: string): Promise<unknown> => await (await fetch(url + path)).json();
    await get("/v1/resources/seat%3A1?required_lsn=0x10");
    await get("/v1/resources/seat:1");
    const found = await get("/v1/reservations/0/5?required_lsn=3&current_slot=4").catch(() => null);
    assertEquals((found as { code: string }).code, "unknown_route"); // A slash has to be %2F.
    assertEquals(await get("/v1/reservations/0%2F5?required_lsn=3&current_slot=4"), {
      ...{ kind: "found", reservation_id: `${2n ** 100n}`, holder_id: `${2n ** 128n - 1n}` },
      ...{ state: "reserved", epoch: "1", created_lsn: "3", deadline_slot: `${2n ** 64n - 1n}` },
      ...{ released_lsn: null, retire_after_slot: null, member_resource_ids: ["5", "6"] },
    });
  });
  assertEquals(node.reads, [
    [nameId("seat:1"), 16n],
    [nameId("seat:1"), undefined],
    [5n, 3n, 4n],
  ]);
});

Deno.test("POST /v1/commands answers each command in order, whatever became of the others", async () => {
  const node = new ScriptedNode();
  node.answer = (command) => {
    if (command.subjectId === 2n) return "silence";
    if (command.subjectId !== 3n) return "ok";
    return { category: "definite", code: "overloaded", queueDepth: 1, queueCapacity: 1 };
  };
  const commands = [1, 2, 3, 4].map((id) => ({ command: "create_resource", resource_id: id }));
  const reply = await withShortDeadline(
    (requestTimeoutMs) =>
      withGateway(node, { requestTimeoutMs }, async ({ url }) => {
        const reply = await post(`${url}/v1/commands`, { client_id: 9, commands });
        return { status: reply.status, results: (await reply.json()).results };
      }),
    ({ status }) => status === 408,
  );
  assertEquals(reply.status, 200);
  assertEquals(
    reply.results.map(({ code, retry }: { code: string; retry?: string }) => `${code} ${retry}`),
    ["ok undefined", "deadline_exceeded same_id", "overloaded after_ms", "ok undefined"],
  );
  assertEquals(node.seen.map(({ subjectId, clientId }) => [subjectId, clientId]), [
    ...[[1n, 9n], [2n, 9n], [3n, 9n], [4n, 9n]],
  ]);
});

Deno.test("POST /v1/commands submits nothing when one command is malformed", async () => {
  const node = new ScriptedNode();
  await withGateway(node, {}, async ({ url }) => {
    const good = { command: "revoke", reservation_id: 1 };
    const send = async (body: unknown, headers = {}): Promise<Refused> =>
      await refusalOf(await post(`${url}/v1/commands`, body, headers));
    const wrong = await send({ commands: [good, { ...good, epoch: 1 }, { command: "expire" }] });
    assertEquals(wrong.at, ["body.commands.1.epoch", "body.commands.2.command"]);
    assertEquals((await send({ commands: [] })).at, ["body.commands"]);
    assertEquals((await send({ commands: Array(1_025).fill(good) })).at, ["body.commands"]);
    assertEquals((await send({ commands: Array(1_025).fill(0) })).at, ["body.commands"]);
    assertEquals((await send([good])).at, ["body"]);
    const keyed = await send({ commands: [good] }, { "Idempotency-Key": "1" });
    assertEquals(keyed.at, ["header.Idempotency-Key"]);
  });
  assertEquals(node.seen, []);
});
