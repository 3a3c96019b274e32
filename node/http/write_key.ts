/** The retry key of a write: who sends it and which operation it is. Source: docs/http.md#retries. */
import * as v from "valibot";
import { id } from "./fields.ts";
import { type Read, refusal, value } from "./read_request.ts";
import { type FieldError, invalidRequest } from "./reply.ts";

/** Header that may carry the operation id. */
export const OPERATION_HEADER = "Idempotency-Key";
/** Header that may carry the client id. */
export const CLIENT_HEADER = "X-Client-Id";

/** Whose retries a write without a client id belongs to. */
const ANONYMOUS = 0n;

/** Both halves, as far as the request gave them. */
export interface GivenKey {
  readonly operation_id?: bigint | undefined;
  readonly client_id?: bigint | undefined;
}

/** Both halves. */
export interface WriteKey {
  readonly operationId: bigint;
  readonly clientId: bigint;
}

/** Reads what the headers say of the key. */
export function keyFromHeaders(headers: Headers): Read<GivenKey> {
  const operation = idFromHeader(headers, OPERATION_HEADER);
  if (operation.kind === "reply") return operation;
  const client = idFromHeader(headers, CLIENT_HEADER);
  if (client.kind === "reply") return client;
  return value({ operation_id: operation.value, client_id: client.value });
}

/** A key said twice must be said alike: anything else is a mistake that could apply a command twice. */
export function agreedKey(body: GivenKey, headers: GivenKey): Read<GivenKey> {
  const errors: FieldError[] = [];
  for (const name of ["operation_id", "client_id"] as const) {
    if (body[name] === undefined || headers[name] === undefined) continue;
    if (body[name] === headers[name]) continue;
    const header = name === "operation_id" ? OPERATION_HEADER : CLIENT_HEADER;
    errors.push({ at: `body.${name}`, message: `differs from the header ${header}` });
  }
  if (errors.length > 0) return refusal(invalidRequest(errors));
  return value({
    operation_id: body.operation_id ?? headers.operation_id,
    client_id: body.client_id ?? headers.client_id,
  });
}

/** Fills in what was not given: a random operation, so that a repetition is a new one, by nobody in particular. */
export function completeKey(given: GivenKey): WriteKey {
  return {
    operationId: given.operation_id ?? randomId(),
    clientId: given.client_id ?? ANONYMOUS,
  };
}

function randomId(): bigint {
  const words = crypto.getRandomValues(new BigUint64Array(2));
  return (words[0]! << 64n) | words[1]!;
}

/** A header may be a bare id or, as the draft standard for idempotency keys has it, a quoted string. */
function idFromHeader(headers: Headers, name: string): Read<bigint | undefined> {
  const raw = headers.get(name);
  if (raw === null) return value(undefined);
  const wrong = (message: string): Read<never> =>
    refusal(invalidRequest([{ at: `header.${name}`, message }]));
  // Two headers of one name arrive joined by a comma; other bytes than ASCII arrive as Latin-1.
  if (!/^[\x20-\x2b\x2d-\x7e]*$/.test(raw)) {
    return wrong("must be given once, in ASCII and without a comma; the body takes any name");
  }
  const result = v.safeParse(id, /^"([^"\\]*)"$/.exec(raw)?.[1] ?? raw);
  return result.success ? value(result.output) : wrong(result.issues[0].message);
}
