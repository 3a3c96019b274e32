/**
 * Messages of the protocol as bytes and back. `frames` and `bytes` are copied once when they are written, and
 * given out in place when they are read: they are valid only until the receiver returns.
 * Source: docs/wire.md#replicas.
 */
import { assert, unreachable } from "../../core/assert.ts";
import type { LogRange, Message } from "../vsr/messages.ts";
import { FRAME_HEADER_BYTES } from "../wire/framing.ts";
import type { WireReader } from "../wire/reader.ts";
import type { WireWriter } from "../wire/writer.ts";
import { PEER_FRAME_BYTES_MAX, PeerMessageType } from "./message_types.ts";

/** Why a range is empty, by number; 0 when it is not. */
const LOG_RANGE_REFUSALS = [undefined, "removed", "differs", "unreadable"] as const;

/**
 * Writes one frame.
 *
 * @param out Where to.
 * @param message What; its byte strings are copied.
 */
export function writeMessage(out: WireWriter, message: Message): void {
  const frame = out.beginFrame();
  writeBody(out, message);
  assert(out.end - frame - FRAME_HEADER_BYTES <= PEER_FRAME_BYTES_MAX, "peer/message-fits-a-frame");
  out.endFrame(frame);
}

function head(out: WireWriter, kind: Message["kind"], elements: number): void {
  out.array(elements);
  out.byte(PeerMessageType[kind]);
}

function writeBody(out: WireWriter, message: Message): void {
  switch (message.kind) {
    case "prepare":
      head(out, message.kind, 8);
      out.u64(message.view);
      out.u64(message.prevOp);
      out.u64(message.prevHash);
      out.u64(message.commitOp);
      out.u64(message.round);
      out.u64(message.slot);
      return out.byteString(message.frames);
    case "prepare_ok":
      head(out, message.kind, 5);
      out.u64(message.view);
      out.u64(message.op);
      out.u64(message.round);
      return out.flag(message.counts);
    case "prepare_reject":
      head(out, message.kind, 3);
      out.u64(message.view);
      return out.u64(message.op);
    case "probe_view":
    case "probe_view_ok":
    case "start_view_change":
      head(out, message.kind, 2);
      return out.u64(message.view);
    case "do_view_change":
      head(out, message.kind, 7);
      out.u64(message.view);
      out.u64(message.logView);
      out.u64(message.op);
      out.u64(message.hash);
      out.u64(message.commitOp);
      return out.u64(message.slot);
    case "start_view":
      head(out, message.kind, 7);
      out.u64(message.view);
      out.u64(message.op);
      out.u64(message.hash);
      out.u64(message.commitOp);
      out.u64(message.round);
      return out.u64(message.slot);
    case "get_log_range":
      head(out, message.kind, 5);
      out.u64(message.requestId);
      out.u64(message.prevOp);
      out.u64(message.prevHash);
      return out.u64(message.toOp);
    case "log_range":
      head(out, message.kind, 4);
      out.u64(message.requestId);
      out.small(LOG_RANGE_REFUSALS.indexOf(message.refusal));
      return out.byteString(message.frames);
    case "recovery":
      head(out, message.kind, 2);
      return out.u64(message.nonce);
    case "recovery_response":
      head(out, message.kind, 4);
      out.u64(message.nonce);
      out.u64(message.view);
      return out.optionalU64(message.primaryOp);
    case "snapshot_offer":
      head(out, message.kind, 5);
      out.u64(message.view);
      out.u64(message.op);
      out.u64(message.hash);
      return out.u64(message.bytes);
    case "get_snapshot_chunk":
      head(out, message.kind, 5);
      out.u64(message.op);
      out.u64(message.hash);
      out.u64(message.offset);
      return out.u64(message.length);
    case "snapshot_chunk":
      head(out, message.kind, 5);
      out.u64(message.op);
      out.u64(message.hash);
      out.u64(message.offset);
      return out.byteString(message.bytes);
    default:
      return unreachable(message);
  }
}

/**
 * Reads one body.
 *
 * @param reader Open at the body.
 * @returns The message, whose byte strings lie in the body; `undefined` when it is none, in its one encoding.
 */
export function readMessage(reader: WireReader): Message | undefined {
  const elements = reader.arrayHead();
  const read = READERS.get(reader.byte());
  const message = read?.(reader, elements);
  return reader.finish() ? message : undefined;
}

type Read = (reader: WireReader, elements: number) => Message;

/** How many elements a message has, its type included, and how those behind it are read, in order. */
function entry(kind: Message["kind"], count: number, read: (reader: WireReader) => Message): [
  number,
  Read,
] {
  return [PeerMessageType[kind], (reader, elements) => {
    reader.require(elements === count);
    return read(reader);
  }];
}

// The elements of an object literal are evaluated in the order in which they stand.
const READERS: ReadonlyMap<number, Read> = new Map([
  entry("prepare", 8, (reader) => ({
    kind: "prepare",
    view: reader.u64(),
    prevOp: reader.u64(),
    prevHash: reader.u64(),
    commitOp: reader.u64(),
    round: reader.u64(),
    slot: reader.u64(),
    frames: reader.byteString(PEER_FRAME_BYTES_MAX),
  })),
  entry("prepare_ok", 5, (reader) => ({
    kind: "prepare_ok",
    view: reader.u64(),
    op: reader.u64(),
    round: reader.u64(),
    counts: reader.flag(),
  })),
  entry("prepare_reject", 3, (reader) => ({
    kind: "prepare_reject",
    view: reader.u64(),
    op: reader.u64(),
  })),
  entry("probe_view", 2, (reader) => ({ kind: "probe_view", view: reader.u64() })),
  entry("probe_view_ok", 2, (reader) => ({ kind: "probe_view_ok", view: reader.u64() })),
  entry("start_view_change", 2, (reader) => ({ kind: "start_view_change", view: reader.u64() })),
  entry("do_view_change", 7, (reader) => ({
    kind: "do_view_change",
    view: reader.u64(),
    logView: reader.u64(),
    op: reader.u64(),
    hash: reader.u64(),
    commitOp: reader.u64(),
    slot: reader.u64(),
  })),
  entry("start_view", 7, (reader) => ({
    kind: "start_view",
    view: reader.u64(),
    op: reader.u64(),
    hash: reader.u64(),
    commitOp: reader.u64(),
    round: reader.u64(),
    slot: reader.u64(),
  })),
  entry("get_log_range", 5, (reader) => ({
    kind: "get_log_range",
    requestId: reader.u64(),
    prevOp: reader.u64(),
    prevHash: reader.u64(),
    toOp: reader.u64(),
  })),
  entry("log_range", 4, (reader) => ({
    kind: "log_range",
    requestId: reader.u64(),
    refusal: readRefusal(reader),
    frames: reader.byteString(PEER_FRAME_BYTES_MAX),
  })),
  entry("recovery", 2, (reader) => ({ kind: "recovery", nonce: reader.u64() })),
  entry("recovery_response", 4, (reader) => ({
    kind: "recovery_response",
    nonce: reader.u64(),
    view: reader.u64(),
    primaryOp: reader.optionalU64(),
  })),
  entry("snapshot_offer", 5, (reader) => ({
    kind: "snapshot_offer",
    view: reader.u64(),
    op: reader.u64(),
    hash: reader.u64(),
    bytes: reader.u64(),
  })),
  entry("get_snapshot_chunk", 5, (reader) => ({
    kind: "get_snapshot_chunk",
    op: reader.u64(),
    hash: reader.u64(),
    offset: reader.u64(),
    length: reader.u64(),
  })),
  entry("snapshot_chunk", 5, (reader) => ({
    kind: "snapshot_chunk",
    op: reader.u64(),
    hash: reader.u64(),
    offset: reader.u64(),
    bytes: reader.byteString(PEER_FRAME_BYTES_MAX),
  })),
]);

function readRefusal(reader: WireReader): LogRange["refusal"] {
  return LOG_RANGE_REFUSALS[reader.small(LOG_RANGE_REFUSALS.length - 1)];
}
