/** What a server must make of a stream, said a second time: of the whole of it at once, and without a socket. */
import { FRAME_HEADER_BYTES } from "../../../node/wire/framing.ts";
import { readClientHello } from "../../../node/wire/hello.ts";
import { MessageType } from "../../../node/wire/messages.ts";
import { WireReader } from "../../../node/wire/reader.ts";
import { readRequest } from "../../../node/wire/requests.ts";
import { createSubmitRequest, readSubmit } from "../../../node/wire/submit.ts";
import { equalBytes } from "../target.ts";
import { referenceFrames } from "./frames.ts";

/** Largest body of the first message. Source: docs/wire.md#hello. */
const GREETING_BYTES_MAX = 1_024;

/** What the server was started with. */
export interface ServerBounds {
  readonly maxFrameBytes: number;
  readonly maxBatchCommands: number;
  readonly clusterId: Uint8Array;
}

/** What must come of a stream. */
export interface Expectation {
  /** Every reply, as `type request_id results`, in the order of the requests. */
  readonly replies: readonly string[];
  /** Commands of each batch that is taken, in order. */
  readonly batches: readonly number[];
  /** The word that ends the connection, or `undefined` when the client may end it. */
  readonly fault: string | undefined;
}

/**
 * Reads a stream.
 *
 * @param stream Everything that a client sends.
 * @param bounds The server's.
 * @returns What must come of it.
 */
export function expectedOf(stream: Uint8Array, bounds: ServerBounds): Expectation {
  if (isLongGreeting(stream)) return { replies: [], batches: [], fault: "frame_too_large" };
  const { bodies, stop } = referenceFrames(stream, bounds.maxFrameBytes);
  const replies: string[] = [];
  const batches: number[] = [];
  for (const [i, body] of bodies.entries()) {
    const fault = i === 0
      ? helloFault(body, bounds, replies)
      : requestFault(body, bounds, replies, batches);
    if (fault !== undefined) return { replies, batches, fault };
  }
  return { replies, batches, fault: stop === "incomplete" ? undefined : stop };
}

/** Whether the first header is sound and announces more than anybody needs to say hello. */
function isLongGreeting(stream: Uint8Array): boolean {
  if (stream.length < FRAME_HEADER_BYTES) return false;
  const view = viewOf(stream);
  return view.getUint32(4) === 0x0100_0000 && view.getUint32(0) > GREETING_BYTES_MAX;
}

function readerOf(body: Uint8Array): WireReader {
  const reader = new WireReader();
  reader.open(viewOf(body), 0, body.length);
  return reader;
}

function viewOf(body: Uint8Array): DataView {
  return new DataView(body.buffer, body.byteOffset, body.length);
}

function helloFault(
  body: Uint8Array,
  { clusterId }: ServerBounds,
  replies: string[],
): string | undefined {
  const hello = readClientHello(readerOf(body));
  if (hello === undefined) return "unexpected_message";
  if (hello.version !== 1) return "unsupported_version";
  const insists = hello.clusterId !== undefined && !equalBytes(hello.clusterId, clusterId);
  if (insists) return "wrong_cluster";
  if (hello.auth !== undefined) return "unauthenticated"; // This server has no secret.
  replies.push(`${MessageType.hello_reply} 0 0`);
  return undefined;
}

function requestFault(
  body: Uint8Array,
  bounds: ServerBounds,
  replies: string[],
  batches: number[],
): string | undefined {
  const type = body[1];
  if (body.length >= 2 && type === MessageType.submit) {
    return submitFault(body, bounds, replies, batches);
  }
  const request = readRequest(readerOf(body));
  if (request !== undefined) {
    replies.push(`${MessageType[request.question.kind] + 10} ${request.requestId} 0`);
    return undefined;
  }
  const isRequest = body.length >= 2 && type! >= MessageType.submit && type! <= MessageType.status;
  return isRequest ? "malformed_message" : "unexpected_message";
}

function submitFault(
  body: Uint8Array,
  { maxBatchCommands }: ServerBounds,
  replies: string[],
  batches: number[],
): string | undefined {
  const submit = createSubmitRequest(maxBatchCommands);
  const status = readSubmit(viewOf(body), 0, body.length, submit);
  if (status === "malformed_message") return status;
  const requestId = (BigInt(submit.requestIdHigh) << 32n) | BigInt(submit.requestIdLow);
  if (status === "ok") batches.push(submit.count);
  const type = status === "ok" ? MessageType.submit_reply : MessageType.error;
  replies.push(`${type} ${requestId} ${status === "ok" ? submit.count : 0}`);
  return undefined;
}
