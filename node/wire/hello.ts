/** The first message each way, and the message that ends a connection or a request. Source: docs/wire.md#hello. */
import type { AuthOffer } from "../auth/handshake.ts";
import { readAuthOffer, writeAuthOffer } from "./auth.ts";
import { type ClusterHello, readClusterHello, writeClusterHello } from "./cluster.ts";
import { MessageType, PROTOCOL_VERSION, TEXT_BYTES_MAX, type WireErrorCode } from "./messages.ts";
import type { WireReader } from "./reader.ts";
import type { WireWriter } from "./writer.ts";

/** Longest name of a client, in bytes of UTF-8. */
export const CLIENT_NAME_BYTES_MAX = 256;

/** What a client opens with. */
export interface ClientHello {
  /** Of the messages; a frame header has it too. */
  readonly version: number;
  /** The cluster to insist on, 16 bytes. */
  readonly clusterId: Uint8Array | undefined;
  readonly clientName: string;
  /** With what the client will prove itself; it then insists that the server proves itself, too. */
  readonly auth?: AuthOffer | undefined;
}

/** What a server answers to hello: who it is and what it takes. */
export interface ServerHello {
  readonly clusterId: Uint8Array;
  readonly version: string;
  readonly shardId: bigint;
  readonly slotDurationMs: number;
  readonly maxFrameBytes: number;
  readonly maxCommandBytes: number;
  readonly maxBatchCommands: number;
  readonly maxBundleSize: number;
  readonly maxTtlSlots: bigint;
  readonly currentSlot: bigint;
  /** Absent where one node is all there is. */
  readonly cluster?: ClusterHello | undefined;
}

/** An error message as it was read. The code is text: a server may know more of them than we do. */
export interface WireError {
  /** 0 when it concerns the connection. */
  readonly requestId: bigint;
  readonly code: string;
  readonly message: string;
}

/** `[0, protocol_version, cluster_id | null, client_name, auth | null]`. */
export function writeClientHello(out: WireWriter, hello: ClientHello): void {
  const frame = out.beginFrame();
  out.array(5);
  out.small(MessageType.hello);
  out.small(hello.version);
  if (hello.clusterId === undefined) out.nil();
  else out.bytes16(hello.clusterId);
  out.text(hello.clientName, CLIENT_NAME_BYTES_MAX);
  writeAuthOffer(out, hello.auth);
  out.endFrame(frame);
}

/** Reads a client's hello; `undefined` when it is none. */
export function readClientHello(reader: WireReader): ClientHello | undefined {
  reader.array(5);
  reader.require(reader.small(23) === MessageType.hello);
  const version = reader.small(23);
  const clusterId = reader.optionalBytes16();
  const clientName = reader.text(CLIENT_NAME_BYTES_MAX);
  const auth = readAuthOffer(reader);
  return reader.finish() ? { version, clusterId, clientName, auth } : undefined;
}

/** `[10, protocol_version, cluster_id, version, …, current_slot, null]`, and the cluster where there is one. */
export function writeServerHello(out: WireWriter, hello: ServerHello): void {
  const frame = out.beginFrame();
  out.array(hello.cluster === undefined ? 13 : 14);
  out.small(MessageType.hello_reply);
  out.small(PROTOCOL_VERSION);
  out.bytes16(hello.clusterId);
  out.text(hello.version, TEXT_BYTES_MAX);
  out.u64(hello.shardId);
  out.u64(hello.slotDurationMs);
  out.u64(hello.maxFrameBytes);
  out.u64(hello.maxCommandBytes);
  out.u64(hello.maxBatchCommands);
  out.u64(hello.maxBundleSize);
  out.u64(hello.maxTtlSlots);
  out.u64(hello.currentSlot);
  out.nil();
  if (hello.cluster !== undefined) writeClusterHello(out, hello.cluster);
  out.endFrame(frame);
}

/** Reads a server's hello; `undefined` when it is none. */
export function readServerHello(reader: WireReader): ServerHello | undefined {
  const elements = reader.arrayHead();
  reader.require(elements === 13 || elements === 14);
  reader.require(reader.small(23) === MessageType.hello_reply);
  reader.require(reader.small(23) === PROTOCOL_VERSION);
  const hello = {
    clusterId: reader.bytes16(),
    version: reader.text(TEXT_BYTES_MAX),
    shardId: reader.u64(),
    slotDurationMs: reader.count(),
    maxFrameBytes: reader.count(),
    maxCommandBytes: reader.count(),
    maxBatchCommands: reader.count(),
    maxBundleSize: reader.count(),
    maxTtlSlots: reader.u64(),
    currentSlot: reader.u64(),
  };
  reader.nil();
  const cluster = elements === 14 ? readClusterHello(reader) : undefined;
  const usable = hello.slotDurationMs > 0 && hello.maxBatchCommands > 0;
  return reader.finish() && usable ? { ...hello, cluster } : undefined;
}

/** `[20, request_id, code, message]`. */
export function writeError(
  out: WireWriter,
  requestId: bigint,
  code: WireErrorCode,
  message: string,
): void {
  const frame = out.beginFrame();
  out.array(4);
  out.small(MessageType.error);
  out.u64(requestId);
  out.text(code, TEXT_BYTES_MAX);
  out.text(message, TEXT_BYTES_MAX);
  out.endFrame(frame);
}

/** Reads an error message; `undefined` when it is none. */
export function readError(reader: WireReader): WireError | undefined {
  reader.array(4);
  reader.require(reader.small(23) === MessageType.error);
  const requestId = reader.u64();
  const error = {
    requestId,
    code: reader.text(TEXT_BYTES_MAX),
    message: reader.text(TEXT_BYTES_MAX),
  };
  return reader.finish() ? error : undefined;
}
