/** What a server has to say to clients that it will not serve. */
import type { FrameStatus } from "../wire/framing.ts";
import type { ServerContext } from "./context.ts";
import type { ClientHello } from "../wire/hello.ts";
import { MessageType, PROTOCOL_VERSION, type WireErrorCode } from "../wire/messages.ts";

/** Why a client is not served, for programs and for people. */
export interface Refusal {
  readonly code: WireErrorCode;
  readonly message: string;
}

const SPEAKS = `this server speaks version ${PROTOCOL_VERSION}`;

/** For people: what is wrong with a frame. */
export const FRAME_FAULTS: Readonly<Record<Exclude<FrameStatus, "frame" | "incomplete">, string>> =
  {
    frame_too_large: "the frame exceeds max_frame_bytes",
    unsupported_version: SPEAKS,
    malformed_header: "a reserved byte of the frame header is not 0",
    checksum_mismatch: "the frame does not match its checksum",
  };

/** What anything but hello gets in its place. */
export const NO_HELLO: Refusal = {
  code: "unexpected_message",
  message: "the first message must be hello",
};

/**
 * Judges what a client's hello asks for.
 *
 * @param context The server's.
 * @param hello The message.
 * @returns Why the client is not served, or `undefined` when it is.
 */
export function helloRefusal(
  context: ServerContext,
  hello: ClientHello,
): Refusal | undefined {
  if (hello.version !== PROTOCOL_VERSION) return { code: "unsupported_version", message: SPEAKS };
  const own = context.node.identity.clusterId;
  if (!hello.clusterId?.some((byte, i) => byte !== own[i])) return undefined;
  return { code: "wrong_cluster", message: "this server belongs to another cluster" };
}

/** What a request gets that its role may not make. */
export const FORBIDDEN: Refusal = {
  code: "forbidden",
  message: "the role of this connection's key may not ask for this",
};

/** Says what is wrong with a message that is no request. */
export function requestRefusal(type: number): Refusal {
  const isRequest = type >= MessageType.submit && type <= MessageType.status;
  if (!isRequest) {
    return { code: "unexpected_message", message: `no message of type ${type} is expected here` };
  }
  return { code: "malformed_message", message: `a message of type ${type} has another shape` };
}
