import type { WireReader } from "../wire/reader.ts";
import type { FaultyLink } from "./link_faults.ts";
import type { PeerDeadlines, PeerEvent, PeerMember, PeerTransportOptions } from "./options.ts";

/** Something that has bytes to send at the end of this turn. */
export interface Flushable {
  /** Whether a flush is due; the transport's to set. */
  isFlushDue: boolean;
  flush(): void;
}

/** What is counted for one peer. */
export interface PeerCounters {
  connects: number;
  disconnects: number;
  queueOverflows: number;
  messagesDropped: number;
  messagesSent: number;
  messagesReceived: number;
  bytesSent: number;
  bytesReceived: number;
}

/** One other replica, as the whole transport knows it. */
export interface Peer {
  readonly member: PeerMember;
  readonly counters: PeerCounters;
  /** On the way to it, in front of the socket. */
  readonly outward: FaultyLink;
  /** On the way from it, behind the socket. */
  readonly inward: FaultyLink;
  /** Why there is no connection to it, for people. */
  lastError: string | undefined;
}

/** What all connections of one transport share. */
export interface PeerContext {
  readonly options: PeerTransportOptions;
  readonly deadlines: PeerDeadlines;
  readonly queueBytesMax: number;
  readonly membersDigest: bigint;
  readonly peers: ReadonlyMap<bigint, Peer>;
  /** Scratch for one message at a time: connections take turns. */
  readonly reader: WireReader;
  hellosRefused: number;
  connectionsFailed: number;
  tell(event: PeerEvent): void;
  /** Whether this was not told of that subject since the last `forget`; it counts as told from then on. */
  isNews(subject: string, text: string): boolean;
  forget(subject: string): void;
  /** Uniform in [0, 1). */
  random(): number;
  flushLater(link: Flushable): void;
}
