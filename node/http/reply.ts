/** Replies before they are bytes: plain records that a batch can nest and a test can compare. */
import { type Code, CODES } from "./codes.ts";

/** What JSON can say, and `bigint`, which it says as a decimal string. `undefined` is left out. */
export type Json = string | number | boolean | null | bigint | undefined | readonly Json[] | Body;

/** A JSON object. */
export interface Body {
  readonly [name: string]: Json;
}

/** One reply. A string goes out as it is, anything else as JSON. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: Body | string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A reply whose body is JSON. */
export interface JsonReply extends Reply {
  readonly body: Body;
}

const JSON_TYPE = "application/json; charset=utf-8";
const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** What `after_ms` advises, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

/** A reply that is what was asked for. */
export function ok(
  status: number,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): JsonReply {
  return { status, contentType: JSON_TYPE, body, headers };
}

/** A reply in a format of its own. */
export function text(contentType: string, body: string): Reply {
  return { status: 200, contentType, body, headers: {} };
}

/**
 * A reply that is not what was asked for, as RFC 9457 problem details. Its status, title and retry advice are
 * the code's.
 *
 * @param code What happened, in the word that every protocol of the node uses.
 * @param members Facts of this occurrence, `kind` first. `retry` overrides the code's own.
 * @param headers Headers beyond the usual ones.
 */
export function problem(
  code: Code,
  members: Body & { readonly kind: string },
  headers: Readonly<Record<string, string>> = {},
): JsonReply {
  const { status, title, retry: usual } = CODES[code];
  const { kind, retry = usual, ...facts } = members;
  const waits = retry === "after_ms";
  const type = `urn:allocdb:${code}`;
  const body = {
    ...{ type, title, status, kind, code, retry },
    ...(waits ? { retry_after_ms: RETRY_AFTER_MS } : {}),
    ...facts,
  };
  // Programs repeat by themselves what has this header: a committed result would only be the same again.
  const repeats = waits && kind !== "committed";
  const wait = repeats ? { "retry-after": String(RETRY_AFTER_MS / 1_000) } : {};
  return { status, contentType: PROBLEM_TYPE, body, headers: { ...wait, ...headers } };
}

/** The gateway's own refusal: whatever was asked for certainly did not happen. */
export function refused(
  code: Code,
  facts: Body = {},
  headers: Readonly<Record<string, string>> = {},
): JsonReply {
  return problem(code, { kind: "rejected", category: "definite", ...facts }, headers);
}

/** One thing that is wrong with a request. */
export interface FieldError {
  /** Where: `body.ttl_ms`, `body.commands.3.epoch`, `query.required_lsn`, `header.Idempotency-Key`. */
  readonly at: string;
  readonly message: string;
}

/** Most errors that one reply lists. */
export const FIELD_ERRORS_MAX = 16;

/**
 * A request that no retry will make better: nothing of it was done.
 *
 * @param errors At least one, at most {@linkcode FIELD_ERRORS_MAX}.
 */
export function invalidRequest(errors: readonly FieldError[]): JsonReply {
  return refused("invalid_request", {
    detail: errors.slice(0, 3).map(({ at, message }) => `${at} ${message}`).join("; "),
    errors: errors.map(({ at, message }) => ({ at, message })),
  });
}

/** Everything a reply says, as it goes out; ends in a newline, for terminals. */
export function replyText(reply: Reply): string {
  if (typeof reply.body === "string") return reply.body;
  return `${JSON.stringify(reply.body, (_, value) => numberAsText(value))}\n`;
}

function numberAsText(value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
