// The document is a promise to programs we will never see. Every method, path, status and code in it is
// brought about on a live gateway, and the reply is held against the schema that the document gives.
import { assert, assertEquals } from "@std/assert";
import {
  post,
  type RawReply,
  sendRaw,
  withGateway,
  withShortDeadline,
} from "../../tests/support/http.ts";
import { checkJson, type JsonSchema } from "../../tests/support/json_schema_check.ts";
import { STANDING } from "../../tests/support/wire_node.ts";
import { HEALTHY_METRICS, ScriptedNode } from "../../tests/support/scripted_node.ts";
import { U64_MAX } from "../../core/config.ts";
import { ResultCode, type ResultName, SlotOverflowKind } from "../../core/outcome.ts";
import type { Rejection } from "../api.ts";
import { DiskFault } from "../disk.ts";
import { CODES } from "./codes.ts";
import type { HttpGateway, HttpOptions } from "./server.ts";

interface Operation {
  readonly operationId: string;
  readonly responses: { readonly [status: string]: Described };
}

interface Described {
  readonly content: { readonly [type: string]: { readonly schema: JsonSchema } };
}

interface Document {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
}

const GOOD_BODIES: { readonly [path: string]: unknown } = {
  "/v1/resources": { resource_id: "seat:1" },
  "/v1/reservations": { resource_ids: ["seat:1", 2], holder_id: 7, ttl: "10m" },
  "/v1/reservations/{id}/confirm": { holder_id: 7, epoch: 1 },
  "/v1/reservations/{id}/release": { holder_id: 7, epoch: 1 },
  "/v1/reservations/{id}/revoke": {},
  "/v1/reservations/{id}/reclaim": {},
  "/v1/commands": {
    commands: [{ command: "revoke", reservation_id: 1 }, {
      ...{ command: "reserve", resource_id: 1, holder_id: 2, ttl_ms: 5 },
    }],
  },
  "/v1/expirations/tick": { current_slot: 5 },
  "/v1/checkpoint": {},
};

const REJECTIONS: readonly Rejection[] = [
  { category: "indefinite", code: "engine_halted" },
  { category: "indefinite", code: "storage_failure" },
  { category: "indefinite", code: "view_changed" },
  { category: "definite", code: "not_primary", view: 3n, primary: undefined },
  { category: "definite", code: "invalid_request", reason: "invalid_layout" },
  {
    ...{ category: "definite", code: "slot_overflow", kind: SlotOverflowKind.deadline },
    ...{ requestSlot: U64_MAX, delta: 1n },
  },
  { category: "definite", code: "slot_rewound", requestSlot: 1n, lastRequestSlot: 2n },
  { category: "definite", code: "slot_too_far", requestSlot: 9n, slotMax: 8n },
  { category: "definite", code: "command_too_large", encodedLen: 9, maxCommandBytes: 8 },
  { category: "definite", code: "lsn_exhausted", lastAppliedLsn: U64_MAX },
  { category: "definite", code: "overloaded", queueDepth: 8, queueCapacity: 8 },
];

/** What a request to a route looks like, and what has to be so for a code to come back. */
interface Scene {
  readonly node: ScriptedNode;
  options: Partial<HttpOptions>;
  headers: Record<string, string>;
  body: string;
  query: string;
  /** Bytes of the body that are announced and never sent. */
  missing: number;
  draining: boolean;
}

function scene(path: string): Scene {
  const body = GOOD_BODIES[path] === undefined ? "" : JSON.stringify(GOOD_BODIES[path]);
  const headers = { host: "localhost", "content-type": "application/json" };
  const node = new ScriptedNode();
  return { node, options: {}, headers, body, query: "", missing: 0, draining: false };
}

/** Short, for those who are to be kept waiting until it is over. */
const SOON = { requestTimeoutMs: 10 };

/** Arranges for a code, on every face of the node that can show it. */
function arrange(code: string, set: Scene, method: string): void {
  const { node } = set;
  const rejection = REJECTIONS.find((one) => one.code === code);
  if (rejection !== undefined) {
    node.answer = rejection;
    node.tick = { kind: "rejected", rejection };
  } else if (Object.hasOwn(ResultCode, code)) node.answer = code as ResultName;
  switch (code) {
    case "engine_halted":
      node.resource = node.reservation = node.checkpointResult = { kind: code };
      node.figures = { ...HEALTHY_METRICS, acceptingWrites: false, haltReason: "sync failed" };
      break;
    case "lsn_exhausted":
      node.figures = {
        ...HEALTHY_METRICS,
        acceptingWrites: false,
        core: { ...HEALTHY_METRICS.core, lastAppliedLsn: U64_MAX },
      };
      break;
    case "not_accepting_writes":
      node.figures = { ...HEALTHY_METRICS, acceptingWrites: false };
      break;
    case "not_found":
      node.resource = node.reservation = { kind: code, observedLsn: 9n };
      break;
    case "retired":
      node.reservation = { kind: code, observedLsn: 9n };
      break;
    case "fence_not_applied":
      node.resource = { kind: code, requiredLsn: 9n, lastAppliedLsn: undefined };
      node.reservation = { kind: code, requiredLsn: 9n, lastAppliedLsn: 8n };
      break;
    case "not_primary":
      node.authority = { kind: code, view: 3n, primary: 2n };
      node.standing = STANDING;
      node.figures = { ...HEALTHY_METRICS, acceptingWrites: false };
      break;
    case "already_running":
      node.checkpointResult = { kind: code };
      break;
    case "snapshot_file_error": {
      const fault = new DiskFault(
        "disk_full",
        "write",
        "state.snapshot",
        "No space left on device",
      );
      node.checkpointResult = { kind: code, fault };
      break;
    }
    case "invalid_request":
      if (method === "get") set.query = "?nope=1";
      else set.body = '{"nope":1}';
      break;
    case "overloaded":
      if (method === "get") set.options = { maxInFlight: 0 };
      else if (/^\{("commands"|\})/.test(set.body)) set.options = { maxInFlight: 0 };
      break;
    case "misdirected":
      set.headers.host = "rebound.example";
      break;
    case "cross_origin":
      set.headers.origin = "http://elsewhere.example";
      break;
    case "body_too_large":
      set.body = set.body.padEnd(100);
      set.options = { maxBodyBytes: 99 };
      break;
    case "unsupported_media_type":
      set.headers["content-type"] = "text/plain";
      break;
    case "request_timeout":
      set.missing = 1;
      set.options = SOON;
      break;
    case "deadline_exceeded":
      node.answer = node.tick = node.authority = "silence";
      set.options = SOON;
      break;
    case "shutting_down":
      set.draining = true;
      break;
    case "bug":
      node.bug = new Error("asked for");
      break;
    default:
      assert(rejection !== undefined || Object.hasOwn(ResultCode, code), `no scene for ${code}`);
  }
}

/** Plays a scene, as often as it takes for the request to be read before its time is up. */
async function play(set: Scene, method: string, path: string): Promise<RawReply> {
  if (set.options !== SOON || set.missing > 0) return await playOnce(set, method, path);
  return await withShortDeadline(
    (requestTimeoutMs) => playOnce({ ...set, options: { requestTimeoutMs } }, method, path),
    ({ status }) => status === 408,
  );
}

/** Plays a scene on a gateway of its own. */
async function playOnce(set: Scene, method: string, path: string): Promise<RawReply> {
  return await withGateway(set.node, set.options, async ({ gateway, url, bugs }) => {
    const letGo = set.draining ? await startDraining(set, gateway, url) : undefined;
    const target = path.replace("{id}", "7") + set.query;
    const length = set.body.length + set.missing;
    const headers = Object.entries({ ...set.headers, "content-length": String(length) });
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const request = `${method.toUpperCase()} ${target} HTTP/1.1\r\n${head}\r\n${set.body}`;
    const reply = await sendRaw(gateway.addr.port, request);
    await letGo?.();
    assert(reply !== undefined, "the connection ended without a reply");
    assertEquals(bugs, set.node.bug === undefined ? [] : [set.node.bug]);
    return reply;
  });
}

/** Drains a gateway that cannot close yet, because one request waits until the answer to this is called. */
async function startDraining(
  { node }: Scene,
  gateway: HttpGateway,
  url: string,
): Promise<() => Promise<void>> {
  const arrived = Promise.withResolvers<() => void>();
  node.checkpoint = (done) => arrived.resolve(() => done({ kind: "already_running" }));
  const held = post(`${url}/v1/checkpoint`, {});
  const answer = await arrived.promise;
  const drained = gateway.drain(60_000);
  return async () => {
    answer();
    await (await held).body?.cancel();
    await drained;
  };
}

function expectFit(reply: RawReply, status: string, described: Described, document: unknown): void {
  assertEquals(String(reply.status), status);
  const type = reply.headers["content-type"]!.split(";")[0]!;
  const schema = described.content[type]?.schema;
  assert(schema !== undefined, `${type} is not in the document`);
  const value = type.endsWith("json") ? JSON.parse(reply.body) : reply.body;
  assertEquals(checkJson(value, schema, { document, closed: true }), []);
}

/** The codes that a described problem lists. */
function codesOf(described: Described): readonly string[] {
  const schema = described.content["application/problem+json"]?.schema;
  const parts = (schema?.allOf ?? []) as readonly JsonSchema[];
  const properties = parts.at(-1)?.properties as { code?: { enum: string[] } } | undefined;
  return properties?.code?.enum ?? [];
}

const document: Document = await withGateway(
  new ScriptedNode(),
  {},
  async ({ url }) => await (await fetch(`${url}/openapi.json`)).json(),
);

for (const [path, methods] of Object.entries(document.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    Deno.test(`openapi ${operation.operationId}: every documented reply can be had and fits`, async () => {
      assertEquals(method === "post", Object.hasOwn(GOOD_BODIES, path));
      for (const [status, described] of Object.entries(operation.responses)) {
        for (const code of codesOf(described)) {
          const set = scene(path);
          arrange(code, set, method);
          const reply = await play(set, method, path);
          assertEquals(JSON.parse(reply.body).code, code, `${status} ${reply.body}`);
          expectFit(reply, status, described, document);
        }
        if (Number(status) >= 400) continue;
        const replica = scene(path);
        replica.node.standing = STANDING;
        if (status === "200") {
          expectFit(await play(replica, method, path), status, described, document);
        }
        const set = scene(path);
        if (status === "202") {
          set.node.checkpointResult = "silence";
          set.options = SOON;
        }
        expectFit(await play(set, method, path), status, described, document);
      }
    });
  }
}

Deno.test("openapi document: every code is somewhere in it or belongs to no route", () => {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const documented = operations.flatMap(({ responses }) =>
    Object.values(responses).flatMap(codesOf)
  );
  const routeless = ["unknown_route", "method_not_allowed"];
  assertEquals(
    [...new Set([...documented, ...routeless])].sort(),
    Object.keys(CODES).sort(),
  );
});

Deno.test("openapi document: every reference leads somewhere and names are used once", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)];
  for (const [, reference] of references) {
    const steps = reference!.slice(2).split("/");
    const target = steps.reduce<unknown>(
      (at, step) => (at as { [name: string]: unknown } | undefined)?.[step],
      document,
    );
    assert(target !== undefined, reference);
  }
  const names = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId)
  );
  assertEquals(new Set(names).size, names.length);
});
