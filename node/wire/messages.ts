/** Numbers and words of the wire protocol. Source: docs/wire.md. */

/** Version in every frame header and in hello. */
export const PROTOCOL_VERSION = 1;

/** First element of every message body. A reply is its request plus 10; a challenge is answered by a proof. */
export const MessageType = {
  hello: 0,
  submit: 1,
  get_resource: 2,
  get_reservation: 3,
  get_metrics: 4,
  tick_expirations: 5,
  checkpoint: 6,
  status: 7,
  auth_proof: 8,
  hello_reply: 10,
  submit_reply: 11,
  resource: 12,
  reservation: 13,
  metrics: 14,
  tick: 15,
  checkpoint_reply: 16,
  status_reply: 17,
  auth_challenge: 18,
  error: 20,
} as const;

/** One of the numbers in {@linkcode MessageType}. */
export type MessageType = typeof MessageType[keyof typeof MessageType];

/**
 * Why a server answers with an error message. With request id 0 it concerns the connection, which then
 * ends; with another one only that request.
 */
export const WIRE_ERROR_CODES = [
  /** A frame announced a body above `max_frame_bytes`. */
  "frame_too_large",
  /** Another protocol version, in a header or in hello. */
  "unsupported_version",
  /** A reserved byte of a header is not 0. */
  "malformed_header",
  /** A body is not what was sent. */
  "checksum_mismatch",
  /** A body is not what its message type says. */
  "malformed_message",
  /** A message that has no place here: hello is first, and only first. */
  "unexpected_message",
  /** The client insists on another cluster. */
  "wrong_cluster",
  /** The two sides could not prove to each other that they know the same secret. */
  "unauthenticated",
  /** The role that the client has proved may not ask for this. */
  "forbidden",
  /** The server holds as many connections as it may. */
  "too_many_connections",
  /** Hello, the rest of a frame, or the reading of replies took too long. */
  "deadline_exceeded",
  /** The server stops; requests it has not answered were not taken. */
  "shutting_down",
  /** More commands than `max_batch_commands`: nothing of this request was taken. */
  "batch_too_large",
  /** The reply would exceed `max_frame_bytes`. */
  "reply_too_large",
] as const;

/** One of {@linkcode WIRE_ERROR_CODES}. */
export type WireErrorCode = typeof WIRE_ERROR_CODES[number];

/** Longest text that either side accepts, in bytes of UTF-8. */
export const TEXT_BYTES_MAX = 1_024;
