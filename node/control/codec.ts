/** Control messages as bytes: frames of node/wire/framing.ts around CBOR maps. Source: docs/wire.md#control. */
import { Encoder } from "cbor-x";
import * as v from "valibot";
import { FRAME_HEADER_BYTES, writeFrameHeader } from "../wire/framing.ts";
import {
  type ControlErrorReply,
  type ControlReplies,
  type ControlRequest,
  type ControlVerb,
  errorSchema,
  REPLY_SCHEMAS,
  requestSchema,
} from "./messages.ts";

/** Largest body either way. */
export const CONTROL_BODY_BYTES_MAX = 0x10_0000;

/** Plain maps and byte strings; no state between calls. Its results lie in a buffer that it reuses. */
const cbor = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });

/**
 * Encodes one message.
 *
 * @param message A request or a reply.
 * @returns A frame of its own memory.
 */
export function encodeControl(message: object): Uint8Array<ArrayBuffer> {
  const body = cbor.encode(message);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  frame.set(body, FRAME_HEADER_BYTES);
  writeFrameHeader(frame, new DataView(frame.buffer), 0, frame.length);
  return frame;
}

/**
 * Decodes a body as whatever it is.
 *
 * @param body Bytes of one body; copied, as the decoder's byte strings are views.
 * @returns A value, or `undefined` for bytes that are no CBOR.
 */
export function decodeControl(body: Uint8Array): unknown {
  try {
    return cbor.decode(Uint8Array.from(body));
  } catch {
    return undefined; // Whatever the decoder throws at malformed bytes, they are malformed.
  }
}

/** A request, or `undefined` when the value is none. */
export function parseRequest(value: unknown): ControlRequest | undefined {
  const parsed = v.safeParse(requestSchema, value);
  return parsed.success ? parsed.output : undefined;
}

/**
 * Judges an answer.
 *
 * @param verb What was asked.
 * @param value What came.
 * @returns The answer or the refusal; `undefined` when it is neither.
 */
export function parseReply<Verb extends ControlVerb>(
  verb: Verb,
  value: unknown,
): ControlReplies[Verb] | ControlErrorReply | undefined {
  const refused = v.safeParse(errorSchema, value);
  if (refused.success) return refused.output;
  const schema: v.GenericSchema = REPLY_SCHEMAS[verb];
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output as ControlReplies[Verb] : undefined;
}
