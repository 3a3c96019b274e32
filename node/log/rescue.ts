/** Reads a damaged log's files as far as the disk can: what it cannot read shows as bytes that no frame and no tear has. */
import { DiskFault, type DiskFile } from "../disk.ts";

const SECTOR_BYTES = 512;
const PIECE_BYTES = 65_536;
/** With more of them the disk is broken rather than a place on it, and each attempt may take seconds. */
const UNREADABLE_SECTORS_MAX = 1_024;
/** A crash leaves zeros, which mean that nothing was written here; this means that something may have been. */
const UNREADABLE_BYTE = 0xff;

/** Whether a fault is about a place on the disk that cannot be read. */
export function isUnreadable(fault: DiskFault): boolean {
  return fault.kind === "io_error" && fault.action === "read";
}

/** What a file has, read around what cannot be read. */
export interface RescuedBytes {
  /** How much of what was asked for the file has. */
  readonly filled: number;
  /** Whether some of it could not be read. */
  readonly isPartial: boolean;
}

/**
 * Fills as much of `into` as the file has from byte `at`.
 *
 * @param file The file.
 * @param at A multiple of 512.
 * @param into What to fill.
 * @returns What there was.
 * @throws {DiskFault} When too much of it cannot be read, or for another reason.
 */
export function readAround(file: DiskFile, at: number, into: Uint8Array): RescuedBytes {
  let unreadable = 0;
  let filled = 0;
  while (filled < into.length) {
    const piece = into.subarray(filled, filled + PIECE_BYTES);
    const count = tryRead(file, at + filled, piece) ?? readSectors(piece, (from, sector) => {
      const got = tryRead(file, at + filled + from, sector);
      if (got === undefined && ++unreadable > UNREADABLE_SECTORS_MAX) {
        throw new DiskFault("io_error", "read", file.name, "too much of it cannot be read");
      }
      return got;
    });
    filled += count;
    if (count < piece.length) break;
  }
  return { filled, isPartial: unreadable > 0 };
}

function readSectors(
  piece: Uint8Array,
  read: (from: number, sector: Uint8Array) => number | undefined,
): number {
  for (let from = 0; from < piece.length; from += SECTOR_BYTES) {
    const sector = piece.subarray(from, from + SECTOR_BYTES);
    const count = read(from, sector);
    if (count === undefined) sector.fill(UNREADABLE_BYTE);
    else if (count < sector.length) return from + count;
  }
  return piece.length;
}

/** `undefined` when it cannot be read. */
function tryRead(file: DiskFile, at: number, into: Uint8Array): number | undefined {
  try {
    return file.read(at, into);
  } catch (error) {
    if (error instanceof DiskFault && isUnreadable(error)) return undefined;
    throw error;
  }
}
