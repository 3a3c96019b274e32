/** Messages between replicas through their bytes, as sockets would carry them. */
import { readMessage, writeMessage } from "../../../node/peer/codec.ts";
import type { Message } from "../../../node/vsr/messages.ts";
import { FRAME_HEADER_BYTES } from "../../../node/wire/framing.ts";
import { WireReader } from "../../../node/wire/reader.ts";
import { WireWriter } from "../../../node/wire/writer.ts";

/** A frame on its way, in memory that the next one gets once it has arrived. */
export class EncodedMessage {
  readonly #view: DataView<ArrayBuffer>;
  readonly #memory: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param capacity Bytes of the longest frame that fits. */
  constructor(capacity: number) {
    this.#memory = new Uint8Array(capacity);
    this.#view = new DataView(this.#memory.buffer);
  }

  /** Bytes of the frame. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of the longest frame that fits. */
  get capacity(): number {
    return this.#memory.length;
  }

  /** The frame's memory: its bytes are the first {@linkcode EncodedMessage.length}. */
  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /** Takes a frame over. */
  fill(bytes: Uint8Array, length: number): void {
    const memory = this.#memory;
    if (length > COPIED_BY_HAND_MAX) memory.set(bytes.subarray(0, length));
    else for (let at = 0; at < length; at++) memory[at] = bytes[at]!;
    this.#length = length;
  }

  /** What the frame says; its byte strings lie in the frame. */
  decode(): Message {
    reader.open(this.#view, FRAME_HEADER_BYTES, this.#length);
    const message = readMessage(reader);
    if (message === undefined) throw new Error("A message does not survive its encoding");
    return message;
  }

  /** Makes the frame worthless. */
  poison(): void {
    this.#memory.fill(POISON, 0, this.#length);
  }
}

const KEEP_BYTES = 0x10_0000;
/** What is left of a message once its receiver has returned: nothing that anybody could still use. */
const POISON = 0xa5;
/** Up to here a loop is faster than a view and a call. */
const COPIED_BY_HAND_MAX = 96;
/** Frames are kept for reuse by the power of two that they fit in, up to this one: 64 KiB. */
const SIZES = 17;
const SIZE_MIN = 7;
const KEPT_OF_EACH_SIZE = 256;

const writer = new WireWriter();
const reader = new WireReader();
const kept: EncodedMessage[][] = Array.from({ length: SIZES }, () => []);

/** The bytes of a message; {@linkcode takeMessage} gives their memory back. */
export function encodeMessage(message: Message): EncodedMessage {
  writer.clear(KEEP_BYTES);
  writeMessage(writer, message);
  return encodedFrom(writer.bytes, writer.end);
}

/** Hands a message over as a connection does: its byte strings are gone when `take` returns. */
export function takeMessage(encoded: EncodedMessage, take: (message: Message) => void): void {
  take(encoded.decode());
  dropMessage(encoded);
}

/** Gives the memory of a message back that nobody gets. */
export function dropMessage(encoded: EncodedMessage): void {
  encoded.poison();
  const pool = kept[sizeOf(encoded.capacity)];
  if (pool !== undefined && pool.length < KEPT_OF_EACH_SIZE) pool.push(encoded);
}

function encodedFrom(bytes: Uint8Array, length: number): EncodedMessage {
  const size = sizeOf(length);
  const encoded = kept[size]?.pop() ?? new EncodedMessage(2 ** size);
  encoded.fill(bytes, length);
  return encoded;
}

/** The power of two that a length fits in. */
function sizeOf(length: number): number {
  return Math.max(SIZE_MIN, 32 - Math.clz32(length - 1));
}
