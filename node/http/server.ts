/**
 * The HTTP gateway: a node for everybody who has an HTTP client. Source: docs/http.md.
 */
import type { NodeApi } from "../api.ts";
import { type Admission, createAdmission } from "./admission.ts";
import type { Gateway } from "./gateway.ts";
import { createExposition } from "./prometheus.ts";
import { problem, type Reply, replyText } from "./reply.ts";
import type { Route } from "./route.ts";
import { createRouter } from "./router.ts";
import { ROUTES } from "./routes.ts";
import type { Refusals } from "../server/context.ts";
import { createSubmitter } from "./submitter.ts";

/** How to serve. */
export interface HttpOptions {
  /** Address to listen on. There is no authentication: loopback, unless something in front of it has one. */
  readonly hostname: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Version of the program, for replies and metrics. */
  readonly version: string;
  /** Who was not let in on the clients' port, for metrics. */
  readonly refusals?: () => Refusals;
  /** Longest request body, in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Requests answered at once; further ones get 429. Default 256. */
  readonly maxInFlight?: number;
  /** How long a request may take in all, in milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Names, without port, that a loopback gateway may be called by besides localhost and loopback addresses. */
  readonly allowedHosts?: readonly string[];
  /** Called with every error that nobody expected. Default: it ends the process, as a bug does everywhere. */
  readonly onBug?: (error: unknown) => void;
}

/** A gateway that is listening. */
export interface HttpGateway {
  readonly addr: Deno.NetAddr;
  /**
   * Refuses writes from now on, waits for the requests under way and closes.
   *
   * @param ms Longest wait in milliseconds; who is not answered by then is told that nobody knows.
   */
  drain(ms: number): Promise<void>;
}

/** Everything that one request meets on its way. */
interface Server {
  readonly gateway: Gateway;
  readonly admit: Admission;
  readonly onBug: (error: unknown) => void;
  /** Of the requests under way. */
  readonly deadlines: Set<AbortController>;
}

/**
 * Starts a gateway.
 *
 * @param node The node it speaks for.
 * @param options Where and how.
 * @throws {Deno.errors.AddrInUse} And whatever else listening can fail with.
 */
export function startHttp(node: NodeApi, options: HttpOptions): HttpGateway {
  const server = createServer(node, options);
  const stop = new AbortController();
  const { hostname, port } = options;
  const { signal } = stop;
  const listener = Deno.serve(
    { hostname, port, signal, onListen: () => {} },
    (request) => serve(server, request),
  );
  let drained: Promise<void> | undefined;
  return {
    addr: listener.addr,
    drain: (ms) => drained ??= drain(server, listener, stop, ms),
  };
}

function createServer(node: NodeApi, options: HttpOptions): Server {
  const { maxBodyBytes = 1 << 20, maxInFlight = 256, requestTimeoutMs = 10_000 } = options;
  const gateway: Gateway = {
    node,
    version: options.version,
    limits: { maxBodyBytes, maxInFlight, requestTimeoutMs },
    submitter: createSubmitter(node),
    exposition: createExposition(
      node,
      options.version,
      () => gateway.inFlight,
      options.refusals,
    ),
    startedMs: performance.now(),
    inFlight: 0,
    draining: false,
    idle: undefined,
  };
  const { hostname, allowedHosts = [] } = options;
  return {
    gateway,
    admit: createAdmission(gateway, createRouter(ROUTES), hostname, allowedHosts),
    onBug: options.onBug ?? reportError,
    deadlines: new Set(),
  };
}

/** Answers one request, whatever it is. */
async function serve(server: Server, request: Request): Promise<Response> {
  const { gateway } = server;
  const startedMs = performance.now();
  gateway.inFlight++;
  const { route, reply } = await answer(server, request);
  gateway.inFlight--;
  if (gateway.inFlight === 0) gateway.idle?.();
  const seconds = (performance.now() - startedMs) / 1_000;
  const template = route?.template ?? "none";
  gateway.exposition.observe(methodLabel(request.method), template, reply.status, seconds);
  return toResponse(reply, request.method === "HEAD", gateway.draining);
}

/** Labels are few, whatever strangers call their methods. */
function methodLabel(method: string): string {
  return ["GET", "HEAD", "POST"].includes(method) ? method : "other";
}

interface Answer {
  readonly route: Route | undefined;
  readonly reply: Reply;
}

async function answer(
  { gateway, admit, onBug, deadlines }: Server,
  request: Request,
): Promise<Answer> {
  let route: Route | undefined;
  try {
    const admitted = admit(request);
    if (admitted.kind === "reply") return { route, reply: admitted.reply };
    route = admitted.value.route;
    const { url, path } = admitted.value;
    const ask = (deadline: AbortSignal): Promise<Reply> =>
      admitted.value.route.answer(gateway, { request, url, path, deadline });
    const ms = gateway.limits.requestTimeoutMs;
    return { route, reply: await (route.waits ? withDeadline(deadlines, ms, ask) : ask(NEVER)) };
  } catch (error) {
    onBug(error);
    return { route, reply: problem("bug", { kind: "rejected", category: "indefinite" }) };
  }
}

/** A deadline that does not come. */
const NEVER = new AbortController().signal;

async function withDeadline<T>(
  deadlines: Set<AbortController>,
  ms: number,
  run: (deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  deadlines.add(deadline);
  const timer = setTimeout(() => deadline.abort(), ms);
  try {
    return await run(deadline.signal);
  } finally {
    clearTimeout(timer);
    deadlines.delete(deadline);
  }
}

function toResponse(reply: Reply, headOnly: boolean, last: boolean): Response {
  const headers: Record<string, string> = {
    "content-type": reply.contentType,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...reply.headers,
  };
  if (last) headers.connection = "close";
  return new Response(headOnly ? null : replyText(reply), { status: reply.status, headers });
}

/** How long the last replies may take to leave, in milliseconds. */
const LAST_REPLIES_MS = 1_000;

async function drain(
  { gateway, deadlines }: Server,
  listener: Deno.HttpServer,
  stop: AbortController,
  ms: number,
): Promise<void> {
  gateway.draining = true;
  const idle = new Promise<void>((resolve) => gateway.idle = resolve);
  if (gateway.inFlight > 0) await within(ms, idle);
  for (const deadline of deadlines) deadline.abort();
  if (gateway.inFlight > 0) await within(LAST_REPLIES_MS, idle);
  // After a shutdown has begun Deno can no longer abort, so it begins only when nothing has to be.
  if (gateway.inFlight > 0) stop.abort();
  else void listener.shutdown();
  await within(LAST_REPLIES_MS, listener.finished);
}

/** Waits for a promise, but not longer than `ms`. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([promise, late.promise]);
  clearTimeout(timer);
}
