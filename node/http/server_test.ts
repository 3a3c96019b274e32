// What a stranger with an HTTP client sees: how requests become commands, how answers become replies, and
// what is refused. The node behind is scripted; the connection is real.
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { post, sendRaw, withGateway } from "../../tests/support/http.ts";
import { ScriptedNode } from "../../tests/support/scripted_node.ts";
import { nameId } from "../cli/ids.ts";
import { JSON_DEPTH_MAX } from "./json_text.ts";

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

interface Refused {
  readonly status: number;
  readonly code: string;
  readonly at: readonly string[];
}

/** What a refusal says, without its words. */
async function refusalOf(reply: Response): Promise<Refused> {
  const body = await reply.json();
  const errors = (body.errors ?? []) as readonly { at: string }[];
  return { status: reply.status, code: body.code, at: errors.map(({ at }) => at) };
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
  await withGateway(node, { requestTimeoutMs: 20 }, async ({ url }) => {
    const commands = [1, 2, 3, 4].map((id) => ({ command: "create_resource", resource_id: id }));
    const reply = await post(`${url}/v1/commands`, { client_id: 9, commands });
    const { results } = await reply.json();
    assertEquals(reply.status, 200);
    assertEquals(
      results.map(({ code, retry }: { code: string; retry?: string }) => [code, retry]),
      [["ok", undefined], ["deadline_exceeded", "same_id"], ["overloaded", "after_ms"], [
        "ok",
        undefined,
      ]],
    );
  });
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

Deno.test("bodies that two readers could understand differently are refused", async () => {
  const node = new ScriptedNode();
  await withGateway(node, {}, async ({ url }) => {
    const bodies: readonly (string | Uint8Array)[] = [
      '{"resource_id":1,"resource_id":2}',
      '{"resource_id":1}{}',
      '{"resource_id":1,"__proto__":{}}',
      '{"resource_id":9007199254740993}',
      '{"resource_id":1.5}',
      '{"resource_id":-1}',
      '{"resource_id":null}',
      '{"resource_id":true}',
      '{"resource_id":[1]}',
      '{"resource_id":"340282366920938463463374607431768211456"}',
      '{"resource_id":""}',
      '{"resource_id":"1 "}',
      `{"resource_id":"${"x".repeat(2_000)}"}`,
      "[".repeat(JSON_DEPTH_MAX + 1),
      "{",
      "null",
      "[]",
      "\ufeff{}",
      Uint8Array.of(0x7b, 0xff, 0x7d),
    ];
    for (const body of bodies) {
      const headers = { "content-type": "application/json" };
      const reply = await fetch(`${url}/v1/resources`, { method: "POST", headers, body });
      const refused = await refusalOf(reply);
      assertEquals([refused.status, refused.code], [400, "invalid_request"], String(body));
    }
  });
  assertEquals(node.seen, []);
});

Deno.test("paths, methods, queries and types that are not a route's are told apart", async () => {
  await withGateway(new ScriptedNode(), {}, async ({ url }) => {
    const ask = async (method: string, path: string, type?: string): Promise<string> => {
      const headers = type === undefined ? {} : { "content-type": type };
      const body = type === undefined ? null : "{}";
      const reply = await fetch(url + path, { method, headers, body });
      const text = await reply.text();
      const code = text === "" ? "" : ` ${JSON.parse(text).code}`;
      return `${reply.status}${code} ${reply.headers.get("allow") ?? ""}`.trim();
    };
    assertEquals(await ask("GET", "/v2/resources/1"), "404 unknown_route");
    assertEquals(await ask("GET", "/v1/resources/1/"), "404 unknown_route");
    assertEquals(await ask("GET", "/v1/resources/"), "404 unknown_route");
    assertEquals(await ask("GET", "/V1/status"), "404 unknown_route");
    assertEquals(await ask("PUT", "/v1/resources/1"), "405 method_not_allowed GET, HEAD");
    assertEquals(await ask("OPTIONS", "/v1/checkpoint"), "405 method_not_allowed POST");
    assertEquals(await ask("GET", "/v1/resources"), "405 method_not_allowed POST");
    assertEquals(await ask("HEAD", "/healthz"), "200");
    assertEquals(await ask("GET", "/v1/resources/%ff"), "400 invalid_request");
    assertEquals(
      await ask("GET", "/v1/resources/1?required_lsn=1&required_lsn=1"),
      "400 invalid_request",
    );
    assertEquals(await ask("GET", "/v1/resources/1?required_lsn=-1"), "400 invalid_request");
    assertEquals(await ask("GET", "/v1/resources/1?Required_lsn=1"), "400 invalid_request");
    assertEquals(await ask("POST", "/v1/checkpoint?x=1"), "400 invalid_request");
    assertEquals(await ask("POST", "/v1/checkpoint"), "200 undefined");
    assertEquals(await ask("POST", "/v1/checkpoint", "text/json"), "415 unsupported_media_type");
    assertEquals(
      await ask("POST", "/v1/checkpoint", "application/json; charset=latin1"),
      "415 unsupported_media_type",
    );
    assertEquals(
      await ask("POST", "/v1/checkpoint", 'Application/JSON; Charset="UTF-8"'),
      "200 undefined",
    );
  });
});

Deno.test("a body that is too long is refused, announced or not", async () => {
  await withGateway(new ScriptedNode(), { maxBodyBytes: 64 }, async ({ url, gateway }) => {
    const announced = await post(`${url}/v1/checkpoint`, " ".repeat(65));
    assertEquals((await refusalOf(announced)).status, 413);
    const head =
      "POST /v1/checkpoint HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    const chunk = `40\r\n${" ".repeat(64)}\r\n`;
    const chunked = `${head}transfer-encoding: chunked\r\n\r\n${chunk}${chunk}`;
    assertEquals((await sendRaw(gateway.addr.port, chunked))?.status, 413);
    const fits = `${head}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`;
    assertEquals((await sendRaw(gateway.addr.port, fits))?.status, 200);
  });
});

Deno.test("a loopback gateway answers to loopback's names and to writes from no other origin", async () => {
  const node = new ScriptedNode();
  const options = { allowedHosts: ["db.internal"] };
  await withGateway(node, options, async ({ gateway }) => {
    const status = async (host: string, origin?: string): Promise<number | undefined> => {
      const lines = origin === undefined ? "" : `origin: ${origin}\r\n`;
      const request = `POST /v1/checkpoint HTTP/1.1\r\nhost: ${host}\r\n${lines}\r\n`;
      return (await sendRaw(gateway.addr.port, request))?.status;
    };
    const hosts = ["localhost", "127.0.0.1:99", "[::1]", "db.internal:1", "evil.example", "a b"]
      .concat("localhost\r\nhost: evil.example");
    assertEquals(await Promise.all(hosts.map((host) => status(host))), [
      ...[200, 200, 200, 200, 421, 400, 400],
    ]);
    const origins = ["http://localhost", "http://localhost:81", "http://evil.example", "null"];
    assertEquals(
      await Promise.all(origins.map((origin) => status("localhost", origin))),
      [200, 403, 403, 403],
    );
  });
});

Deno.test("a connection goes on after a refusal", async () => {
  await withGateway(new ScriptedNode(), {}, async ({ gateway }) => {
    const get = (path: string, last: string): string =>
      `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${last}\r\n`;
    const two = get("/nope", "") + get("/healthz", "connection: close\r\n");
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: gateway.addr.port });
    await connection.write(new TextEncoder().encode(two));
    const seen = await new Response(connection.readable).text();
    assertEquals([...seen.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), [
      "404",
      "200",
    ]);
  });
});

Deno.test("an answer that comes after its deadline goes nowhere and harms nobody", async () => {
  const node = new ScriptedNode();
  const late = Promise.withResolvers<() => void>();
  const submit = node.submit.bind(node);
  node.submit = (...args) => {
    late.resolve(() => submit(...args));
  };
  await withGateway(node, { requestTimeoutMs: 10 }, async ({ url, bugs }) => {
    const reply = await post(`${url}/v1/resources`, { resource_id: 1, operation_id: 8 });
    const { code, category, retry, operation_id } = await reply.json();
    assertEquals(
      { status: reply.status, code, category, retry, operation_id },
      {
        ...{ status: 503, code: "deadline_exceeded", category: "indefinite" },
        ...{ retry: "same_id", operation_id: "8" },
      },
    );
    (await late.promise)();
    node.submit = submit;
    const next = await post(`${url}/v1/resources`, { resource_id: 1 });
    assertEquals(next.status, 201, await next.text());
    assertEquals(bugs, []);
  });
});

Deno.test("a node that answers a write twice is a bug: http/one-answer-per-write", async () => {
  const node = new ScriptedNode();
  node.submit = (_view, _at, _end, _slot, sink, token) => {
    sink.rejected(token, { category: "definite", code: "shutting_down" });
    sink.rejected(token, { category: "definite", code: "shutting_down" });
  };
  await withGateway(node, {}, async ({ url, bugs }) => {
    const reply = await post(`${url}/v1/resources`, { resource_id: 1 });
    await reply.body?.cancel();
    assertEquals(bugs.map(String), [
      "AssertionFailure: Invariant violated: http/one-answer-per-write",
    ]);
  });
});

Deno.test("the gateway takes no more than its bound at once, but answers probes", async () => {
  const node = new ScriptedNode();
  const waiting: (() => void)[] = [];
  const both = Promise.withResolvers<void>();
  node.checkpoint = (done) => {
    waiting.push(() => done({ kind: "already_running" }));
    if (waiting.length === 2) both.resolve();
  };
  await withGateway(node, { maxInFlight: 2 }, async ({ url }) => {
    const held = [post(`${url}/v1/checkpoint`, {}), post(`${url}/v1/checkpoint`, {})];
    await both.promise;
    const third = await fetch(`${url}/v1/status`);
    assertEquals([third.status, third.headers.get("retry-after")], [429, "1"]);
    const { in_flight, max_in_flight } = await third.json();
    assertEquals([in_flight, max_in_flight], [2, 2]);
    const probe = await fetch(`${url}/readyz`);
    assertEquals(probe.status, 200, await probe.text());
    for (const answer of waiting) answer();
    for (const reply of await Promise.all(held)) await reply.body?.cancel();
    const after = await fetch(`${url}/v1/status`);
    assertEquals(after.status, 200, await after.text());
  });
});

Deno.test("drain() lets the requests under way end, then closes, however often it is called", async () => {
  const node = new ScriptedNode();
  const arrived = Promise.withResolvers<() => void>();
  node.checkpoint = (done) => arrived.resolve(() => done({ kind: "already_running" }));
  await withGateway(node, {}, async ({ url, gateway }) => {
    const held = post(`${url}/v1/checkpoint`, {});
    const answer = await arrived.promise;
    const drained = [gateway.drain(60_000), gateway.drain(60_000)];
    const read = await fetch(`${url}/v1/resources/1`);
    assertEquals([read.status, read.headers.get("connection")], [200, "close"]);
    await read.body?.cancel();
    answer();
    assertEquals((await held).status, 409);
    await (await held).body?.cancel();
    await Promise.all(drained);
    const refused = await fetch(`${url}/healthz`).catch(() => "refused");
    assertEquals(refused, "refused");
  });
});

Deno.test("drain() tells who still waits in the end that nobody knows", async () => {
  const node = new ScriptedNode();
  const written = Promise.withResolvers<void>();
  node.answer = () => {
    written.resolve();
    return "silence";
  };
  const arrived = Promise.withResolvers<void>();
  node.checkpoint = () => arrived.resolve();
  await withGateway(node, {}, async ({ url, gateway }) => {
    const write = post(`${url}/v1/resources`, { resource_id: 1 });
    await written.promise;
    const snapshot = post(`${url}/v1/checkpoint`, {});
    await arrived.promise;
    await gateway.drain(1);
    assertEquals((await (await snapshot).json()).kind, "running");
    const { code, retry } = await (await write).json();
    assertEquals([code, retry], ["deadline_exceeded", "same_id"]);
  });
});

Deno.test("figures are counted by route template, so strangers cannot make new ones", async () => {
  await withGateway(new ScriptedNode(), {}, async ({ url }) => {
    const paths = ["/v1/resources/1", "/v1/resources/2", "/a", "/b?c=d"];
    for (const path of paths) await (await fetch(url + path)).body?.cancel();
    await (await fetch(`${url}/v1/status`, { method: "PROPFIND" })).body?.cancel();
    const text = await (await fetch(`${url}/metrics`)).text();
    const counts = text.split("\n").filter((line) =>
      line.startsWith("allocdb_http_requests_total")
    );
    assertEquals(counts.sort(), [
      'allocdb_http_requests_total{method="GET",route="/v1/resources/{id}",status="200"} 2',
      'allocdb_http_requests_total{method="GET",route="none",status="404"} 2',
      'allocdb_http_requests_total{method="other",route="none",status="405"} 1',
    ]);
    assertMatch(text, /^allocdb_http_requests_in_flight 1$/m);
    assert(text.includes('allocdb_http_request_duration_seconds_count{route="none"} 3'));
  });
});
