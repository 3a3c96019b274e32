/** From a request's bytes to values that a schema vouches for, or to the reply that says why not. */
import * as v from "valibot";
import { parseJson } from "./json_text.ts";
import { FIELD_ERRORS_MAX, type FieldError, invalidRequest, refused, type Reply } from "./reply.ts";

/** A value, or the reply that ends the request. */
export type Read<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "reply"; readonly reply: Reply };

/** A good value. */
export function value<T>(read: T): Read<T> {
  return { kind: "value", value: read };
}

/** The end of the request. */
export function refusal(reply: Reply): Read<never> {
  return { kind: "reply", reply };
}

/**
 * Reads the whole body as a JSON object. No body at all is an empty one.
 *
 * @param request Whose body to read.
 * @param bytesMax Most bytes that are kept.
 * @param deadline Ends the wait for a body that does not come.
 */
export async function readJson(
  request: Request,
  bytesMax: number,
  deadline: AbortSignal,
): Promise<Read<unknown>> {
  const bytes = await readBody(request, bytesMax, deadline);
  if (bytes.kind === "reply") return bytes;
  if (bytes.value.length === 0) return value({});
  const detail = encodingMistake(request.headers);
  if (detail !== undefined) return refusal(refused("unsupported_media_type", { detail }));
  const text = utf8(bytes.value);
  if (text === undefined) return wrong({ at: "body", message: "is not UTF-8" });
  const result = parseJson(text);
  if (result.kind === "value") {
    const isObject = typeof result.value === "object" && !Array.isArray(result.value);
    return isObject ? value(result.value) : wrong({ at: "body", message: "must be an object" });
  }
  const { message, line, column } = result.mistake;
  return wrong({
    at: "body",
    message: `is not JSON: ${message} at line ${line}, column ${column}`,
  });
}

/** Bodies are JSON in UTF-8, with or without saying the latter, and uncompressed. */
function encodingMistake(headers: Headers): string | undefined {
  const type = headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type)) {
    return "Send the header Content-Type: application/json";
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  return encoding === "identity" ? undefined : "Send the body uncompressed";
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Reads a body in one piece if its length is announced, which is twice as fast, else piece by piece. */
async function readBody(
  request: Request,
  bytesMax: number,
  deadline: AbortSignal,
): Promise<Read<Uint8Array>> {
  const announced = announcedLength(request.headers);
  if (announced !== undefined && announced > bytesMax) return tooLarge(bytesMax);
  const late = Promise.withResolvers<"late">();
  const giveUp = (): void => late.resolve("late");
  deadline.addEventListener("abort", giveUp);
  try {
    const reading = announced === undefined ? collect(request, bytesMax) : request.bytes();
    reading.catch(() => {}); // Whoever is too late ends with an error that nobody waits for.
    const bytes = await Promise.race([reading, late.promise]);
    if (bytes === "late") return refusal(refused("request_timeout", {}, CLOSE));
    return bytes === undefined ? tooLarge(bytesMax) : value(bytes);
  } catch {
    return wrong({ at: "body", message: "ended before its announced end" });
  } finally {
    deadline.removeEventListener("abort", giveUp);
  }
}

/** Bytes that the sender is held to; `undefined` when it may send any number. */
function announcedLength(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length === null || headers.has("transfer-encoding") ? undefined : Number(length);
}

function tooLarge(bytesMax: number): Read<never> {
  return refusal(refused("body_too_large", { max_body_bytes: bytesMax }, CLOSE));
}

/** The rest of the body is of no use, so neither is the connection. */
const CLOSE = { connection: "close" };

/** All bytes, or `undefined` when there are more than `bytesMax`. */
async function collect(request: Request, bytesMax: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return join(chunks, length);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Each parameter of a query once. */
export function readQuery(url: URL): Read<Record<string, string>> {
  const seen = new Map<string, string>();
  for (const [name, text] of url.searchParams) {
    if (seen.has(name)) return wrong({ at: `query.${name}`, message: "is given twice" });
    seen.set(name, text);
  }
  return value(Object.fromEntries(seen));
}

/**
 * Holds a value against a schema.
 *
 * @param schema What it must be.
 * @param input What it is.
 * @param place How errors call it: `body`, `query`, `path`.
 */
export function check<const T extends v.GenericSchema>(
  schema: T,
  input: unknown,
  place: string,
): Read<v.InferOutput<T>> {
  const result = v.safeParse(schema, input);
  if (result.success) return value(result.output);
  const issues: readonly v.BaseIssue<unknown>[] = result.issues;
  const listed = issues.slice(0, FIELD_ERRORS_MAX).map((issue) => fieldError(issue, place));
  return refusal(invalidRequest(listed));
}

function fieldError(issue: v.BaseIssue<unknown>, place: string): FieldError {
  const path = v.getDotPath(issue);
  return { at: path === null ? place : `${place}.${path}`, message: describe(issue) };
}

/** The issue in words that need no knowledge of the schema library. */
function describe({ kind, type, expected, received, message }: v.BaseIssue<unknown>): string {
  if (kind !== "schema") return message;
  if (type === "strict_object") {
    if (expected === "never") return "is not known here";
    return expected === "Object" ? "must be an object" : "is required";
  }
  if (type !== "variant") return message;
  if (expected === "Object") return "must be an object";
  const choices = expected!.replace(/[()"]/g, "").replaceAll(" | ", ", ");
  return `is ${received}, and must be one of ${choices}`;
}

function wrong(error: FieldError): Read<never> {
  return refusal(invalidRequest([error]));
}
