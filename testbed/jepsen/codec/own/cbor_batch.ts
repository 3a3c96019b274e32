/**
 * The file of our CBOR. It is a sequence (RFC 8742) of batches, big-endian as CBOR is:
 *
 *     d9 d9f7             tag 55799, self-described CBOR; before the first batch only
 *     84                  an array of four
 *     1a uuuuuuuu         number of the batch, from 0
 *     1a uuuuuuuu         CRC-32C of the records
 *     1a uuuuuuuu         CRC-32C of the number, the checksum above and the length below, 4 bytes each
 *     5a uuuuuuuu bytes   records, themselves a sequence of the maps of cbor_fields.ts
 *
 * The first batch begins with the header. What was written is there after the writing process was killed, up to
 * some byte; so a file that ends in a batch, or in zeros, has a torn tail and all before it counts. Anything else that does
 * not check is damage.
 */
import { crc32c } from "../../../../core/crc32c.ts";

/** Tag 55799. */
export const MAGIC = [0xd9, 0xd9, 0xf7] as const;
/** Bytes before the records. */
export const HEAD_BYTES = 21;
/** Longest records of a batch, in bytes. */
export const RECORD_BYTES_MAX = 64 * 1_048_576;

const ARRAY_OF_FOUR = 0x84;
const U32_HEAD = 0x1a;
const BYTES_U32_HEAD = 0x5a;

/** What stands before the records. */
export interface BatchHead {
  readonly number: number;
  readonly checksum: number;
  readonly length: number;
}

/** Wraps records into a batch. */
export function writeBatch(number: number, records: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = number === 0 ? MAGIC.length : 0;
  const bytes = new Uint8Array(at + HEAD_BYTES + records.length);
  if (number === 0) bytes.set(MAGIC);
  const view = new DataView(bytes.buffer, at);
  const checksum = crc32c(records, 0, records.length);
  view.setUint8(0, ARRAY_OF_FOUR);
  view.setUint8(1, U32_HEAD);
  view.setUint32(2, number);
  view.setUint8(6, U32_HEAD);
  view.setUint32(7, checksum);
  view.setUint8(11, U32_HEAD);
  view.setUint32(12, headChecksum({ number, checksum, length: records.length }));
  view.setUint8(16, BYTES_U32_HEAD);
  view.setUint32(17, records.length);
  bytes.set(records, at + HEAD_BYTES);
  return bytes;
}

/** Reads {@linkcode HEAD_BYTES}; undefined when they are not those of a batch. */
export function readBatchHead(bytes: Uint8Array): BatchHead | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isShaped = bytes[0] === ARRAY_OF_FOUR && bytes[1] === U32_HEAD && bytes[6] === U32_HEAD &&
    bytes[11] === U32_HEAD && bytes[16] === BYTES_U32_HEAD;
  if (!isShaped) return undefined;
  const number = view.getUint32(2);
  const checksum = view.getUint32(7);
  const head = { number, checksum, length: view.getUint32(17) };
  if (head.length > RECORD_BYTES_MAX) return undefined;
  return view.getUint32(12) === headChecksum(head) ? head : undefined;
}

function headChecksum({ number, checksum, length }: BatchHead): number {
  const words = new DataView(new ArrayBuffer(12));
  words.setUint32(0, number);
  words.setUint32(4, checksum);
  words.setUint32(8, length);
  return crc32c(new Uint8Array(words.buffer), 0, 12);
}
