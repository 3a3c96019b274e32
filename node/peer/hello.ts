/** How two replicas make sure of each other before anything else. Source: docs/wire.md#hello-between-replicas. */
import { sha256Words } from "../../core/sha256.ts";
import { MessageType, TEXT_BYTES_MAX, type WireErrorCode } from "../wire/messages.ts";
import type { WireReader } from "../wire/reader.ts";
import type { WireWriter } from "../wire/writer.ts";
import { PEER_PROTOCOL_VERSION, PeerMessageType } from "./message_types.ts";

/** Longest byte string of an authentication, in any of its messages. */
export const AUTH_BYTES_MAX = 512;

/**
 * Why a replica does not let another one in. The words go over the wire in an `error` message.
 * Source: docs/wire.md#hello-between-replicas.
 */
export const PEER_REFUSALS = [
  /** Another version of the messages, or of the frames. */
  "unsupported_version",
  /** It belongs to another cluster. */
  "wrong_cluster",
  /** It is not the replica that was meant. */
  "wrong_replica",
  /** The one that asks is no member here, or says that it is the one that is asked. */
  "unknown_replica",
  /** The two know different members. */
  "wrong_members",
  /** The two have different bounds, or another shard. */
  "configuration_mismatch",
  /** The one that asks could not prove that it knows the cluster's secret. */
  "unauthenticated",
] as const;

/** One of {@linkcode PEER_REFUSALS}. */
export type PeerRefusal = typeof PEER_REFUSALS[number];

/** What a replica says when it ends a connection: words that clients know, too, in case one is at the wrong port. */
export type RefusalCode =
  | PeerRefusal
  | Extract<
    WireErrorCode,
    "unexpected_message" | "frame_too_large" | "malformed_header" | "checksum_mismatch"
  >;

/** What the replica that dials opens with. */
export interface PeerHello {
  /** 16 bytes. */
  readonly clusterId: Uint8Array;
  /** Who dials. */
  readonly from: bigint;
  /** Who it believes to talk to. */
  readonly to: bigint;
  /** See {@linkcode membersDigest}. */
  readonly membersDigest: bigint;
  /** 16 bytes, see `configFingerprint`. */
  readonly fingerprint: Uint8Array;
  readonly shardId: bigint;
  /** Of the program, e.g. `0.1.0`. */
  readonly version: string;
  /** What an authentication begins with; nothing when there is no secret. */
  readonly auth: Uint8Array | undefined;
}

/** The answer to a hello that was found good. */
export interface PeerWelcome {
  /** 16 bytes. */
  readonly clusterId: Uint8Array;
  /** Who answers. */
  readonly replicaId: bigint;
  /** Of its program. */
  readonly version: string;
}

/**
 * A number that replicas with the same members agree on: the first 8 bytes of the SHA-256 of the ids,
 * ascending, 8 bytes each, big-endian.
 *
 * @param memberIds Every replica of the cluster, in any order.
 * @returns A u64.
 */
export function membersDigest(memberIds: readonly bigint[]): bigint {
  const sorted = memberIds.toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0);
  const view = new DataView(new ArrayBuffer(sorted.length * 8));
  sorted.forEach((id, i) => view.setBigUint64(i * 8, id));
  const words = new Uint32Array(8);
  sha256Words(view, 0, view.byteLength, words);
  return (BigInt(words[0]!) << 32n) | BigInt(words[1]!);
}

/** `[32, version, cluster_id, from, to, members_digest, fingerprint, shard_id, software_version, auth | null]`. */
export function writePeerHello(out: WireWriter, hello: PeerHello): void {
  const frame = out.beginFrame();
  out.array(10);
  out.byte(PeerMessageType.peer_hello);
  out.small(PEER_PROTOCOL_VERSION);
  out.bytes16(hello.clusterId);
  out.u64(hello.from);
  out.u64(hello.to);
  out.u64(hello.membersDigest);
  out.bytes16(hello.fingerprint);
  out.u64(hello.shardId);
  out.text(hello.version, TEXT_BYTES_MAX);
  if (hello.auth === undefined) out.nil();
  else out.byteString(hello.auth);
  out.endFrame(frame);
}

/** Reads a hello; what another version goes on with is not looked at. `undefined` when it is none at all. */
export function readPeerHello(reader: WireReader): PeerHello | "unsupported_version" | undefined {
  const elements = reader.arrayHead();
  reader.require(reader.byte() === PeerMessageType.peer_hello);
  const version = reader.small(23);
  if (reader.failed) return undefined;
  if (version !== PEER_PROTOCOL_VERSION) return "unsupported_version";
  reader.require(elements === 10);
  const hello = {
    clusterId: reader.bytes16(),
    from: reader.u64(),
    to: reader.u64(),
    membersDigest: reader.u64(),
    fingerprint: reader.bytes16(),
    shardId: reader.u64(),
    version: reader.text(TEXT_BYTES_MAX),
    auth: reader.optionalByteString(AUTH_BYTES_MAX),
  };
  return reader.finish() ? hello : undefined;
}

/** `[33, version, cluster_id, replica_id, software_version]`. */
export function writePeerWelcome(out: WireWriter, welcome: PeerWelcome): void {
  const frame = out.beginFrame();
  out.array(5);
  out.byte(PeerMessageType.peer_welcome);
  out.small(PEER_PROTOCOL_VERSION);
  out.bytes16(welcome.clusterId);
  out.u64(welcome.replicaId);
  out.text(welcome.version, TEXT_BYTES_MAX);
  out.endFrame(frame);
}

/** Reads a welcome; `undefined` when it is none. */
export function readPeerWelcome(reader: WireReader): PeerWelcome | undefined {
  reader.array(5);
  reader.require(reader.byte() === PeerMessageType.peer_welcome);
  reader.require(reader.small(23) === PEER_PROTOCOL_VERSION);
  const welcome = {
    clusterId: reader.bytes16(),
    replicaId: reader.u64(),
    version: reader.text(TEXT_BYTES_MAX),
  };
  return reader.finish() ? welcome : undefined;
}

/** `[34, bytes]`: what the replica that was dialled wants answered before it lets the other in. */
export function writePeerChallenge(out: WireWriter, challenge: Uint8Array): void {
  writeAuthentication(out, PeerMessageType.peer_challenge, challenge);
}

/** A copy of the bytes of a challenge; `undefined` when it is none. */
export function readPeerChallenge(reader: WireReader): Uint8Array | undefined {
  return readAuthentication(reader, PeerMessageType.peer_challenge);
}

/** `[35, bytes]`: the answer to a challenge. */
export function writePeerResponse(out: WireWriter, response: Uint8Array): void {
  writeAuthentication(out, PeerMessageType.peer_response, response);
}

/** A copy of the bytes of an answer to a challenge; `undefined` when it is none. */
export function readPeerResponse(reader: WireReader): Uint8Array | undefined {
  return readAuthentication(reader, PeerMessageType.peer_response);
}

/** `[20, 0, code, message]`: the error message of the whole wire, and the last thing that is said. */
export function writePeerRefusal(out: WireWriter, code: RefusalCode, message: string): void {
  const frame = out.beginFrame();
  out.array(4);
  out.small(MessageType.error);
  out.u64(0);
  out.text(code, TEXT_BYTES_MAX);
  out.text(message, TEXT_BYTES_MAX);
  out.endFrame(frame);
}

/** `[36]`: nothing to say, but here. */
export function writePeerAlive(out: WireWriter): void {
  const frame = out.beginFrame();
  out.array(1);
  out.byte(PeerMessageType.peer_alive);
  out.endFrame(frame);
}

/** Whether it is a sign of life. */
export function readPeerAlive(reader: WireReader): boolean {
  reader.array(1);
  reader.require(reader.byte() === PeerMessageType.peer_alive);
  return reader.finish();
}

function writeAuthentication(out: WireWriter, type: number, bytes: Uint8Array): void {
  const frame = out.beginFrame();
  out.array(2);
  out.byte(type);
  out.byteString(bytes);
  out.endFrame(frame);
}

function readAuthentication(reader: WireReader, type: number): Uint8Array | undefined {
  reader.array(2);
  reader.require(reader.byte() === type);
  const bytes = reader.byteString(AUTH_BYTES_MAX).slice();
  return reader.finish() ? bytes : undefined;
}
