/** Messages between replicas through their bytes, as sockets would carry them. */
import { readMessage, writeMessage } from "../../../node/peer/codec.ts";
import type { Message } from "../../../node/vsr/messages.ts";
import { FRAME_HEADER_BYTES } from "../../../node/wire/framing.ts";
import { WireReader } from "../../../node/wire/reader.ts";
import { WireWriter } from "../../../node/wire/writer.ts";

/** A frame. */
export type EncodedMessage = Uint8Array;

const KEEP_BYTES = 0x10_0000;
/** What is left of a message once its receiver has returned: nothing that anybody could still use. */
const POISON = 0xa5;

const writer = new WireWriter();
const reader = new WireReader();

/** The bytes of a message. */
export function encodeMessage(message: Message): EncodedMessage {
  writer.clear(KEEP_BYTES);
  writeMessage(writer, message);
  return writer.bytes.slice(0, writer.end);
}

/** Hands a message over as a connection does: its byte strings are gone when `take` returns. */
export function takeMessage(encoded: EncodedMessage, take: (message: Message) => void): void {
  const bytes = encoded.slice();
  reader.open(new DataView(bytes.buffer), FRAME_HEADER_BYTES, bytes.length);
  const message = readMessage(reader);
  if (message === undefined) throw new Error("A message does not survive its encoding");
  take(message);
  bytes.fill(POISON);
}
