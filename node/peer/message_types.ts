/** Numbers and bounds of what replicas say to each other. Source: docs/wire.md#replicas. */

/** Version of the messages below, said in hello. */
export const PEER_PROTOCOL_VERSION = 1;

/** First element of every message body between replicas; apart from those of clients, which end at 20. */
export const PeerMessageType = {
  peer_hello: 32,
  peer_welcome: 33,
  peer_challenge: 34,
  peer_response: 35,
  peer_alive: 36,
  prepare: 40,
  prepare_ok: 41,
  prepare_reject: 42,
  probe_view: 43,
  probe_view_ok: 44,
  start_view_change: 45,
  do_view_change: 46,
  start_view: 47,
  get_log_range: 48,
  log_range: 49,
  recovery: 50,
  recovery_response: 51,
  snapshot_offer: 52,
  get_snapshot_chunk: 53,
  snapshot_chunk: 54,
} as const;

/** Largest frame body between replicas that know each other. */
export const PEER_FRAME_BYTES_MAX = 0x100_0000;

/** Largest frame body before that, and on the way back. */
export const PEER_GREETING_BYTES_MAX = 0x1000;

/** Most that a message may carry besides its `frames` or `bytes`, its frame header included. */
export const PEER_MESSAGE_OVERHEAD_BYTES = 0x80;
