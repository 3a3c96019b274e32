// 2,000 requests, from almost right to noise, drawn from one seed. None may find a bug or hang, and whatever
// comes back is what the document says of that path, method and status.
import { assert, assertEquals } from "@std/assert";
import { type RawReply, sendRaw, withGateway } from "../../tests/support/http.ts";
import { checkJson, type JsonSchema } from "../../tests/support/json_schema_check.ts";
import {
  type ScriptedAnswer,
  ScriptedNode,
  type SeenCommand,
} from "../../tests/support/scripted_node.ts";
import { SeededRandom } from "../../testbed/sim/random.ts";
import type { ResultName } from "../../core/outcome.ts";

const REQUESTS = 2_000;
const SEED = 20_251;

/** Longest wait for one reply, in milliseconds: what takes longer hangs. */
const HANG_MS = 20_000;

interface Document {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
}

interface Operation {
  readonly responses: {
    readonly [status: string]: {
      readonly content: { readonly [type: string]: { readonly schema: JsonSchema } };
    };
  };
}

const METHODS = ["GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get"];

const TARGETS = [
  ...["/v1/resources", "/v1/reservations", "/v1/commands", "/v1/expirations/tick"],
  ...["/v1/checkpoint", "/v1/resources/1", "/v1/resources/seat:21A", "/v1/reservations/0%2F7"],
  ...["/v1/reservations/7/confirm", "/v1/reservations/7/release", "/v1/reservations/7/revoke"],
  ...["/v1/reservations/7/reclaim", "/v1/metrics", "/v1/status", "/metrics", "/healthz", "/readyz"],
  ...["/openapi.json", "/", "*", "//", "/v1", "/v1/reservations/%00", "/%ff", "/../../etc/passwd"],
  "http://localhost/healthz",
];

const QUERIES = ["", "", "", "?", "?required_lsn=5", "?current_slot=0x1", "?required_lsn=", "?a"]
  .concat([
    "?required_lsn=1&required_lsn=2",
    "?current_slot=99999999999999999999",
    "?%=%",
    "?__proto__=1",
  ]);

const VALUES: readonly unknown[] = [
  ...[0, 1, -1, 0.5, 1e300, 2 ** 53, null, true, "", "1", "0x", "0xff", "seat:1", "10m", "1.5h"],
  ...["\u0000", "\ud800", "x".repeat(300), [], {}, [[]], ["a", 1], "18446744073709551616", "-0"],
  ...["00000000-0000-0000-0000-000000000001", "constructor", { __proto__: null, a: 1 }],
];

const NAMES = ["operation_id", "client_id", "request_slot", "resource_id", "resource_ids"].concat(
  ["holder_id", "ttl", "ttl_ms", "ttl_slots", "epoch", "command", "reservation_id", "commands"],
  ["current_slot", "__proto__", "toString", ""],
);

const COMMANDS = [
  "create_resource",
  "reserve",
  "confirm",
  "release",
  "revoke",
  "reclaim",
  "expire",
];

const BODIES: readonly { readonly [name: string]: unknown }[] = [
  { resource_id: 1 },
  { resource_id: 1, holder_id: "a", ttl: "10m", operation_id: "0x1", client_id: 2 },
  { resource_ids: [1, "b"], holder_id: "a", ttl_ms: 5, request_slot: "9" },
  { holder_id: 1, epoch: 1 },
  {},
];

const NEAR: readonly (readonly [target: string, body: { readonly [name: string]: unknown }])[] = [
  ["/v1/resources", { resource_id: "seat:1" }],
  ["/v1/reservations", { resource_id: 1, holder_id: 2, ttl: "1s" }],
  ["/v1/reservations", { resource_ids: [1, 2], holder_id: 2, ttl_slots: 5, operation_id: 9 }],
  ["/v1/reservations/7/confirm", { holder_id: 2, epoch: 1 }],
  ["/v1/reservations/7/reclaim", {}],
  ["/v1/commands", { commands: [{ command: "revoke", reservation_id: 1 }], client_id: 3 }],
  ["/v1/expirations/tick", { current_slot: 5 }],
];

const HEADERS = [
  "content-type: application/json",
  "content-type: application/json",
  "content-type: x",
]
  .concat([
    "idempotency-key: 5",
    'idempotency-key: "a"',
    "idempotency-key: a, b",
    "x-client-id: \xe9",
  ])
  .concat(["origin: http://evil.example", "expect: 100-continue", "accept-encoding: gzip, br"])
  .concat(["content-length: 3", "transfer-encoding: chunked", "host: evil.example", "x: y\r\n z"])
  .concat(["upgrade: websocket\r\nconnection: upgrade", "content-length: -1", "connection: close"]);

class Strangers {
  readonly random: SeededRandom;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  one<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)]!;
  }

  /** An object near a good one. */
  body(): { [name: string]: unknown } {
    const body: { [name: string]: unknown } = { ...this.one(BODIES) };
    if (this.random.oneIn(4)) {
      const count = this.random.below(4);
      body.commands = Array.from({ length: count }, () => ({
        ...{ command: this.one(COMMANDS), reservation_id: 1 },
        ...this.one(BODIES),
      }));
    }
    const changes = this.random.below(3);
    for (let i = 0; i < changes; i++) {
      const name = this.one([...Object.keys(body), this.one(NAMES)]);
      if (this.random.oneIn(3)) delete body[name];
      else body[name] = this.one(VALUES);
    }
    return body;
  }

  text(): string {
    if (this.random.oneIn(10)) return "[".repeat(this.random.below(9_000));
    let text = JSON.stringify(this.body());
    if (this.random.oneIn(10)) text = text.padEnd(9_000, " ");
    if (this.random.oneIn(3)) text = this.damage(text);
    return String.fromCharCode(...new TextEncoder().encode(text));
  }

  /** The text with a few characters changed, dropped or doubled. */
  damage(text: string): string {
    let damaged = text;
    for (let i = this.random.below(3); i >= 0; i--) {
      const at = this.random.below(damaged.length + 1);
      const put = this.one(["", "\0", '"', "}", "\xff", "\n", damaged.slice(at, at + 9)]);
      damaged = damaged.slice(0, at) + put + damaged.slice(at + this.random.below(2));
    }
    return damaged;
  }

  /** One request as bytes, its method and its path: half of them one step from a good one, half noise. */
  request(): { text: string; method: string; target: string } {
    return this.random.oneIn(2) ? this.nearMiss() : this.noise();
  }

  nearMiss(): { text: string; method: string; target: string } {
    const [target, good] = this.one(NEAR);
    const body: { [name: string]: unknown } = { ...good };
    if (this.random.oneIn(2)) body[this.one([...Object.keys(body), ...NAMES])] = this.one(VALUES);
    const bytes = String.fromCharCode(...new TextEncoder().encode(JSON.stringify(body)))
      .padEnd(this.random.oneIn(40) ? 5_000 : 0);
    const headers = ["host: localhost", `content-length: ${bytes.length}`, HEADERS[0]];
    const text = `POST ${target} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${bytes}`;
    return { text, method: "POST", target };
  }

  noise(): { text: string; method: string; target: string } {
    const method = this.one(METHODS);
    const target = this.one(TARGETS) + this.one(QUERIES);
    const body = method === "GET" && !this.random.oneIn(5) ? "" : this.text();
    const headers = [`host: ${this.random.oneIn(20) ? "evil.example" : "localhost"}`];
    if (!this.random.oneIn(20)) headers.push(`content-length: ${body.length}`);
    for (let i = this.random.below(4); i > 0; i--) headers.push(this.one(HEADERS));
    if (this.random.oneIn(3)) headers.push("content-type: application/json");
    const text = `${method} ${target} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${body}`;
    return { text: this.random.oneIn(40) ? this.damage(text) : text, method, target };
  }

  /** An answer that the node could give to this command. */
  answer({ name }: SeenCommand): ScriptedAnswer {
    if (this.random.oneIn(20)) return "silence";
    if (this.random.oneIn(10)) return { category: "indefinite", code: "storage_failure" };
    return this.random.oneIn(2) ? "ok" : this.one([...ANY_CODES, ...CODES_OF[name]!]);
  }
}

const ANY_CODES: readonly ResultName[] = ["operation_conflict", "operation_table_full"];
const RESERVE_CODES: readonly ResultName[] = [
  ...["resource_not_found", "resource_busy", "bundle_too_large", "ttl_out_of_range"] as const,
  ...["reservation_table_full", "expiration_index_full"] as const,
];
const OPERATOR_CODES: readonly ResultName[] = [
  ...["reservation_not_found", "reservation_retired", "invalid_state"] as const,
];
const HOLDER_CODES: readonly ResultName[] = [...OPERATOR_CODES, "holder_mismatch", "stale_epoch"];

/** Results of each command, of docs/semantics.md. */
const CODES_OF: { readonly [command: string]: readonly ResultName[] } = {
  create_resource: ["already_exists", "resource_table_full"],
  reserve: RESERVE_CODES,
  reserve_bundle: RESERVE_CODES,
  confirm: HOLDER_CODES,
  release: HOLDER_CODES,
  revoke: OPERATOR_CODES,
  reclaim: OPERATOR_CODES,
};

/** Names the operation that a request was for, if the document has it. */
function operationFor(document: Document, method: string, target: string): Operation | undefined {
  const url = URL.parse(target, "http://localhost");
  const segments = url?.pathname.split("/") ?? [];
  const path = Object.keys(document.paths).find((template) => {
    const parts = template.split("/");
    return parts.length === segments.length &&
      parts.every((part, i) => part === segments[i] || (part === "{id}" && segments[i] !== ""));
  });
  return path === undefined
    ? undefined
    : document.paths[path]?.[method === "HEAD" ? "get" : method.toLowerCase()];
}

function expectDocumented(
  document: Document,
  method: string,
  target: string,
  { status, headers, body }: RawReply,
): void {
  const type = headers["content-type"]?.split(";")[0];
  // Deno itself answers what is no HTTP at all, without a word; a HEAD has no body either.
  if (type === undefined || method === "HEAD") return;
  const operation = operationFor(document, method, target);
  const described = operation?.responses[status];
  if (described === undefined) {
    assert([404, 405, 421, 400].includes(status), `${status} is not in the document`);
    return;
  }
  const schema = described.content[type]?.schema;
  assert(schema !== undefined, `${type} is not in the document`);
  if (headers["content-encoding"] !== undefined || headers["transfer-encoding"] !== undefined) {
    return;
  }
  const value = type.endsWith("json") ? JSON.parse(body) : body;
  assertEquals(checkJson(value, schema, { document, closed: true }), []);
}

/** A reply, or the failure of a test whose request hangs. */
async function replyOrHang(port: number, text: string): Promise<RawReply | undefined> {
  const hang = Promise.withResolvers<never>();
  const timer = setTimeout(() => hang.reject(new Error("no reply")), HANG_MS);
  try {
    return await Promise.race([sendRaw(port, text, 30), hang.promise]);
  } finally {
    clearTimeout(timer);
  }
}

Deno.test(`startHttp() survives ${REQUESTS} requests of strangers and answers as documented`, async () => {
  const strangers = new Strangers(SEED);
  const node = new ScriptedNode();
  node.answer = (command) => strangers.answer(command);
  const options = { requestTimeoutMs: 5, maxBodyBytes: 4_000 };
  const statuses = new Map<number, number>();
  await withGateway(node, options, async ({ url, gateway, bugs }) => {
    const document: Document = await (await fetch(`${url}/openapi.json`)).json();
    for (let i = 0; i < REQUESTS; i++) {
      const { text, method, target } = strangers.request();
      const about = `request ${i}: ${JSON.stringify(text.slice(0, 400))}`;
      const reply = await replyOrHang(gateway.addr.port, text);
      assertEquals(bugs, [], about);
      // What the gateway did not read of a request may cost the end of a long reply.
      if (reply === undefined || !reply.whole) continue;
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
      try {
        expectDocumented(document, method, target, reply);
      } catch (error) {
        throw new Error(`${about} -> ${JSON.stringify(reply)}`, { cause: error });
      }
    }
    const after = await fetch(`${url}/healthz`);
    assertEquals(after.status, 200, await after.text());
  });
  // The draw reached the node and every kind of refusal, not only the first check.
  for (const status of [200, 201, 400, 403, 404, 405, 409, 413, 415, 421, 503, 507]) {
    assert(statuses.has(status), `no request was answered ${status}`);
  }
  assert(node.seen.length > REQUESTS / 40);
});
