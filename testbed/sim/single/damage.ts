/** What can become of the last entry of a log on its disk, in sectors as real disks have them. */
import { checkFrameHeader, FRAME_PAYLOAD_BYTES_MAX, frameBytes } from "../../../core/log_frame.ts";
import { type LogBuffer, payloadBytesAt } from "../../../core/log_frame.ts";
import { SEGMENT_HEADER_BYTES } from "../../../core/log_segment.ts";
import { ACTIVE_SEGMENT } from "../../../node/log/files.ts";
import type { MemoryDisk } from "../disk/memory_disk.ts";
import { SECTOR_BYTES } from "../disk/sector.ts";

/** Where a frame is in its segment, in bytes. */
export interface FramePlace {
  readonly at: number;
  readonly end: number;
}

/** The last frame of the active segment, if it has one. */
export function lastFrame(disk: MemoryDisk): FramePlace | undefined {
  const buffer = copyOf(disk.contents(ACTIVE_SEGMENT));
  const { length } = buffer.bytes;
  let last: FramePlace | undefined;
  for (let at = SEGMENT_HEADER_BYTES; at < length;) {
    if (checkFrameHeader(buffer, at, length, FRAME_PAYLOAD_BYTES_MAX) !== undefined) return last;
    const end = at + frameBytes(payloadBytesAt(buffer.words, at >>> 2));
    last = { at, end };
    at = end;
  }
  return last;
}

/** Flips a bit of the last frame's last byte; twice is as if nothing had happened. */
export function corruptLastFrame(disk: MemoryDisk): boolean {
  const place = lastFrame(disk);
  if (place === undefined) return false;
  disk.contents(ACTIVE_SEGMENT)[place.end - 1]! ^= 1;
  return true;
}

/**
 * Undoes the writing of the last frame's last sectors: as many as hold its last bytes.
 *
 * @param truncateBytes How many bytes are gone at least, 1 or more.
 * @returns Whether there was a frame.
 */
export function tearLastFrame(disk: MemoryDisk, truncateBytes: number): boolean {
  const place = lastFrame(disk);
  if (place === undefined) return false;
  const from = Math.floor((place.end - truncateBytes) / SECTOR_BYTES) * SECTOR_BYTES;
  disk.contents(ACTIVE_SEGMENT).fill(0, Math.max(place.at, from), place.end);
  return true;
}

function copyOf(bytes: Uint8Array): LogBuffer {
  const memory = new ArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  return {
    bytes: new Uint8Array(memory),
    words: new Uint32Array(memory),
    data: new DataView(memory),
  };
}
