/** Tar archives in their oldest common form (POSIX ustar), a file at a time: what any `tar` reads and writes. */

/** A part of an archive starts at a multiple of this. */
export const TAR_BLOCK_BYTES = 512;
/** Largest file that eleven octal digits can state. */
export const TAR_FILE_BYTES_MAX = 0o77777777777;

const NAME_BYTES_MAX = 100;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Why bytes are no archive of ours. */
export class BadArchive extends Error {
  override readonly name = "BadArchive";
}

/** What stands before a file's bytes. */
export interface TarEntry {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Encodes what stands before a file's bytes: a plain file that its owner may read and write.
 *
 * @param entry Name and length; the name at most 100 bytes long.
 * @returns {@linkcode TAR_BLOCK_BYTES} bytes.
 */
export function encodeTarHeader({ name, bytes }: TarEntry): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(TAR_BLOCK_BYTES);
  const put = (at: number, text: string): void => header.set(encoder.encode(text), at);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  if (encoder.encode(name).length > NAME_BYTES_MAX) throw new BadArchive(`${name} is too long`);
  if (bytes > TAR_FILE_BYTES_MAX) throw new BadArchive(`${name} is larger than 8 GiB`);
  put(0, name);
  put(100, `${octal(0o600, 7)}\0`);
  put(108, `${octal(0, 7)}\0${octal(0, 7)}\0`);
  put(124, `${octal(bytes, 11)}\0${octal(0, 11)}\0`);
  put(148, " ".repeat(8));
  put(156, "0");
  put(257, "ustar\0" + "00");
  put(148, `${octal(sumOf(header), 6)}\0 `);
  return header;
}

/**
 * Reads what stands before a file's bytes.
 *
 * @param header {@linkcode TAR_BLOCK_BYTES} bytes.
 * @returns The entry, or `undefined` for the zeros that end an archive.
 * @throws {BadArchive} When it is neither, or no plain file in the top folder.
 */
export function decodeTarHeader(header: Uint8Array): TarEntry | undefined {
  if (header.every((byte) => byte === 0)) return undefined;
  const copy = header.slice();
  copy.fill(0x20, 148, 156);
  if (octalAt(header, 148, 8) !== sumOf(copy)) throw new BadArchive("a header's sum is wrong");
  const type = header[156];
  if (type !== 0x30 && type !== 0) throw new BadArchive("an entry is no plain file");
  const name = textAt(header, 0, NAME_BYTES_MAX);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || textAt(header, 345, 155) !== "") {
    throw new BadArchive(`an entry has the name ${JSON.stringify(name)}`);
  }
  return { name, bytes: octalAt(header, 124, 12) };
}

/** Zeros behind a file's bytes up to the next part. */
export function tarPadding(bytes: number): number {
  return (TAR_BLOCK_BYTES - bytes % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
}

function sumOf(header: Uint8Array): number {
  return header.reduce((sum, byte) => sum + byte, 0);
}

function octalAt(header: Uint8Array, at: number, length: number): number {
  const text = textAt(header, at, length).trim();
  if (!/^[0-7]+$/.test(text)) throw new BadArchive("a number is not octal");
  return parseInt(text, 8);
}

function textAt(header: Uint8Array, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  try {
    return decoder.decode(end < 0 ? field : field.subarray(0, end));
  } catch {
    throw new BadArchive("a name is not UTF-8");
  }
}
