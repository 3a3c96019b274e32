/** Every route of the gateway, in the order of the document. */
import { ADMIN_ROUTES } from "./admin_routes.ts";
import { openApiDocument } from "./openapi.ts";
import { READ_ROUTES } from "./read_routes.ts";
import { ok, text } from "./reply.ts";
import { index } from "./reply_schemas.ts";
import { defineRoute, type Route } from "./route.ts";
import { nothing } from "./schemas.ts";
import { WRITE_ROUTES } from "./write_routes.ts";

const document = defineRoute({
  method: "GET",
  template: "/openapi.json",
  name: "openApi",
  group: "Operation",
  summary: "This interface as an OpenAPI 3.1 document",
  path: nothing,
  query: nothing,
  probe: true,
  success: [{ status: 200, description: "The document", contentType: "application/json" }],
  codes: [],
  run: ({ gateway }) =>
    text(
      "application/json; charset=utf-8",
      `${JSON.stringify(openApiDocument(ROUTES, gateway))}\n`,
    ),
});

const root = defineRoute({
  method: "GET",
  template: "/",
  name: "index",
  group: "Operation",
  summary: "What there is",
  path: nothing,
  query: nothing,
  probe: true,
  success: [{ status: 200, description: "The routes", schema: index }],
  codes: [],
  run: ({ gateway }) =>
    ok(200, {
      name: "allocdb",
      version: gateway.version,
      document: "/openapi.json",
      routes: ROUTES.map(({ method, template, summary }) => ({ method, path: template, summary })),
    }),
});

/** Every route. */
export const ROUTES: readonly Route[] = [
  ...WRITE_ROUTES,
  ...READ_ROUTES,
  ...ADMIN_ROUTES,
  document,
  root,
];
