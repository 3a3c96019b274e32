/** A route: what it takes, what it answers and how, in one record, so that the document cannot be about another. */
import type * as v from "valibot";
import type { Code } from "./codes.ts";
import type { Gateway } from "./gateway.ts";
import { check, type Read, readJson, readQuery, value } from "./read_request.ts";
import { refused, type Reply } from "./reply.ts";

/** A request on its way into a route. */
export interface Incoming {
  readonly request: Request;
  readonly url: URL;
  /** Path parameters, percent-decoded. */
  readonly path: Readonly<Record<string, string>>;
  /** Ends every wait for this request. */
  readonly deadline: AbortSignal;
}

/** One reply that is what was asked for. */
export interface SuccessDoc {
  readonly status: number;
  readonly description: string;
  readonly contentType?: string;
  /** Absent for text. */
  readonly schema?: v.GenericSchema;
}

/** Schemas of a route's three inputs. */
export interface Inputs {
  readonly path: v.GenericSchema;
  readonly query: v.GenericSchema;
  /** Absent where there is no body to read. */
  readonly body: v.GenericSchema | undefined;
}

/** One route. */
export interface Route {
  readonly method: "GET" | "POST";
  /** As in the document: `/v1/resources/{id}`. */
  readonly template: string;
  /** Name of the operation, for generated clients. */
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  readonly inputs: Inputs;
  /** Whether the retry key may come in headers. */
  readonly keyed: "operation" | "batch" | undefined;
  /** Answered however busy the gateway is: probes, scrapes and what never changes. */
  readonly probe: boolean;
  readonly success: readonly SuccessDoc[];
  /** Whether the answer may have to be waited for: then the request has a deadline. */
  readonly waits: boolean;
  /** Every code that its problems can have. */
  readonly codes: readonly Code[];
  readonly answer: (gateway: Gateway, incoming: Incoming) => Promise<Reply>;
}

/** A request whose inputs were read. */
export interface Call<P, Q, B> {
  readonly gateway: Gateway;
  readonly headers: Headers;
  readonly path: P;
  readonly query: Q;
  readonly body: B;
  readonly deadline: AbortSignal;
}

/** A route as it is written down. */
export interface RouteDefinition<
  P extends v.GenericSchema,
  Q extends v.GenericSchema,
  B extends v.GenericSchema,
> extends Pick<Route, "method" | "template" | "name" | "group" | "summary" | "success" | "codes"> {
  readonly path: P;
  readonly query: Q;
  readonly body?: B;
  readonly keyed?: "operation" | "batch";
  readonly probe?: boolean;
  /** Every route with a body does, unasked. */
  readonly waits?: true;
  readonly run: (
    call: Call<v.InferOutput<P>, v.InferOutput<Q>, v.InferOutput<B>>,
  ) => Reply | Promise<Reply>;
}

/** Codes that every route has. */
const ALWAYS: readonly Code[] = ["invalid_request", "misdirected"];
/** Codes of everything that is not a probe. */
const BOUNDED: readonly Code[] = ["overloaded", "bug"];
/** Codes of everything that changes something. */
const POSTED: readonly Code[] = [
  "cross_origin",
  "request_timeout",
  "body_too_large",
  "unsupported_media_type",
  "shutting_down",
];

/** Makes a route: reads its inputs, in the order path, query, body, and runs it when all are good. */
export function defineRoute<
  P extends v.GenericSchema,
  Q extends v.GenericSchema,
  B extends v.GenericSchema,
>(definition: RouteDefinition<P, Q, B>): Route {
  const { path, query, body, probe = false, keyed, waits, run, codes, ...rest } = definition;
  const usual = [...ALWAYS, ...probe ? [] : BOUNDED, ...body === undefined ? [] : POSTED];
  return {
    ...rest,
    keyed,
    probe,
    waits: waits ?? body !== undefined,
    inputs: { path, query, body },
    codes: [...new Set([...usual, ...codes])],
    async answer(gateway, incoming): Promise<Reply> {
      const inputs = await readInputs(gateway, incoming, path, query, body);
      if (inputs.kind === "reply") return inputs.reply;
      const { request: { headers }, deadline } = incoming;
      // An end that came already is not announced to those who begin to listen for it now.
      if (deadline.aborted) return refused("request_timeout");
      return run({ gateway, headers, deadline, ...inputs.value });
    },
  };
}

/** What is answered first: what was started, or the end of the wait for it. */
export function orDeadline(
  deadline: AbortSignal,
  start: (done: (reply: Reply) => void) => void,
  late: () => Reply,
): Promise<Reply> {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const giveUp = (): void => resolve(late());
  deadline.addEventListener("abort", giveUp, { once: true });
  start((reply) => {
    deadline.removeEventListener("abort", giveUp);
    resolve(reply);
  });
  return promise;
}

interface ReadInputs<P, Q, B> {
  readonly path: P;
  readonly query: Q;
  readonly body: B;
}

async function readInputs<
  P extends v.GenericSchema,
  Q extends v.GenericSchema,
  B extends v.GenericSchema,
>(
  gateway: Gateway,
  { request, url, path: parameters, deadline }: Incoming,
  pathSchema: P,
  querySchema: Q,
  bodySchema: B | undefined,
): Promise<Read<ReadInputs<v.InferOutput<P>, v.InferOutput<Q>, v.InferOutput<B>>>> {
  const path = check(pathSchema, parameters, "path");
  if (path.kind === "reply") return path;
  const rawQuery = readQuery(url);
  if (rawQuery.kind === "reply") return rawQuery;
  const query = check(querySchema, rawQuery.value, "query");
  if (query.kind === "reply") return query;
  if (bodySchema === undefined) {
    return value({ path: path.value, query: query.value, body: undefined });
  }
  const json = await readJson(request, gateway.limits.maxBodyBytes, deadline);
  if (json.kind === "reply") return json;
  const body = check(bodySchema, json.value, "body");
  if (body.kind === "reply") return body;
  return value({ path: path.value, query: query.value, body: body.value });
}
