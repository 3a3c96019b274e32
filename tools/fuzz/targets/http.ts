/**
 * The HTTP gateway over a real node, fed with bytes by strangers. No request finds a bug or hangs; a reply is
 * one that the gateway documents, and what it says of commands is what the node has done.
 */
import type { HttpGateway } from "../../../node/http/server.ts";
import { startHttp } from "../../../node/http/server.ts";
import { CODES } from "../../../node/http/codes.ts";
import { join, mutate } from "../mutate.ts";
import { NodeSlot } from "../node_slot.ts";
import type { FuzzRandom } from "../random.ts";
import { drawChunks, type Stream, streamOf } from "../stream.ts";
import { expect, expectEqual, FuzzFailure, type Target } from "../target.ts";
import { mutateText } from "../text.ts";
import { type HttpReply, isWholeRequest, parseReply } from "./http_text.ts";

/** Starts a gateway; a test of the fuzzer brings one that misreports. */
export type StartGateway = typeof startHttp;

/** Longest wait for a reply, in milliseconds: what takes longer hangs. */
const HANG_MS = 20_000;
/** When to say that nothing more will come, in milliseconds, to a server that seems to wait for more. */
const PATIENCE_MS = 40;

/** Statuses of the gateway's own, and those with which Deno answers what is no HTTP. */
const STATUSES = new Set([
  200,
  201,
  202,
  414,
  431,
  ...Object.values(CODES).map((code) => code.status),
]);

/** Makes the target; the gateway starts with the first case. The outcome is the first reply's status. */
export function httpTarget(start: StartGateway = startHttp): Target {
  const node = new NodeSlot();
  const bugs: unknown[] = [];
  let gateway: HttpGateway | undefined;
  return {
    name: "http",
    outcomes: [
      ...["ok 200", "ok 201", "no_reply", "400", "403", "404", "405", "409", "410", "412", "413"],
      ...["415", "421", "422", "507"],
    ],
    draw: drawRequests,
    judge: (input) => {
      const options = { hostname: "127.0.0.1", port: 0, version: "0", maxBodyBytes: 2_000 };
      gateway ??= start(node, { ...options, onBug: (bug) => void bugs.push(bug) });
      return judgeRequests({ node, gateway, bugs }, streamOf(input));
    },
    close: async () => await gateway?.drain(0),
  };
}

const ROUTES: readonly (readonly [method: string, path: string, body: string])[] = [
  ["GET", "/", ""],
  ["GET", "/healthz", ""],
  ["GET", "/readyz", ""],
  ["GET", "/metrics", ""],
  ["GET", "/v1/metrics?current_slot=5", ""],
  ["GET", "/v1/status", ""],
  ["GET", "/v1/resources/seat:21A?required_lsn=16", ""],
  ["GET", "/v1/reservations/0%2F6?current_slot=13&required_lsn=0", ""],
  ["GET", "/v1/reservations/16?current_slot=13", ""],
  ["POST", "/v1/resources", '{"resource_id":"seat:21A"}'],
  ["POST", "/v1/resources", '{"resource_id":8,"operation_id":"0x5","client_id":"me"}'],
  ["POST", "/v1/reservations", '{"resource_id":7,"holder_id":"a","ttl":"50ms"}'],
  [
    "POST",
    "/v1/reservations",
    '{"resource_ids":[7,4],"holder_id":"a","ttl_slots":"5","request_slot":19}',
  ],
  ["POST", "/v1/reservations", '{"resource_id":5,"holder_id":"a","ttl":"1h"}'],
  ["GET", "/v1/resources/7?required_lsn=18", ""],
  ["POST", "/v1/reservations/16/confirm", '{"holder_id":"a","epoch":1}'],
  ["POST", "/v1/reservations/0%2F11/release", '{"holder_id":"a","epoch":"1"}'],
  ["POST", "/v1/reservations/11/revoke", "{}"],
  ["POST", "/v1/reservations/13/reclaim", ""],
  ["POST", "/v1/expirations/tick", '{"current_slot":40}'],
  ["POST", "/v1/checkpoint", ""],
  [
    "POST",
    "/v1/commands",
    '{"client_id":3,"commands":[{"command":"create_resource","resource_id":8},' +
    '{"command":"reserve","resource_id":7,"holder_id":"a","ttl_ms":30},' +
    '{"command":"confirm","reservation_id":"0/18","holder_id":"a","epoch":1},' +
    '{"command":"create_resource","resource_id":9,"operation_id":1}]}',
  ],
];

const WORDS = [
  ...['"resource_id"', '"holder_id"', '"ttl"', '"ttl_ms"', '"epoch"', '"commands"', '"command"'],
  ...[
    '"operation_id"',
    '"request_slot"',
    '"1h"',
    '"5"',
    "5",
    "1e3",
    "-1",
    "null",
    "[]",
    "{}",
    "true",
  ],
  ...[
    '"__proto__"',
    '"seat:21A"',
    '"0/16"',
    "18446744073709551616",
    '"0xffffffffffffffff"',
    ",",
    ":",
  ],
];

const HEADERS = [
  ...["content-type: application/json", "content-type: text/plain", "idempotency-key: 5"],
  ...['idempotency-key: "a"', "idempotency-key: a, b", "x-client-id: \xe9", "x-client-id: 7"],
  ...["origin: http://evil.example", "expect: 100-continue", "accept-encoding: gzip", "host: a, b"],
  ...["transfer-encoding: chunked", "content-length: 0", "content-length: 3", "content-length: -1"],
  ...[
    "connection: close",
    "upgrade: websocket\r\nconnection: upgrade",
    "x: y\r\n z",
    "x".repeat(300),
  ],
];

/** One request, now and then several on one connection. */
function drawRequests(random: FuzzRandom): Uint8Array {
  const requests = Array.from({ length: random.oneIn(8) ? 3 : 1 }, () => drawRequest(random));
  const bytes = join(...requests);
  return drawChunks(random, 0, random.oneIn(10) ? mutate(random, bytes) : bytes);
}

function drawRequest(random: FuzzRandom): Uint8Array {
  const [method, path, good] = random.pick(ROUTES);
  const body = random.oneIn(2) ? good : mutateText(random, good, WORDS);
  const target = random.oneIn(6)
    ? mutateText(random, path, [...PATHS, "%2F", "?", "&", "="])
    : path;
  const verb = random.oneIn(20) ? random.pick(["GET", "HEAD", "PUT", "OPTIONS", "get"]) : method;
  const bytes = new TextEncoder().encode(body);
  const headers = [`host: ${random.oneIn(25) ? "evil.example" : "localhost"}`];
  if (method === "POST" && !random.oneIn(25)) headers.push("content-type: application/json");
  if (bytes.length > 0 && !random.oneIn(25)) headers.push(`content-length: ${bytes.length}`);
  if (random.oneIn(4)) headers.push(random.pick(HEADERS));
  const head = `${verb} ${target} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`;
  return join(Uint8Array.from(head, (character) => character.charCodeAt(0)), bytes);
}

const PATHS = ["/v1/resources", "/v1", "/", "//", "..", "*", "http://localhost/", "/openapi.json"];

interface Served {
  readonly node: NodeSlot;
  readonly gateway: HttpGateway;
  readonly bugs: unknown[];
}

async function judgeRequests({ node, gateway, bugs }: Served, stream: Stream): Promise<string> {
  await node.renew();
  const request = join(...stream.chunks);
  const received = await converse(gateway.addr.port, stream, isWholeRequest(request));
  await node.quiet();
  expect(bugs.length === 0, `a bug: ${bugs[0] instanceof Error ? bugs[0].stack : bugs[0]}`);
  const reply = parseReply(received, request);
  if (reply === undefined) return "no_reply";
  expect(STATUSES.has(reply.status), `status ${reply.status}`);
  const text = new TextDecoder("latin1").decode(request);
  const isOnly = text.split("HTTP/").length === 2;
  if (isOnly) judgeReply(node, reply);
  await judgeHealth(gateway);
  return reply.status < 300 ? `ok ${reply.status}` : String(reply.status);
}

/** What the reply says of commands is what the node has committed. */
function judgeReply(node: NodeSlot, reply: HttpReply): void {
  if (!reply.isWhole || !reply.type.endsWith("json")) return;
  const body = JSON.parse(reply.body);
  if (reply.status >= 400) judgeProblem(reply, body);
  const said = countCommitted(body);
  const { committed } = node.ends;
  if (said !== undefined) {
    expectEqual(committed, said, `commands behind ${reply.body.slice(0, 200)}`);
  }
}

function judgeProblem(reply: HttpReply, body: { readonly [name: string]: unknown }): void {
  expectEqual(reply.type, "application/problem+json", "type of a refusal");
  const page = Object.entries(CODES).find(([code]) => code === body.code)?.[1];
  expectEqual(page?.status, reply.status, `status of ${body.code}`);
}

/** How many commands a reply says were committed by this request; undefined when it cannot tell. */
function countCommitted(body: { readonly [name: string]: unknown }): number | undefined {
  switch (body.kind) {
    case "committed":
      return body.from_retry_cache === true ? 0 : 1;
    case "rejected":
      return body.category === "definite" ? 0 : undefined;
    case "batch": {
      const counts = (body.results as typeof body[]).map(countCommitted);
      return counts.includes(undefined) ? undefined : counts.reduce((sum, n) => sum! + n!, 0);
    }
    case "applied":
      return undefined;
    default:
      return 0;
  }
}

/** Sends the pieces and reads until a reply is whole or the connection ends. */
async function converse(port: number, stream: Stream, isWhole: boolean): Promise<Uint8Array> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  const sent = send(connection, stream.chunks);
  const endInput = (): void => void connection.closeWrite().catch(() => {});
  const patience = setTimeout(endInput, isWhole ? PATIENCE_MS + stream.chunks.length : 0);
  const hang = Promise.withResolvers<never>();
  const timer = setTimeout(() => hang.reject(new FuzzFailure("no reply, and no end")), HANG_MS);
  try {
    return await Promise.race([readReply(connection, join(...stream.chunks)), hang.promise]);
  } finally {
    for (const each of [patience, timer]) clearTimeout(each);
    await sent;
  }
}

async function send(connection: Deno.TcpConn, chunks: readonly Uint8Array[]): Promise<void> {
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) at += await connection.write(chunk.subarray(at));
    }
  } catch {
    // A server that has heard enough may close before everything is sent.
  }
}

async function readReply(connection: Deno.TcpConn, request: Uint8Array): Promise<Uint8Array> {
  let received: Uint8Array = new Uint8Array();
  for (;;) {
    const part = new Uint8Array(0x1_0000);
    const count = await connection.read(part).catch(() => null);
    if (count === null) return received;
    received = join(received, part.subarray(0, count));
    if (parseReply(received, request)?.isWhole) return received;
  }
}

/** The next one is served. */
async function judgeHealth(gateway: HttpGateway): Promise<void> {
  const reply = await fetch(`http://127.0.0.1:${gateway.addr.port}/healthz`);
  await reply.body?.cancel();
  expectEqual(reply.status, 200, "health afterwards");
}
