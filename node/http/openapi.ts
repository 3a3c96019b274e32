/** The OpenAPI document, made of the routes and schemas that do the work. Source: OpenAPI 3.1.0. */
import type * as v from "valibot";
import { type Code, CODES } from "./codes.ts";
import { id, type JsonSchema } from "./fields.ts";
import { type Components, entriesOf, isOptional, toJsonSchema } from "./json_schema.ts";
import { problemDetails } from "./reply_schemas.ts";
import type { Route } from "./route.ts";
import { CLIENT_HEADER, OPERATION_HEADER } from "./write_key.ts";

/**
 * Makes the document.
 *
 * @param routes What to describe.
 * @param about Version of the program and bounds that the text states.
 * @returns Ready for `JSON.stringify`.
 */
export function openApiDocument(
  routes: readonly Route[],
  about: { readonly version: string; readonly limits: { readonly maxBodyBytes: number } },
): JsonSchema {
  const components: Components = new Map();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) {
    const path = paths[route.template] ??= {};
    path[route.method.toLowerCase()] = operation(route, components);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "AllocDB",
      version: about.version,
      summary: "Reservations that are durable, exclusive and safe to retry",
      description:
        `Every 64- or 128-bit number in a reply is a decimal string. Errors are problem ` +
        `details (RFC 9457) whose code is the same word in every protocol. Bodies are at most ` +
        `${about.limits.maxBodyBytes} bytes.`,
      license: { name: "MIT", identifier: "MIT" },
    },
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => a < b ? -1 : 1)),
    },
  };
}

function operation(route: Route, components: Components): JsonSchema {
  const { body } = route.inputs;
  const parameters = parametersOf(route, components);
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [route.group],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined ? {} : { requestBody: requestBody(body, components) }),
    responses: { ...successes(route, components), ...problems(route, components) },
  };
}

function parametersOf({ inputs, keyed }: Route, components: Components): JsonSchema[] {
  const inPath = Object.entries(entriesOf(inputs.path)).map(([name, schema]) => ({
    ...{ name, in: "path", required: true },
    schema: toJsonSchema(schema, components),
  }));
  const inQuery = Object.entries(entriesOf(inputs.query)).map(([name, schema]) => ({
    ...{ name, in: "query", required: !isOptional(schema) },
    schema: toJsonSchema(schema, components),
  }));
  return [...inPath, ...inQuery, ...keyHeaders(keyed, components)];
}

function keyHeaders(keyed: Route["keyed"], components: Components): JsonSchema[] {
  const header = (name: string, description: string): JsonSchema => ({
    ...{ name, in: "header", required: false, description },
    schema: toJsonSchema(id, components),
  });
  const operationHeader = header(
    OPERATION_HEADER,
    "The operation id, instead of operation_id. Without either a random one is made and returned, " +
      "and a repetition is a new operation.",
  );
  const clientHeader = header(
    CLIENT_HEADER,
    "The client id, instead of client_id; 0 without either.",
  );
  if (keyed === undefined) return [];
  return keyed === "batch" ? [clientHeader] : [operationHeader, clientHeader];
}

function requestBody(body: v.GenericSchema, components: Components): JsonSchema {
  const required = Object.values(entriesOf(body)).some((member) => !isOptional(member));
  return {
    required,
    content: { "application/json": { schema: toJsonSchema(body, components) } },
  };
}

function successes({ success }: Route, components: Components): Record<string, JsonSchema> {
  return Object.fromEntries(
    success.map(({ status, description, contentType = "application/json", schema }) => {
      const type = contentType.split(";")[0]!;
      const asText = { type: type === "application/json" ? "object" : "string" };
      const described = schema === undefined ? asText : toJsonSchema(schema, components);
      return [status, { description, content: { [type]: { schema: described } } }];
    }),
  );
}

/** One response for each status, which lists the codes that come with it. */
function problems({ codes }: Route, components: Components): Record<string, JsonSchema> {
  const details = toJsonSchema(problemDetails, components);
  const byStatus = Map.groupBy([...codes].sort(), (code) => CODES[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, here]) => [status, {
      description: here.map((code) => `${code}: ${CODES[code].title}`).join("\n\n"),
      ...responseHeaders(here),
      content: {
        "application/problem+json": {
          schema: {
            allOf: [details, { type: "object", properties: { code: { enum: here } } }],
          },
        },
      },
    }]),
  );
}

function responseHeaders(codes: readonly Code[]): JsonSchema {
  const waits = codes.some((code) => CODES[code].retry === "after_ms");
  if (!waits) return {};
  return {
    headers: {
      "Retry-After": {
        description: "Seconds to wait, where retry is after_ms",
        schema: { type: "integer", minimum: 0 },
      },
    },
  };
}
