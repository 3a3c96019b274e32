/** Routes that sequence commands. */
import { batchReply, writeReply, type WriteSuccess } from "./answers.ts";
import type { Code } from "./codes.ts";
import { encodeWrite } from "./encode.ts";
import type { Gateway } from "./gateway.ts";
import { invalidRequest, type Reply } from "./reply.ts";
import { batch, committed } from "./reply_schemas.ts";
import { type Call, defineRoute, type Route, type SuccessDoc } from "./route.ts";
import {
  batchBody,
  type BatchRequest,
  createBody,
  holderBody,
  nothing,
  operatorBody,
  reservationPath,
  reserveBody,
  type WriteRequest,
} from "./schemas.ts";
import { agreedKey, completeKey, keyFromHeaders, OPERATION_HEADER } from "./write_key.ts";

/** What the node may answer to any write. */
const WRITE_CODES: readonly Code[] = [
  "slot_overflow",
  "slot_rewound",
  "slot_too_far",
  "command_too_large",
  "lsn_exhausted",
  "overloaded",
  "shutting_down",
  "not_primary",
  "engine_halted",
  "storage_failure",
  "view_changed",
  "deadline_exceeded",
  "operation_conflict",
  "operation_table_full",
];

const CREATED: SuccessDoc = {
  status: 201,
  description: "It was made; Location says where",
  schema: committed,
};
const DONE: SuccessDoc = { status: 200, description: "It was done", schema: committed };

const create = defineRoute({
  method: "POST",
  template: "/v1/resources",
  name: "createResource",
  group: "Resources",
  summary: "Make a resource",
  keyed: "operation",
  path: nothing,
  query: nothing,
  body: createBody,
  success: [CREATED],
  codes: [...WRITE_CODES, "already_exists", "resource_table_full"],
  run: (call) =>
    write(call, { command: "create_resource", ...call.body }, {
      ...CREATED,
      location: `/v1/resources/${call.body.resource_id}`,
    }),
});

const reserve = defineRoute({
  method: "POST",
  template: "/v1/reservations",
  name: "reserve",
  group: "Reservations",
  summary: "Reserve a resource, or several, all or none",
  keyed: "operation",
  path: nothing,
  query: nothing,
  body: reserveBody,
  success: [CREATED],
  codes: [
    ...WRITE_CODES,
    "resource_not_found",
    "resource_busy",
    "bundle_too_large",
    "ttl_out_of_range",
    "reservation_table_full",
    "reservation_member_table_full",
    "expiration_index_full",
  ],
  run: (call) => write(call, { command: "reserve", ...call.body }, CREATED),
});

/** What naming a reservation can end in. */
const RESERVATION_CODES: readonly Code[] = [
  "reservation_not_found",
  "reservation_retired",
  "invalid_state",
];

function holderRoute(command: "confirm" | "release", summary: string): Route {
  return defineRoute({
    method: "POST",
    template: `/v1/reservations/{id}/${command}`,
    name: command,
    group: "Reservations",
    summary,
    keyed: "operation",
    path: reservationPath,
    query: nothing,
    body: holderBody,
    success: [DONE],
    codes: [...WRITE_CODES, ...RESERVATION_CODES, "holder_mismatch", "stale_epoch"],
    run: (call) => write(call, { command, reservation_id: call.path.id, ...call.body }),
  });
}

function operatorRoute(command: "revoke" | "reclaim", summary: string): Route {
  return defineRoute({
    method: "POST",
    template: `/v1/reservations/{id}/${command}`,
    name: command,
    group: "Reservations",
    summary,
    keyed: "operation",
    path: reservationPath,
    query: nothing,
    body: operatorBody,
    success: [DONE],
    codes: [...WRITE_CODES, ...RESERVATION_CODES],
    run: (call) => write(call, { command, reservation_id: call.path.id, ...call.body }),
  });
}

const commands = defineRoute({
  method: "POST",
  template: "/v1/commands",
  name: "submitBatch",
  group: "Batches",
  summary: "Submit many commands in one request; each ends by itself",
  keyed: "batch",
  path: nothing,
  query: nothing,
  body: batchBody,
  success: [{
    status: 200,
    description: "One result for each command, in order",
    schema: batch,
  }],
  codes: [],
  run: writeBatch,
});

/** Routes that sequence commands. */
export const WRITE_ROUTES: readonly Route[] = [
  create,
  reserve,
  holderRoute("confirm", "Make a reservation permanent until it is released or revoked"),
  holderRoute("release", "Give a reservation back"),
  operatorRoute("revoke", "Take a confirmed reservation from its holder; its resources stay held"),
  operatorRoute("reclaim", "Free the resources of a revoked reservation"),
  commands,
];

/** What every run of a write needs of its call. */
type WriteCall = Pick<Call<unknown, unknown, unknown>, "gateway" | "headers" | "deadline">;

async function write(
  { gateway, headers, deadline }: WriteCall,
  request: WriteRequest,
  success: WriteSuccess = DONE,
): Promise<Reply> {
  const given = keyFromHeaders(headers);
  if (given.kind === "reply") return given.reply;
  const agreed = agreedKey(request, given.value);
  if (agreed.kind === "reply") return agreed.reply;
  const key = completeKey(agreed.value);
  const encoded = encodeWrite(request, key, slotDurationMs(gateway));
  const [answer] = await gateway.submitter.submitAll([encoded], deadline);
  return writeReply(answer!, key, success);
}

async function writeBatch(
  { gateway, headers, deadline, body }: WriteCall & { readonly body: BatchRequest },
): Promise<Reply> {
  const given = keyFromHeaders(headers);
  if (given.kind === "reply") return given.reply;
  if (given.value.operation_id !== undefined) {
    const message = "names one operation; in a batch each command has its own operation_id";
    return invalidRequest([{ at: `header.${OPERATION_HEADER}`, message }]);
  }
  const agreed = agreedKey({ client_id: body.client_id }, given.value);
  if (agreed.kind === "reply") return agreed.reply;
  const writes = body.commands.map((request) => {
    const { operation_id, client_id = agreed.value.client_id } = request;
    return encodeWrite(request, completeKey({ operation_id, client_id }), slotDurationMs(gateway));
  });
  const answers = await gateway.submitter.submitAll(writes, deadline);
  return batchReply(answers.map((answer, i) => writeReply(answer, writes[i]!.key, DONE)));
}

function slotDurationMs(gateway: Gateway): number {
  return gateway.node.identity.core.slotDurationMs;
}
