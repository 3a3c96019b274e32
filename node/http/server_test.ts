// What a stranger with an HTTP client meets before and behind the routes: what is refused, how much is taken
// at once, and how it ends. The node behind is scripted; the connection is real.
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  post,
  refusalOf,
  sendRaw,
  withGateway,
  withShortDeadline,
} from "../../tests/support/http.ts";
import { ScriptedNode } from "../../tests/support/scripted_node.ts";
import type { Gateway } from "./gateway.ts";
import { JSON_DEPTH_MAX } from "./json_text.ts";
import { createExposition } from "./prometheus.ts";
import { ROUTES } from "./routes.ts";
import { createSubmitter } from "./submitter.ts";

Deno.test("bodies that two readers could understand differently are refused", async () => {
  const node = new ScriptedNode();
  await withGateway(node, {}, async ({ url }) => {
    const bodies: readonly (string | Uint8Array<ArrayBuffer>)[] = [
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

Deno.test("a compressed body is refused by name, not as text that is no UTF-8", async () => {
  await withGateway(new ScriptedNode(), {}, async ({ url }) => {
    const gzip = await post(`${url}/v1/checkpoint`, "{}", { "content-encoding": "gzip" });
    assertEquals((await refusalOf(gzip)).code, "unsupported_media_type");
    const identity = await post(`${url}/v1/checkpoint`, "{}", { "content-encoding": "identity" });
    assertEquals(identity.status, 200, await identity.text());
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

/** A write that is answered too late, and one after it. */
async function lateAnswer(requestTimeoutMs: number): Promise<Record<string, unknown>[]> {
  const node = new ScriptedNode();
  const held = Promise.withResolvers<() => void>();
  const submit = node.submit.bind(node);
  node.submit = (...args) => held.resolve(() => submit(...args));
  return await withGateway(node, { requestTimeoutMs }, async ({ url, bugs }) => {
    const reply = await post(`${url}/v1/resources`, { resource_id: 1, operation_id: 8 });
    const first = await reply.json();
    if (reply.status === 408) return [first, first];
    (await held.promise)();
    node.submit = submit;
    const next = await (await post(`${url}/v1/resources`, { resource_id: 1 })).json();
    assertEquals(bugs, []);
    return [first, next];
  });
}

Deno.test("an answer that comes after its deadline goes nowhere and harms nobody", async () => {
  const [first, next] = await withShortDeadline(
    lateAnswer,
    (replies) => replies.some(({ status }) => status === 408),
  );
  const { status, code, category, retry, operation_id } = first!;
  assertEquals({ status, code, category, retry, operation_id }, {
    ...{ status: 503, code: "deadline_exceeded", category: "indefinite" },
    ...{ retry: "same_id", operation_id: "8" },
  });
  assertEquals(next!.code, "ok");
});

Deno.test("a request whose time is up when its body has come reaches no node", async () => {
  const node = new ScriptedNode();
  const create = ROUTES.find(({ name }) => name === "createResource")!;
  const request = new Request("http://localhost/v1/resources", {
    method: "POST",
    body: '{"resource_id":1}',
    headers: { "content-type": "application/json" },
  });
  const incoming = {
    request,
    url: new URL(request.url),
    path: {},
    deadline: AbortSignal.abort(),
  };
  const gateway: Gateway = {
    ...{ node, version: "0.1.0", startedMs: 0, inFlight: 1, draining: false, idle: undefined },
    limits: { maxBodyBytes: 99, maxInFlight: 1, requestTimeoutMs: 1 },
    submitter: createSubmitter(node),
    exposition: createExposition(node, "0.1.0", () => 1),
  };
  assertEquals((await create.answer(gateway, incoming)).status, 408);
  assertEquals(node.seen, []);
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
