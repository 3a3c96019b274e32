/** Submit requests and replies: the hot path, without an allocation per command. Source: docs/wire.md#submit. */
import { MessageType } from "./messages.ts";
import { skipItem } from "./reader.ts";
import { readResult, RESULT_BYTES_MAX, type ResultColumns, writeResult } from "./results.ts";
import type { WireWriter } from "./writer.ts";

/** Array head, type, request id, slot, list head at its longest. */
const REQUEST_BYTES_MAX = 2 + 9 + 9 + 3;
/** Array head, type, request id, list head at its longest. */
const REPLY_BYTES_MAX = 2 + 9 + 3;
/** What a 16-bit list head can count. */
const LIST_MAX = 0xffff;

/** Where everything in a submit request lies; reused. */
export interface SubmitRequest {
  requestIdHigh: number;
  requestIdLow: number;
  /** The client's own slot, or `undefined` for the node's clock. */
  slot: bigint | undefined;
  count: number;
  /** Where the first command starts. */
  commandsStart: number;
  /** `ends[i]` is one past command i; the next one starts there. */
  readonly ends: Uint32Array;
}

/** What {@linkcode readSubmit} found. */
export type SubmitStatus = "ok" | "malformed_message" | "batch_too_large";

/** Makes a record for requests of up to `maxBatchCommands`. */
export function createSubmitRequest(maxBatchCommands: number): SubmitRequest {
  return {
    requestIdHigh: 0,
    requestIdLow: 0,
    slot: undefined,
    count: 0,
    commandsStart: 0,
    ends: new Uint32Array(maxBatchCommands),
  };
}

/** Most commands of a batch whose reply is sure to fit a frame body of `maxFrameBytes`. */
export function batchCommandsMax(maxFrameBytes: number): number {
  const fitting = Math.floor((maxFrameBytes - REPLY_BYTES_MAX) / RESULT_BYTES_MAX);
  return Math.min(fitting, LIST_MAX);
}

/** Frame body bytes of a submit request with `commandBytes` of commands, at most. */
export function submitBodyBytesMax(commandBytes: number): number {
  return REQUEST_BYTES_MAX + commandBytes;
}

/**
 * Finds the commands in a submit request. What is inside a command is the node's to judge; that all of
 * them are whole CBOR items is known before the first one is passed on.
 *
 * @param view The buffer.
 * @param at Where the message body starts.
 * @param end One past it.
 * @param into Overwritten. After `batch_too_large` only the request id means something.
 * @returns How it went.
 */
export function readSubmit(
  view: DataView,
  at: number,
  end: number,
  into: SubmitRequest,
): SubmitStatus {
  if (end - at < 13 || view.getUint16(at) !== 0x8401 || view.getUint8(at + 2) !== 0x1b) {
    return "malformed_message";
  }
  into.requestIdHigh = view.getUint32(at + 3);
  into.requestIdLow = view.getUint32(at + 7);
  const list = readSlot(view, at + 11, end, into);
  if (list < 0) return "malformed_message";
  const count = readListHead(view, list, end);
  if (count < 0) return "malformed_message";
  into.count = count;
  into.commandsStart = list + listHeadBytes(count);
  if (count > into.ends.length) return "batch_too_large";
  return findCommands(view, end, into) ? "ok" : "malformed_message";
}

function readSlot(view: DataView, at: number, end: number, into: SubmitRequest): number {
  into.slot = undefined;
  const mark = view.getUint8(at);
  if (mark === 0xf6) return at + 1;
  if (mark !== 0x1b || end - at < 10) return -1;
  into.slot = view.getBigUint64(at + 1);
  return at + 9;
}

function findCommands(view: DataView, end: number, request: SubmitRequest): boolean {
  const { ends, count } = request;
  let next = request.commandsStart;
  for (let i = 0; i < count; i++) {
    next = itemEnd(view, next, end);
    if (next < 0) return false;
    ends[i] = next;
  }
  return next === end;
}

/** {@linkcode skipItem}, but the shapes that nearly every command has are recognised by their heads. */
function itemEnd(view: DataView, at: number, end: number): number {
  const left = end - at;
  if (left >= 53 && view.getUint8(at + 2) === 0x50 && view.getUint8(at + 19) === 0x50) {
    const subject = view.getUint8(at + 36) === 0x50 && view.getUint8(at + 1) < 24;
    const head = view.getUint8(at);
    if (subject && head === 0x84) return at + 53;
    if (
      subject && head === 0x86 && left >= 79 &&
      view.getUint8(at + 53) === 0x50 && view.getUint8(at + 70) === 0x1b
    ) return at + 79;
  }
  return skipItem(view, at, end);
}

/**
 * Starts a submit request; its commands follow as they are, then {@linkcode WireWriter.endFrame}.
 *
 * @param out Where.
 * @param requestId Echoed in the reply.
 * @param slot The client's own slot, or `undefined` for the node's clock.
 * @param count How many commands will follow.
 * @returns What `endFrame` wants to have.
 */
export function beginSubmit(
  out: WireWriter,
  requestId: number,
  slot: bigint | undefined,
  count: number,
): number {
  const frame = out.beginFrame();
  out.array(4);
  out.small(MessageType.submit);
  out.u64(requestId);
  out.optionalU64(slot);
  out.array(count);
  return frame;
}

/**
 * Writes a whole reply frame.
 *
 * @param out Where.
 * @param requestIdHigh High half of the request's id.
 * @param requestIdLow Low half.
 * @param columns The results.
 * @param count How many.
 */
export function writeSubmitReply(
  out: WireWriter,
  requestIdHigh: number,
  requestIdLow: number,
  columns: ResultColumns,
  count: number,
): void {
  const frame = out.beginFrame();
  out.room(REPLY_BYTES_MAX + count * RESULT_BYTES_MAX);
  const { view } = out;
  const at = out.end;
  view.setUint16(at, 0x8300 | MessageType.submit_reply);
  view.setUint8(at + 2, 0x1b);
  view.setUint32(at + 3, requestIdHigh);
  view.setUint32(at + 7, requestIdLow);
  out.end = at + 11;
  out.array(count);
  let next = out.end;
  for (let i = 0; i < count; i++) next = writeResult(view, next, columns, i);
  out.end = next;
  out.endFrame(frame);
}

/** The request id of a submit reply, or -1 when it is none or above 2^53 - 1. */
export function submitReplyId(view: DataView, at: number, end: number): number {
  const head = 0x8300 | MessageType.submit_reply;
  if (end - at < 12 || view.getUint16(at) !== head || view.getUint8(at + 2) !== 0x1b) return -1;
  const id = view.getUint32(at + 3) * 0x1_0000_0000 + view.getUint32(at + 7);
  return Number.isSafeInteger(id) ? id : -1;
}

/**
 * Reads the results of a submit reply that {@linkcode submitReplyId} recognised.
 *
 * @param view The buffer.
 * @param at Where the message body starts.
 * @param end One past it.
 * @param columns Where to store the results.
 * @param count How many there must be.
 * @returns Whether they were there, and nothing else.
 */
export function readSubmitReply(
  view: DataView,
  at: number,
  end: number,
  columns: ResultColumns,
  count: number,
): boolean {
  if (readListHead(view, at + 11, end) !== count) return false;
  let next = at + 11 + listHeadBytes(count);
  for (let i = 0; i < count && next >= 0; i++) next = readResult(view, next, end, columns, i);
  return next === end;
}

function listHeadBytes(count: number): number {
  return count < 24 ? 1 : count < 0x100 ? 2 : 3;
}

/** The count of a shortest-form list head of up to 16 bits, or -1. */
function readListHead(view: DataView, at: number, end: number): number {
  const left = end - at;
  if (left < 1) return -1;
  const head = view.getUint8(at);
  if (head >= 0x80 && head < 0x98) return head - 0x80;
  if (head === 0x98 && left >= 2) {
    const count = view.getUint8(at + 1);
    return count >= 24 ? count : -1;
  }
  if (head !== 0x99 || left < 3) return -1;
  const count = view.getUint16(at + 1);
  return count >= 0x100 ? count : -1;
}
