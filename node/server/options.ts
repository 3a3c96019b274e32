import type { Member } from "../wire/cluster.ts";
import type { ServerTls } from "../auth/tls_files.ts";
import { batchCommandsMax } from "../wire/submit.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "../wire/framing.ts";
import type { ServerLimits } from "../wire/status.ts";

/** The port of servers and clients that are not told another one. */
export const DEFAULT_PORT = 7100;

/** Smallest frame limit: any single command of ordinary size and its reply fit. */
const FRAME_BYTES_MIN = 4_096;

/** Something an operator may want to read in a log. */
export type ServerEvent =
  /** A connection was closed for breaking the protocol or a deadline. */
  | {
    readonly kind: "connection_failed";
    readonly peer: string;
    readonly code: string;
    readonly message: string;
  }
  /** A connection was turned away: too many are open. */
  | { readonly kind: "connection_refused"; readonly peer: string }
  /** The system gave no connection; accepting goes on after a pause. */
  | { readonly kind: "accept_failed"; readonly message: string };

/** How a server listens and what it allows. Every bound has a default. */
export interface ServerOptions {
  /** Told to clients, e.g. `0.1.0`. */
  readonly version: string;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly hostname?: string;
  /** Port to listen on; 0 takes a free one. Default {@linkcode DEFAULT_PORT}. */
  readonly port?: number;
  /** The cluster's secrets, the first of which is the current one: nobody is served without a proof then. */
  readonly secrets?: readonly Uint8Array[] | undefined;
  /** What to show over TLS; plain TCP when absent. */
  readonly tls?: ServerTls | undefined;
  /** Connections open at once. Default 1,024. */
  readonly maxConnections?: number;
  /** Largest frame body either way, in bytes. Default 1 MiB, at least 4 KiB. */
  readonly maxFrameBytes?: number;
  /** Commands in one request. Default 8,192, or fewer if their reply might not fit a frame. */
  readonly maxBatchCommands?: number;
  /** Unanswered commands of one connection above which it is not read from. Default 16,384. */
  readonly maxInFlightCommands?: number;
  /** Unsent reply bytes of one connection above which it is not read from. Default 4 MiB. */
  readonly maxUnsentBytes?: number;
  /** How long a frame may take from its first byte to its last. Default 10,000. */
  readonly frameDeadlineMs?: number;
  /** How long a new connection may take to say hello. Default 5,000. */
  readonly handshakeDeadlineMs?: number;
  /** How long a client may read none of what is being sent to it. Default 10,000. */
  readonly writeDeadlineMs?: number;
  /** How long a connection may be idle. Default 0: as long as it likes. */
  readonly idleDeadlineMs?: number;
  /** How long a connection that ends may take to read the last message. Default 1,000. */
  readonly lingerMs?: number;
  /** Where all replicas of the cluster take clients, for those who look for the primary; asked at each hello. */
  readonly members?: () => readonly Member[];
  /** Told what an operator may want to read. Must not throw. */
  readonly onEvent?: (event: ServerEvent) => void;
}

/** Times that a server grants, in milliseconds. */
export interface ServerDeadlines {
  readonly frameMs: number;
  readonly handshakeMs: number;
  readonly writeMs: number;
  /** 0 is never. */
  readonly idleMs: number;
  readonly lingerMs: number;
}

/**
 * Fills in the bounds that were left out.
 *
 * @param options What was asked for.
 * @returns Every bound.
 * @throws {RangeError} When a bound is no whole number above 0, or too small to work with.
 */
export function serverLimits(options: ServerOptions): ServerLimits {
  const maxFrameBytes = bound("maxFrameBytes", options.maxFrameBytes, DEFAULT_MAX_FRAME_BYTES);
  if (maxFrameBytes < FRAME_BYTES_MIN) {
    throw new RangeError(`maxFrameBytes must be at least ${FRAME_BYTES_MIN}`);
  }
  const batch = bound("maxBatchCommands", options.maxBatchCommands, 8_192);
  return {
    maxConnections: bound("maxConnections", options.maxConnections, 1_024),
    maxFrameBytes,
    maxBatchCommands: Math.min(batch, batchCommandsMax(maxFrameBytes)),
    maxInFlightCommands: bound("maxInFlightCommands", options.maxInFlightCommands, 16_384),
    maxUnsentBytes: bound("maxUnsentBytes", options.maxUnsentBytes, 0x40_0000),
  };
}

/**
 * Fills in the deadlines that were left out.
 *
 * @param options What was asked for.
 * @returns Every deadline.
 * @throws {RangeError} When one is no whole number above 0; the idle deadline may be 0.
 */
export function serverDeadlines(options: ServerOptions): ServerDeadlines {
  const idleMs = options.idleDeadlineMs ?? 0;
  return {
    frameMs: bound("frameDeadlineMs", options.frameDeadlineMs, 10_000),
    handshakeMs: bound("handshakeDeadlineMs", options.handshakeDeadlineMs, 5_000),
    writeMs: bound("writeDeadlineMs", options.writeDeadlineMs, 10_000),
    idleMs: idleMs === 0 ? 0 : bound("idleDeadlineMs", idleMs, idleMs),
    lingerMs: bound("lingerMs", options.lingerMs, 1_000),
  };
}

function bound(name: string, value: number | undefined, otherwise: number): number {
  const chosen = value ?? otherwise;
  if (Number.isInteger(chosen) && chosen > 0 && chosen <= 0x7fff_ffff) return chosen;
  throw new RangeError(`${name} must be a whole number from 1 to ${0x7fff_ffff}`);
}
