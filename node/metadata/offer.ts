/**
 * `replica.metadata.prepare`: the log that a replica is about to bring into a view change, durable before it is
 * sent. A replica that comes back with less than it offered has lost what others may rely on.
 * Source: docs/storage.md#the-offer.
 */
import { crc32c } from "../../core/crc32c.ts";
import { type Disk, DiskFault, type DiskFile, type Done } from "../disk.ts";
import type { Offer } from "../vsr/events.ts";

/** Name of the file. */
export const OFFER_FILE = "replica.metadata.prepare";
/** One sector, which is written whole or not at all. */
export const OFFER_BYTES = 512;

const MAGIC = new TextEncoder().encode("ADOFFR1\0");
const MAGIC_AT = 4;
const FIELDS_AT = 16;

/**
 * The bytes of an offer: checksum, magic, four bytes of zero, four u64 little-endian, zeros.
 *
 * @param offer What is offered.
 * @returns {@linkcode OFFER_BYTES} bytes.
 */
export function encodeOffer(offer: Offer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OFFER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, MAGIC_AT);
  [offer.view, offer.logView, offer.op, offer.hash].forEach((value, i) =>
    view.setBigUint64(FIELDS_AT + 8 * i, value, true)
  );
  view.setUint32(0, crc32c(bytes, MAGIC_AT, OFFER_BYTES), true);
  return bytes;
}

/**
 * Reads what {@linkcode encodeOffer} wrote.
 *
 * @param bytes The file.
 * @returns The offer; `undefined` for anything else, such as an offer that was never complete and so never sent.
 */
export function decodeOffer(bytes: Uint8Array): Offer | undefined {
  if (bytes.length !== OFFER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, OFFER_BYTES);
  const u64 = (i: number): bigint => view.getBigUint64(FIELDS_AT + 8 * i, true);
  const offer = { view: u64(0), logView: u64(1), op: u64(2), hash: u64(3) };
  return encodeOffer(offer).every((byte, i) => byte === bytes[i]) ? offer : undefined;
}

/**
 * Reads the last offer.
 *
 * @param disk The data directory.
 * @returns The offer, if there is a whole one.
 * @throws {DiskFault} When the file is there and cannot be read.
 */
export function loadOffer(disk: Disk): Offer | undefined {
  return disk.size(OFFER_FILE) === undefined ? undefined : decodeOffer(disk.readAll(OFFER_FILE));
}

/**
 * Replaces the offer, durably.
 *
 * @param disk The data directory.
 * @param offer What is offered.
 * @param done Told when it is durable, or the fault.
 */
export function storeOffer(disk: Disk, offer: Offer, done: Done): void {
  const file = openOrFault(disk);
  if (file instanceof DiskFault) return done(file);
  file.writeDurably(0, encodeOffer(offer), (fault) => {
    file.close();
    done(fault);
  });
}

/**
 * Takes back what was offered beyond an op, durably: the log is about to end there, rightly.
 *
 * @param disk The data directory.
 * @param op The last entry that is kept.
 * @param hash Its hash.
 * @throws {DiskFault} When the disk fails.
 */
export function lowerOffer(disk: Disk, op: bigint, hash: bigint): void {
  const offer = loadOffer(disk);
  if (offer === undefined || offer.op <= op) return;
  const file = disk.open(OFFER_FILE);
  try {
    file.write(0, encodeOffer({ ...offer, op, hash }));
    file.sync();
  } finally {
    file.close();
  }
}

function openOrFault(disk: Disk): DiskFile | DiskFault {
  try {
    if (disk.size(OFFER_FILE) !== undefined) return disk.open(OFFER_FILE);
    const file = disk.create(OFFER_FILE, OFFER_BYTES);
    disk.syncDirectory();
    return file;
  } catch (error) {
    if (error instanceof DiskFault) return error;
    throw error;
  }
}
